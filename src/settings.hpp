#pragma once

#include <plex/config.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace plex::detail {

/// Whether all of its times and sizes can be used.
/// @throws error `invalid_argument` that names the first which cannot
void check(config const&);

/// What lasts of a `config`. The rest (who we are, whom to dial, the token) is taken in when a client is made:
/// thousands of clients in one process hold it once each, not twice.
struct settings {
    explicit settings(config const& c)
        : logger(c.logger), websocket_path(c.websocket_path), feed_filters(c.feed_filters),
          connect_timeout(c.connect_timeout), request_timeout(c.request_timeout), ping_after(c.ping_after),
          idle_limit(c.idle_limit), upward_every(c.upward_every), appear_timeout(c.appear_timeout),
          max_message(c.max_message), max_body(c.max_body), max_header(c.max_header), max_depth(c.max_depth),
          conflate_after(c.conflate_after), mailbox_bytes(c.mailbox_bytes), ledger_bytes(c.ledger_bytes),
          transport(c.transport)
    {
        check(c);
    }

    plex::logger logger;
    std::string websocket_path;
    std::string feed_filters;
    std::chrono::milliseconds connect_timeout;
    std::chrono::milliseconds request_timeout;
    std::chrono::milliseconds ping_after;
    std::chrono::milliseconds idle_limit;
    std::chrono::milliseconds upward_every;
    std::chrono::milliseconds appear_timeout;
    std::size_t max_message;
    std::size_t max_body;
    std::size_t max_header;
    unsigned max_depth;
    std::size_t conflate_after;
    std::size_t mailbox_bytes;
    std::size_t ledger_bytes;
    plex::transport transport;
};

} // namespace plex::detail
