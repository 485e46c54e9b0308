#include "protocol/websocket_handshake.hpp"

#include <boost/uuid/detail/sha1.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace plex::protocol {
namespace {

std::string base64(std::span<std::uint8_t const> bytes)
{
    static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        auto const count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j != 3; ++j)
            group = group << 8 | (j < count ? bytes[i + j] : 0u);
        for (std::size_t j = 0; j != 4; ++j)
            text.push_back(j <= count ? digits[group >> (18 - 6 * j) & 63] : '=');
    }
    return text;
}

std::array<std::uint8_t, 20> sha1(std::string_view text)
{
    boost::uuids::detail::sha1 hash;
    hash.process_bytes(text.data(), text.size());
    boost::uuids::detail::sha1::digest_type digest;
    hash.get_digest(digest);
    // Five words, or from Boost 1.86 on twenty bytes.
    constexpr std::size_t width = sizeof digest[0];
    std::array<std::uint8_t, 20> bytes{};
    for (std::size_t i = 0; i != bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(digest[i / width] >> (8 * (width - 1 - i % width)));
    return bytes;
}

} // namespace

std::string make_key(std::span<std::uint8_t const, 16> random)
{
    return base64(random);
}

std::string accept_for(std::string_view key)
{
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // the same for everyone: RFC 6455, 1.3
    return base64(sha1(text));
}

} // namespace plex::protocol
