#pragma once

namespace plex::bench {

/// On how many loopback addresses the server listens, 127.0.0.1 and so on: between two addresses Linux has 14,000 ports
/// that it finds at once, and each connection keeps one for a minute.
inline constexpr unsigned server_addresses = 8;

} // namespace plex::bench
