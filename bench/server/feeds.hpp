#pragma once

#include "channel.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace plex::bench {

/// Writes that scene's feed until the peer goes. It has a thread of its own.
void write_websocket(channel peer, std::string_view scene);
void write_event_stream(channel peer);

/// The beginning of the feed of lasting lives, and 8 updates of it.
std::string lasting_starts();
std::string eight_updates(std::size_t first_life);

} // namespace plex::bench
