#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// What the two sides of a WebSocket upgrade prove to each other (RFC 6455, 4.1 and 4.2.2), without I/O.
namespace plex::protocol {

// The value of Sec-WebSocket-Key, from 16 fresh random bytes.
std::string make_key(std::span<std::uint8_t const, 16> random);

// The value of Sec-WebSocket-Accept that a server must reply to that key.
std::string accept_for(std::string_view key);

} // namespace plex::protocol
