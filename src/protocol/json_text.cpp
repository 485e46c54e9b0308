#include "protocol/json_text.hpp"

#include <algorithm>
#include <cstddef>

namespace plex::protocol {
namespace {

bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// The code unit of four hex digits at `at`; nothing where there are none.
std::optional<char32_t> code_unit(std::string_view text, std::size_t at)
{
    if (text.size() < at + 4)
        return std::nullopt;
    char32_t unit = 0;
    for (std::size_t i = at; i != at + 4; ++i) {
        int const digit = hex_value(text[i]);
        if (digit < 0)
            return std::nullopt;
        unit = unit << 4 | static_cast<char32_t>(digit);
    }
    return unit;
}

bool is_high_surrogate(char32_t unit)
{
    return unit >= 0xd800 && unit < 0xdc00;
}

bool is_low_surrogate(char32_t unit)
{
    return unit >= 0xdc00 && unit < 0xe000;
}

// The low half of a pair, escaped at `at`.
std::optional<char32_t> low_surrogate(std::string_view text, std::size_t at)
{
    if (!text.substr(at).starts_with("\\u"))
        return std::nullopt;
    auto const unit = code_unit(text, at + 2);
    return unit && is_low_surrogate(*unit) ? unit : std::nullopt;
}

void append_code_point(std::string& out, char32_t c)
{
    auto const put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xc0 | c >> 6);
        put(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        put(0xe0 | c >> 12);
        put(0x80 | (c >> 6 & 0x3f));
        put(0x80 | (c & 0x3f));
    } else {
        put(0xf0 | c >> 18);
        put(0x80 | (c >> 12 & 0x3f));
        put(0x80 | (c >> 6 & 0x3f));
        put(0x80 | (c & 0x3f));
    }
}

// Walks over one JSON object's members. It finds where values end and no more: what it is given has been through a
// parser, and what has not makes it stop short, never read past the end.
class scanner
{
public:
    explicit scanner(std::string_view text) : rest_(text) { skip_space(); }

    bool take(char c)
    {
        if (!rest_.starts_with(c))
            return false;
        rest_.remove_prefix(1);
        skip_space();
        return true;
    }

    // A value's text, a string's with its quotes; empty where there is none.
    std::string_view take_value()
    {
        std::size_t at = 0;
        std::size_t depth = 0;
        while (at < rest_.size()) {
            char const c = rest_[at];
            if (c == '"') {
                at = string_end(at);
            } else if (c == '{' || c == '[') {
                ++depth;
                ++at;
                continue;
            } else if (c == '}' || c == ']') {
                if (depth == 0)
                    break; // the end of what the value is in
                --depth;
                ++at;
            } else if (depth == 0 && !is_space(c) && c != ',' && c != ':') {
                at = literal_end(at);
            } else if (depth == 0) {
                break;
            } else {
                ++at;
                continue;
            }
            if (depth == 0)
                break;
        }
        if (at > rest_.size() || depth != 0)
            at = 0; // cut short
        auto const value = rest_.substr(0, at);
        rest_.remove_prefix(at);
        skip_space();
        return value;
    }

    bool at_end() const { return rest_.empty(); }

private:
    void skip_space()
    {
        while (!rest_.empty() && is_space(rest_.front()))
            rest_.remove_prefix(1);
    }

    // Past the end where the closing quote is missing.
    std::size_t string_end(std::size_t at) const
    {
        for (++at; at < rest_.size(); ++at) {
            if (rest_[at] == '"')
                return at + 1;
            if (rest_[at] == '\\')
                ++at;
        }
        return rest_.size() + 1;
    }

    std::size_t literal_end(std::size_t at) const
    {
        while (at < rest_.size() && !is_space(rest_[at]) && std::string_view(",:]}[{\"").find(rest_[at]) == rest_.npos)
            ++at;
        return at;
    }

    std::string_view rest_;
};

bool is_string(std::string_view value)
{
    return value.size() >= 2 && value.front() == '"';
}

std::string_view content(std::string_view quoted)
{
    return quoted.substr(1, quoted.size() - 2);
}

std::optional<std::string> unescaped(std::string_view text)
{
    std::string out;
    std::size_t repaired = 0;
    if (!unescape(text, out, repaired))
        return std::nullopt;
    return out;
}

bool names(std::string_view quoted, std::string_view key)
{
    auto const text = content(quoted);
    return text.find('\\') == text.npos ? text == key : unescaped(text) == key;
}

} // namespace

std::optional<std::string> member_text(std::string_view object, std::string_view key)
{
    scanner in(object);
    if (!in.take('{'))
        return std::nullopt;
    std::string_view found;
    if (!in.take('}')) {
        do {
            auto const name = in.take_value();
            if (!is_string(name) || !in.take(':'))
                return std::nullopt;
            auto const value = in.take_value();
            if (value.empty())
                return std::nullopt;
            if (names(name, key))
                found = value;
        } while (in.take(','));
        if (!in.take('}'))
            return std::nullopt;
    }
    if (!in.at_end() || found.empty() || found == "null")
        return std::nullopt;
    if (is_string(found))
        return unescaped(content(found));
    return std::string(found);
}

bool unescape(std::string_view text, std::string& out, std::size_t& repaired)
{
    for (std::size_t at = 0;; ++at) {
        std::size_t const escape = std::min(text.find('\\', at), text.size());
        out.append(text.substr(at, escape - at));
        if (escape == text.size())
            return true;
        at = escape + 1;
        if (at == text.size())
            return false;
        switch (text[at]) {
        case '"':
        case '\\':
        case '/':
            out.push_back(text[at]);
            break;
        case 'b':
            out.push_back('\b');
            break;
        case 'f':
            out.push_back('\f');
            break;
        case 'n':
            out.push_back('\n');
            break;
        case 'r':
            out.push_back('\r');
            break;
        case 't':
            out.push_back('\t');
            break;
        case 'u': {
            auto unit = code_unit(text, at + 1);
            if (!unit)
                return false;
            at += 4;
            if (is_high_surrogate(*unit)) {
                auto const low = low_surrogate(text, at + 1);
                if (low) {
                    unit = 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00);
                    at += 6;
                }
            }
            if (is_high_surrogate(*unit) || is_low_surrogate(*unit)) {
                unit = 0xfffd;
                ++repaired;
            }
            append_code_point(out, *unit);
            break;
        }
        default:
            return false;
        }
    }
}

void append_json_string(std::string& out, std::string_view text)
{
    static constexpr char digits[] = "0123456789abcdef";
    out.push_back('"');
    for (char const c : text) {
        switch (c) {
        case '"':
        case '\\':
            out.push_back('\\');
            out.push_back(c);
            break;
        case '\b':
            out += "\\b";
            break;
        case '\f':
            out += "\\f";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                out += "\\u00";
                out.push_back(digits[c >> 4]);
                out.push_back(digits[c & 15]);
            } else {
                out.push_back(c);
            }
        }
    }
    out.push_back('"');
}

void append_json_name(std::string& out, std::string_view name)
{
    out += out.ends_with('{') ? "\"" : ",\"";
    out += name;
    out += "\":";
}

void append_json_member(std::string& out, std::string_view name, std::string_view text)
{
    append_json_name(out, name);
    append_json_string(out, text);
}

} // namespace plex::protocol
