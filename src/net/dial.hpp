#pragma once

#include "net/byte_stream.hpp"
#include "net/tls_peer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plex::net {

/// Whom to dial, and how to reach the server from there.
struct endpoint_settings {
    std::string host; ///< name or literal address, without brackets: the server's, or its proxy's
    std::uint16_t port = 0;
    std::string unix_socket;            ///< its path; takes the place of host and port unless empty
    std::string tunnel;                 ///< what asks an HTTP proxy for a tunnel, sent first; empty for none
    std::size_t max_header = 64u << 10; ///< bytes of the proxy's answer to that
    std::shared_ptr<tls_peer> tls;      ///< null: plain TCP
};

enum class dial_step : unsigned char {
    resolving,
    connecting,
    resolving_proxy,
    connecting_to_proxy,
    asking_proxy,
    tls_handshake
};

/// "resolving the host name", …
char const* to_string(dial_step) noexcept;

struct dial_result {
    std::unique_ptr<byte_stream> stream; ///< null on failure; its deadline is still the dial's
    error_code ec; ///< `timed_out` at the deadline; `operation_aborted` when cancelled or stopped; of `proxy_category`
    dial_step step = dial_step::resolving; ///< the last one reached
};

/// Of errors whose value is the HTTP status by which a proxy has refused a tunnel.
boost::system::error_category const& proxy_category() noexcept;

/// Resolves, connects and shakes hands, until `deadline`. Name resolution cannot be cancelled: whoever waits leaves at
/// once and its result is dropped.
asio::awaitable<dial_result> dial(scope&, endpoint_settings const&, steady_time deadline);

using endpoints = std::vector<asio::ip::tcp::endpoint>;

/// IPv6 and IPv4 in turn, beginning with the family of the first; the order within a family stays (RFC 8305, 4).
endpoints interleaved(endpoints const&);

struct connected {
    std::optional<asio::ip::tcp::socket> socket; ///< empty on failure
    error_code ec;                               ///< as of `dial`; where all have failed the last one's reason
};
/// Tries the addresses in this order: each attempt has 250 ms, or until it fails, before the next one starts beside it;
/// the first that connects wins (RFC 8305, 5).
asio::awaitable<connected> connect_any(scope&, endpoints, steady_time deadline);

} // namespace plex::net
