#pragma once

/// @file
/// The ways in which a server's activities reach us.

#include <plex/abi.hpp>

#include <cstdint>
#include <string_view>

namespace plex {

/// How the live feed reaches us. `automatic` leaves the choice to the library: the first of the others, in this order,
/// that the server and what stands before it let through (docs/protocol.md 1.3).
enum class transport : std::uint8_t {
    automatic,   ///< the first that works
    websocket,   ///< `/:/websockets/notifications`
    eventsource, ///< `/:/eventsource/notifications`
    polling,     ///< `GET /activities` every few seconds: shows states, not events
};

/// "automatic", "websocket", "eventsource" or "polling".
PLEX_API std::string_view to_string(transport) noexcept;

} // namespace plex
