#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace plex::bench {

/// A server's frame before a payload of that size (RFC 6455, 5.2).
std::string frame_header(char opcode, std::size_t size);
/// A notification as a text frame.
std::string as_frame(std::string const& notification);
/// The same notification as an event of the event stream (protocol.md 2.13), in a chunk of its own.
std::string as_event(std::string const& notification);

} // namespace plex::bench
