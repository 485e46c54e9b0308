#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

// What may be shown on a terminal or be a line of a log, judged without the library's own idea of it.
namespace plex::test {

/// Why that is no such text; empty where it is.
inline std::string unsafe_part(std::string_view text)
{
    auto const byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    for (std::size_t at = 0; at < text.size();) {
        std::size_t const size = byte(at) < 0x80 ? 1 : byte(at) < 0xe0 ? 2 : byte(at) < 0xf0 ? 3 : 4;
        std::uint32_t c = size == 1 ? byte(at) : byte(at) & (0xffu >> (size + 1));
        bool whole = at + size <= text.size() && (byte(at) < 0x80 || byte(at) >= 0xc2) && byte(at) < 0xf5;
        for (std::size_t i = 1; whole && i < size; ++i) {
            whole = (byte(at + i) & 0xc0) == 0x80;
            c = c << 6 | (byte(at + i) & 0x3fu);
        }
        constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (!whole || c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
            return "no UTF-8 at " + std::to_string(at);
        bool const control = c < 0x20 || (c >= 0x7f && c < 0xa0);
        bool const line = c == 0x2028 || c == 0x2029;
        bool const direction =
            c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
        if (control || line || direction)
            return "code point " + std::to_string(c) + " at " + std::to_string(at);
        at += size;
    }
    return {};
}

/// Random text of the kind that somebody would send who wants to command a terminal or forge a line.
class hostile_texts
{
public:
    explicit hostile_texts(std::uint32_t seed) : random_(seed) {}

    int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
    std::string next()
    {
        static std::vector<std::string> const phrases = {
            "\x1b[2J",
            "\x1b]0;owned\x07",
            "\x1b[1A\x1b[2K",
            "\r\n2026-01-01 [error] forged\n",
            std::string("\xc2\x9b") + "31m",
            std::string("\x9b") + "5A",
            "\xe2\x80\xae",
            "\xe2\x81\xa6",
            "\xe2\x80\xa8",
            "\xe2\x80\x8f",
            "\x08\x08\x08",
            "\x1bP1;2q\x1b\\",
            "\x0e",
            "\x7f",
            "\x1b(0",
            "\xef\xbb\xbf",
            "\xd8\x9c",
            "\xf0\x9f\x91\xa9",
            "\xed\xa0\x80",
            "\xc0\x9b",
            "\t",
            "%1$s%n",
            "\",\"x\":\"",
            "</title>",
        };
        std::string out;
        for (int count = below(8); count >= 0; --count) {
            int const kind = below(4);
            if (kind == 0)
                out += static_cast<char>(below(256));
            else if (kind == 1)
                out += phrases[static_cast<std::size_t>(below(static_cast<int>(phrases.size())))];
            else
                out += static_cast<char>('a' + below(26));
        }
        return out;
    }

private:
    std::mt19937 random_;
};

} // namespace plex::test
