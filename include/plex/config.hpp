#pragma once

/// @file
/// Everything that can be set about a client.

#include <plex/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace plex {

/// How much is logged; each level has those before it.
enum class log_level : std::uint8_t { off, error, warning, info, debug };

/// Where log lines go. Nothing is formatted below `level`. Edges (connected, lost, gave up) are at info, details at
/// debug; titles appear at debug alone, the token nowhere. The function is called on the client's executor and must not
/// throw.
struct logger {
    /// The most verbose level that is written.
    log_level level = log_level::off;
    /// Gets a line without a line break, valid during the call.
    std::function<void(log_level, std::string_view)> write;
};

/// Gives the token; asked again once when the server refuses it, by one caller at a time. Runs on the client's
/// executor, until it answers: each caller waits for it as long as its request may take, those that come later for the
/// same answer, and only the client's end cancels it. What it throws reaches those who wait for the token, through
/// `async.hpp` as `unauthorized` with its text.
using token_source = std::function<boost::asio::awaitable<std::string>()>;

/// For `https`, calls and feed alike. TLS 1.2 at least; the certificate must be valid, for the URL's host, and of an
/// authority that is trusted.
struct tls_config {
    /// A PEM file of certificates to trust instead of the system's.
    std::string ca_file;
    /// The same, and in addition to those of `ca_file`, as PEM text.
    std::string ca_pem;
    /// Our own certificate with its chain, for a server or reverse proxy that asks for one, and its key, without a
    /// passphrase: PEM files. The key may be in the first file; `key_file` is empty then.
    std::string certificate_file;
    /// The key of `certificate_file`, where that file has none.
    std::string key_file;
    /// No verification at all. The token then goes to whoever answers.
    bool insecure = false;
};

/// Who we say we are; sent with everything as `X-Plex-…` (docs/protocol.md 1.7).
struct identity {
    /// Stable for one installation; random for the process when empty. The server's specification requires it.
    std::string client_identifier;
    /// The program that embeds this library.
    std::string product = "plex-activities";
    /// Its version; not sent when empty.
    std::string version;
    /// The machine it runs on; not sent when empty.
    std::string device_name;
};

/// What a client is made with; copied by it. Only `url` has no usable default. What cannot be used is refused by the
/// constructor of `client`: `invalid_argument`, with the member's name.
struct config {
    /// `http://host:port` or `https://host:port`, with a reverse proxy's base path where there is one. No user info,
    /// query or fragment; a host that ends in a number has to be an IPv4 address. For a Plex certificate the host is
    /// the `plex.direct` name (docs/protocol.md 5).
    std::string url;
    /// The `X-Plex-Token` (docs/protocol.md 1.7); may be empty where the server admits everybody. Bytes that no header
    /// may have are refused.
    std::string token;
    /// Takes the place of `token` where it is set.
    token_source token_function;

    /// Who we say we are.
    plex::identity identity;
    /// Whom we trust; for `https` alone.
    tls_config tls;

    /// Where to connect to, for calls and feed alike, instead of what the URL's host resolves to; at most one of the
    /// three. The URL still says what TLS verifies.
    /// @{
    /// A literal address, and perhaps a port instead of the URL's: `192.168.1.2`, `192.168.1.2:32400`, `[::1]:32400`.
    /// No name is resolved then: for `plex.direct` names, whose answers many routers drop.
    std::string address;
    /// The path of a Unix socket.
    std::string unix_socket;
    /// An HTTP proxy that is asked for a tunnel (CONNECT): `http://[user:password@]host:port`. It resolves the URL's
    /// host. User and password are kept like the token, and what is special in them is percent-encoded.
    std::string proxy;
    /// @}

    /// Where log lines go; nowhere by default.
    plex::logger logger;

    /// Set when the executor that the client is given runs no two handlers at a time (a strand, or an `io_context` run
    /// by one thread): no strand is made then.
    bool executor_is_strand = false;

    /// Fixes the transport of the feed, or leaves the choice to the library.
    plex::transport transport = plex::transport::automatic;
    /// The feed's path below the base URL (docs/protocol.md 1.3).
    std::string websocket_path = "/:/websockets/notifications";
    /// The value of the feed's `filters` parameter: which notifications the server sends (docs/protocol.md 1.3).
    std::string feed_filters = "activity";

    /// Times are 1 ms to 100 years; 0 is a time for `idle_connection` (nothing is kept) and `appear_timeout`.
    /// @{
    std::chrono::milliseconds connect_timeout{10'000}; ///< resolve, connect and TLS handshake together
    std::chrono::milliseconds request_timeout{30'000}; ///< a whole request, waiting for a connection included
    std::chrono::milliseconds idle_connection{30'000}; ///< a kept connection is closed after this
    std::chrono::milliseconds ping_after{15'000};      ///< a WebSocket quiet for so long is pinged
    std::chrono::milliseconds idle_limit{45'000};      ///< no sign of the server for so long: the connection is dead
    std::chrono::milliseconds upward_every{600'000};   ///< the transports above the one in use are tried so often
    std::chrono::milliseconds appear_timeout{15'000};  ///< an operation's activity must appear so long after the reply
    /// @}

    /// Sizes are 1 or more; `max_waiting` may be 0, where no call is to wait.
    /// @{
    std::size_t max_connections = 8;    ///< for calls, one at a time each; the feed has a connection of its own
    std::size_t max_waiting = 1'024;    ///< calls that wait for one of these; a further one is `limit_exceeded`
    std::size_t max_body = 8u << 20;    ///< bytes of a reply's body
    std::size_t max_message = 1u << 20; ///< bytes of one message of the feed
    std::size_t max_header = 64u << 10; ///< bytes of a reply's header block
    /// Levels of JSON, 6 to 64: a list nested deeper is `malformed_reply`, a message of the feed is skipped and
    /// counted.
    unsigned max_depth = 32;

    std::size_t conflate_after = 1'024;   ///< pending events of a subscriber from which on updates are conflated
    std::size_t mailbox_bytes = 4u << 20; ///< pending bytes of a subscriber; conflated from half of it
    std::size_t ledger_bytes = 8u << 20;  ///< what is remembered of running activities
    /// @}
};

} // namespace plex
