#include "protocol/base64.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace plex::protocol {

std::string base64(std::string_view bytes)
{
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        auto const count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j != 3; ++j)
            group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
        for (std::size_t j = 0; j != 4; ++j)
            text.push_back(j <= count ? digits[group >> (18 - 6 * j) & 63] : '=');
    }
    return text;
}

} // namespace plex::protocol
