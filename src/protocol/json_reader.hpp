#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace plex::protocol {

enum class json_fault : std::uint8_t { none, truncated, too_deep, malformed };

// Against a literal. Names are compared for each member of each message: with the size known to the compiler this is a
// few instructions, where `==` of string_view calls two functions.
template <std::size_t N>
bool is(std::string_view text, char const (&literal)[N])
{
    return text.size() == N - 1 && std::memcmp(text.data(), literal, N - 1) == 0;
}

// The parts of which one JSON text (RFC 8259) is read. A cursor is passed by value and returned, so that it stays in
// registers, and null once there is a fault. The text ends with a NUL that is none of it, which no part takes for its
// own: so nothing asks whether it is at the end. From the NUL on `slack` bytes must be readable.
class json_reader
{
public:
    static constexpr unsigned usual_depth = 32;
    static constexpr unsigned most_depth = 64; // a bit for each open container (`read_value`)
    static constexpr std::size_t slack = 16;   // that must be readable from the NUL on

    // A string, and where to go on.
    struct piece {
        char* next;
        std::string_view text;
    };

    // `end` is the NUL's place. @param is_brace whether it stands in the place of the text's last brace
    // @param max_depth of open containers, at most `most_depth`
    void start(char* end, bool is_brace, unsigned max_depth = usual_depth)
    {
        end_ = end;
        max_depth_ = max_depth;
        *end = '\0';
        is_brace_ = is_brace;
        fault_ = json_fault::none;
        repaired_ = 0;
    }

    // A whole text, for which a handler is called: `begin_object`, `end_object`, `begin_array`, `end_array`, `key`,
    // `string`, `number`, `boolean`, `null`.
    template <class Handler>
    json_fault read(std::string_view text, Handler& handler);

    json_fault fault() const { return fault_; }
    bool failed() const { return fault_ != json_fault::none; }
    // Halves of surrogate pairs so far, which become U+FFFD.
    std::size_t repaired() const { return repaired_; }
    // After reading something a second time.
    void restore_repaired(std::size_t count) { repaired_ = count; }

    bool is_at_end(char const* at) const { return at == end_; }
    bool ends_with_brace() const { return is_brace_; }

    // Since `restart_regular`, no white space and no escapes were met.
    bool is_regular() const { return is_regular_; }
    void restart_regular() { is_regular_ = true; }

    [[gnu::always_inline]] char* skip_space(char* at)
    {
        return static_cast<unsigned char>(*at) <= ' ' ? skip_more_space(at) : at;
    }

    // From the quote to behind the colon and the space there.
    [[gnu::always_inline]] piece read_name(char* at)
    {
        if (*at != '"')
            return {fail(at), {}};
        piece name = read_string(at + 1);
        if (!name.next)
            return name;
        name.next = skip_space(name.next);
        name.next = *name.next == ':' ? skip_space(name.next + 1) : fail(name.next);
        return name;
    }

    // From behind the opening quote to behind the closing one. What has escapes stands until the next that has.
    [[gnu::always_inline]] piece read_string(char* at)
    {
        char* const end = find_special(at);
        if (*end == '"') [[likely]]
            return {end + 1, std::string_view(at, static_cast<std::size_t>(end - at))};
        return read_escaped(at, end);
    }

    // Escapes are undone where they are.
    [[gnu::always_inline]] char* read_string_in_place(char* at, std::string_view& to)
    {
        char* const end = find_special(at);
        if (*end != '"') [[unlikely]]
            return unescape_in_place(at, end, to);
        to = std::string_view(at, static_cast<std::size_t>(end - at));
        return end + 1;
    }

    // Members, from behind the opening brace to where something else stands, which should be the closing one.
    // @param member called with where its name begins; gives where its value ends
    template <class Member>
    [[gnu::always_inline]] char* read_members(char* at, Member member)
    {
        if (*at != '"' && *(at = skip_space(at)) != '"')
            return at;
        while (true) {
            at = member(at);
            if (!at)
                return nullptr;
            if (std::memcmp(at, ",\"", 2) == 0) {
                ++at;
                continue;
            }
            at = skip_space(at);
            if (*at != ',')
                return at;
            at = skip_space(at + 1);
        }
    }

    // Whether a member has that name, as it stands with its quotes and colon. Where the first 16 bytes do, the text
    // goes on as far. @param value behind it where it was null
    template <std::size_t N>
    [[gnu::always_inline]] static bool names(char const* at, char const (&name)[N], char*& value)
    {
        constexpr std::size_t first = std::min<std::size_t>(N - 1, slack);
        if (std::memcmp(at, name, first) != 0 || std::memcmp(at + first, name + first, N - 1 - first) != 0)
            return false;
        if (!value)
            value = const_cast<char*>(at) + (N - 1);
        return true;
    }

    // A member whose name is unknown or stands with escapes or white space, or that could not be read at once.
    // @param read is called with the name as it stands, and as it stands when it is known, and with the value
    template <class Read>
    [[gnu::noinline]] char* read_respelled(char* name, Read read)
    {
        if (failed())
            return nullptr;
        std::array<char, 32> spelled{}; // more than the longest, with its quotes and colon
        restart_regular();
        auto const [value, text] = read_name(name);
        if (!value)
            return nullptr;
        if (text.size() + 3 < spelled.size() && text.find('"') == text.npos) {
            char* const end = std::copy(text.begin(), text.end(), spelled.data() + 1);
            spelled[0] = end[0] = '"';
            end[1] = ':';
        }
        return read(name, spelled.data(), value);
    }

