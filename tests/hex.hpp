#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plex::test {

/// What tests and the programs in other languages that they ask tell each other byte by byte: two digits each.
inline std::string to_hex(std::string_view bytes)
{
    std::string digits;
    for (char const c : bytes) {
        digits += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        digits += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    }
    return digits;
}

inline std::string from_hex(std::string_view digits)
{
    std::string bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
        bytes += static_cast<char>(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16));
    return bytes;
}

} // namespace plex::test
