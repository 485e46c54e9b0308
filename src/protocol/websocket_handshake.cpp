#include "protocol/websocket_handshake.hpp"

#include "protocol/base64.hpp"

#include <boost/uuid/detail/sha1.hpp>

#include <array>
#include <cstddef>

namespace plex::protocol {
namespace {

std::string base64_of(std::span<std::uint8_t const> bytes)
{
    return base64({reinterpret_cast<char const*>(bytes.data()), bytes.size()});
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
    return base64_of(random);
}

std::string accept_for(std::string_view key)
{
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // the same for everyone: RFC 6455, 1.3
    return base64_of(sha1(text));
}

} // namespace plex::protocol