    // Behind an object's brace.
    [[gnu::always_inline]] char* close_object(char* at)
    {
        if (!at)
            return at;
        return *at == '}' ? at + 1 : fail_unclosed(at);
    }

    // A value, for which the handler is called. @param depth of open containers around it
    template <class Handler>
    char* read_value(char* at, unsigned depth, Handler& handler);

    char* skip(char* at, unsigned depth);

    // A whole number of at most nine digits with a comma or brace behind it; null, and no fault, where it is none.
    [[gnu::always_inline]] static char* read_small(char* at, int& value)
    {
        bool const negative = *at == '-';
        char* const first = at + (negative ? 1 : 0);
        char* end = first;
        unsigned sum = 0;
        for (unsigned digit; (digit = static_cast<unsigned>(*end) - '0') <= 9; ++end)
            sum = sum * 10 + digit;
        if (*end != ',' && *end != '}')
            return nullptr;
        if (end == first || end - first > 9 || (*first == '0' && end - first != 1))
            return nullptr;
        value = negative ? -static_cast<int>(sum) : static_cast<int>(sum);
        return end;
    }

    // What should not stand at `at`, or is missing where the text ends.
    char* fail(char const* at);
    // The same where a closing brace, or the end of a string, is missing.
    char* fail_unclosed(char const* at);

private:
    template <std::size_t N>
    [[gnu::always_inline]] char* skip_literal(char* at, char const (&literal)[N])
    {
        return std::memcmp(at, literal, N - 1) == 0 ? at + (N - 1) : fail_literal(at, literal);
    }

    // The first quote, backslash or control character at `at` or behind it.
    [[gnu::always_inline]] static char* find_special(char* at)
    {
#if defined(__SSE2__)
        for (;; at += 16) {
            __m128i const bytes = _mm_loadu_si128(reinterpret_cast<__m128i const*>(at));
            // But for that bit a quote is the one above the control characters.
            __m128i const beyond = _mm_subs_epu8(_mm_xor_si128(bytes, _mm_set1_epi8(2)), _mm_set1_epi8(0x20));
            __m128i const found =
                _mm_or_si128(_mm_cmpeq_epi8(beyond, _mm_setzero_si128()), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
            if (auto const mask = static_cast<unsigned>(_mm_movemask_epi8(found)))
                return at + std::countr_zero(mask);
        }
#else
        while (*at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20)
            ++at;
        return at;
#endif
    }

    // A string that begins at `start` and has a backslash, or what is none, at `at`.
    piece read_escaped(char* start, char* at);
    char* unescape_in_place(char* start, char* at, std::string_view& to);
    char* skip_more_space(char* at);
    char* skip_digits(char* at);
    char* skip_number(char* at);
    char* fail_literal(char const* at, char const* literal);
    char* fail_too_deep();

    char const* end_ = nullptr;
    std::size_t repaired_ = 0;
    json_fault fault_ = json_fault::none;
    unsigned max_depth_ = usual_depth;
    bool is_brace_ = false;
    bool is_regular_ = true;
    std::string unescaped_;
};

template <class Handler>
char* json_reader::read_value(char* at, unsigned depth, Handler& handler)
{
    std::uint64_t objects = 0; // a bit for each open container, the innermost lowest: whether it is an object
    unsigned const outer = depth;
    auto const read_key = [&](char* where) {
        piece const name = read_name(where);
        if (name.next)
            handler.key(name.text, name.text.data() == where + 1);
        return name.next;
    };
    while (true) {
        char* const start = at;
        switch (*at) {
        case '{':
        case '[': {
            if (depth == max_depth_)
                return fail_too_deep();
            ++depth;
            bool const is_object = *at == '{';
            objects = objects << 1 | (is_object ? 1u : 0u);
            if (is_object)
                handler.begin_object();
            else
                handler.begin_array();
            at = skip_space(at + 1);
            if (*at != (is_object ? '}' : ']') && *at != '\0') {
                if (is_object && !(at = read_key(at)))
                    return nullptr;
                continue;
            }
            break;
        }
        case '"': {
            piece const string = read_string(at + 1);
            if (!string.next)
                return nullptr;
            at = string.next;
            handler.string(string.text, string.text.data() == start + 1);
            break;
        }
        case 't':
            if (!(at = skip_literal(at, "true")))
                return nullptr;
            handler.boolean(true);
            break;
        case 'f':
            if (!(at = skip_literal(at, "false")))
                return nullptr;
            handler.boolean(false);
            break;
        case 'n':
            if (!(at = skip_literal(at, "null")))
                return nullptr;
            handler.null();
            break;
        default:
            if (!(at = skip_number(at)))
                return nullptr;
            handler.number(std::string_view(start, static_cast<std::size_t>(at - start)));
        }
        // Behind a value, or before the end of an empty container.
        while (true) {
            if (depth == outer)
                return at;
            at = skip_space(at);
            bool const in_object = (objects & 1) != 0;
            if (*at == ',') {
                at = skip_space(at + 1);
                if (in_object && !(at = read_key(at)))
                    return nullptr;
                break;
            }
            if (*at != (in_object ? '}' : ']'))
                return in_object ? fail_unclosed(at) : fail(at);
            ++at;
            objects >>= 1;
            --depth;
            if (in_object)
                handler.end_object();
            else
                handler.end_array();
        }
    }
}

template <class Handler>
json_fault json_reader::read(std::string_view text, Handler& handler)
{
    std::string copy(text);
    copy.append(slack, '\0');
    start(copy.data() + text.size(), false);
    char* at = read_value(skip_space(copy.data()), 0, handler);
    if (at && !is_at_end(at = skip_space(at)))
        fail(at);
    return fault_;
}

} // namespace plex::protocol
