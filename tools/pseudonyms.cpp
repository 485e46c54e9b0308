#include "pseudonyms.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace plex::command {
namespace {

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_uuid(std::string_view text)
{
    constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return text.size() == form.size() && std::equal(text.begin(), text.end(), form.begin(), [](char c, char wanted) {
               return wanted == '-' ? c == '-' : is_hex(c);
           });
}

bool may_stay(char c)
{
    return std::string_view("/-.: ").find(c) != std::string_view::npos;
}

// A shape is a text of these marks, one a character, and of characters that stay as they are.
constexpr char small_letter = '\1';
constexpr char capital = '\2';
constexpr char digit = '\3';
constexpr char first_digit = '\4'; // of a number: not 0
constexpr char other_ascii = '\5';
constexpr char two_bytes = '\6';
constexpr char three_bytes = '\7';
constexpr char four_bytes = '\10';
constexpr char repaired = '\11'; // U+FFFD: a sequence of bytes that was no character
constexpr char hex_digit = '\12';

// The characters that stand for a mark.
struct alphabet {
    std::string_view before; // the bytes that all of them begin with
    char first = '\0';
    unsigned size = 1;
};

alphabet alphabet_of(char c)
{
    switch (c) {
    case small_letter:
        return {"", 'a', 26};
    case capital:
        return {"", 'A', 26};
    case digit:
        return {"", '0', 10};
    case first_digit:
        return {"", '1', 9};
    case other_ascii:
        return {"", '*', 2};
    case two_bytes:
        return {"\xc3", '\xa0', 16};
    case three_bytes:
        return {"\xe4\xb8", '\x80', 64};
    case four_bytes:
        return {"\xf0\x9f\x98", '\x80', 64};
    case repaired:
        return {"\xef\xbf", '\xbd', 1};
    case hex_digit:
        return {"", '0', 16};
    default:
        return {"", c, 1};
    }
}

std::string character(char in_shape, unsigned number)
{
    alphabet const from = alphabet_of(in_shape);
    if (in_shape == hex_digit)
        return std::string(1, "0123456789abcdef"[number]);
    // Rare letters, and rarely four of them in a row: what is left readable is seen at a glance to be made up.
    if (in_shape == small_letter || in_shape == capital)
        number = (number + 23) % from.size;
    std::string made(from.before);
    made += static_cast<char>(static_cast<unsigned char>(from.first) + number);
    return made;
}

std::string shape_of(std::string_view text)
{
    std::string shape;
    std::size_t at = 0;
    while (at < text.size()) {
        char const c = text[at];
        auto const byte = static_cast<unsigned char>(c);
        std::size_t const size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        if (c >= 'a' && c <= 'z') {
            shape += small_letter;
        } else if (c >= 'A' && c <= 'Z') {
            shape += capital;
        } else if (is_digit(c)) {
            shape += digit;
        } else if (size == 1) {
            bool const alone =
                (at == 0 || !may_stay(text[at - 1])) && (at + 1 == text.size() || !may_stay(text[at + 1]));
            shape += may_stay(c) && alone ? c : other_ascii;
        } else if (text.substr(at, size) == "\xef\xbf\xbd") {
            shape += repaired;
        } else {
            shape += size == 2 ? two_bytes : size == 3 ? three_bytes : four_bytes;
        }
        at += size;
    }
    return shape;
}

std::string shape_of_number(std::string_view text)
{
    std::string shape;
    bool leading = true;
    bool in_exponent = false;
    for (char const c : text) {
        if (!is_digit(c)) {
            shape += c;
            in_exponent = in_exponent || c == 'e' || c == 'E';
            continue;
        }
        // A larger exponent could make it a number that nobody can read.
        shape += in_exponent ? '0' : !leading ? digit : c == '0' ? '0' : first_digit;
        leading = false;
    }
    return shape;
}

/// The n-th of all the texts of that shape.
std::string text_of(std::string const& shape, std::uint64_t n)
{
    std::string backwards;
    for (auto mark = shape.rbegin(); mark != shape.rend(); ++mark) {
        unsigned const size = alphabet_of(*mark).size;
        std::string one = character(*mark, static_cast<unsigned>(n % size));
        n /= size;
        backwards.append(one.rbegin(), one.rend());
    }
    return {backwards.rbegin(), backwards.rend()};
}

} // namespace

bool is_number(std::string_view text) noexcept
{
    auto const digits = [&text] {
        std::size_t count = 0;
        while (count < text.size() && is_digit(text[count]))
            ++count;
        text.remove_prefix(count);
        return count;
    };
    auto const take = [&text](std::string_view any_of) {
        bool const there = !text.empty() && any_of.find(text.front()) != std::string_view::npos;
        text.remove_prefix(there ? 1 : 0);
        return there;
    };
    take("-");
    bool const zero = text.starts_with('0');
    std::size_t const whole = digits();
    if (whole == 0 || (zero && whole != 1))
        return false;
    if (take(".") && digits() == 0)
        return false;
    if (take("eE")) {
        take("+-");
        if (digits() == 0)
            return false;
    }
    return text.empty();
}

std::string pseudonyms::of(std::string_view value)
{
    if (is_number(value))
        return of_number(value);
    if (is_uuid(value))
        return numbered(value, "00000000-0000-4000-8000-" + std::string(12, hex_digit));
    return numbered(value, shape_of(value));
}

std::string pseudonyms::of_number(std::string_view value)
{
    return numbered(value, shape_of_number(value));
}

std::string pseudonyms::numbered(std::string_view value, std::string const& shape)
{
    std::string const key(value);
    if (std::optional<std::string> const known = known_.find(key))
        return *known;
    std::uint64_t count = counted_.find(shape).value_or(0);
    std::string made = text_of(shape, count++);
    // Twice, as a shape may have no more than two texts; or but one, which says nothing.
    for (int tries = 0; made == value && tries != 2; ++tries)
        made = text_of(shape, count++);
    counted_.put(shape, count);
    known_.put(key, made);
    return made;
}

} // namespace plex::command
