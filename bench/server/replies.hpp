#pragma once

#include "request.hpp"

#include <string>
#include <string_view>

namespace plex::bench {

/// The reply to a call; 404 for what is none.
std::string_view reply_to(request const&);

std::string switching_protocols(std::string_view websocket_key);
/// The head of an event stream in chunks.
std::string_view event_stream_head();

} // namespace plex::bench
