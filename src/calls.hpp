#pragma once

#include "failure.hpp"
#include "net/connection_pool.hpp"
#include "net/exchange.hpp"
#include "protocol/decoder.hpp"
#include "protocol/request_target.hpp"
#include "protocol/server_reply.hpp"
#include "token.hpp"
#include "wire_tap.hpp"

#include <plex/config.hpp>
#include <plex/request.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace plex::detail {

/// An open feed: its connection, and what was read past the reply.
struct opened_feed {
    std::unique_ptr<net::byte_stream> stream;
    std::unique_ptr<net::reply_stream> events; ///< of an event stream
    std::string beyond;
};

/// Requests to the server: who we are, the token, a connection, the reply, and what its status means. Failures are
/// thrown as `error`.
class calls
{
public:
    /// @throws error `invalid_argument` for a configuration that cannot be used
    calls(net::scope&, config const&);

    asio::awaitable<std::vector<activity>> list();
    /// The list as `decoder::updates()`. @param tap sees the reply's body, if there is one
    asio::awaitable<void> list_into(protocol::decoder&, wire_tap* tap = nullptr);
    asio::awaitable<void> cancel(std::string uuid);
    asio::awaitable<reply> send(request);
    /// The same for a request whose refusal is an error.
    /// @param doing "starting an activity"
    /// @param until not later than this, whatever the configured time limit
    /// @param sending called when there is a connection, before anything is sent on it; may be null
    asio::awaitable<reply> demand(std::string doing, request, net::steady_time until = net::wait_list::no_deadline,
                                  std::function<void()> const* sending = nullptr);
    /// @param over `websocket` or `eventsource`
    asio::awaitable<opened_feed> open_feed(transport over, net::steady_time deadline);

    std::string const& origin() const noexcept { return origin_; }
    std::uint64_t requests() const noexcept { return requests_; }
    /// Says the TLS goodbye on the kept connections and closes them.
    asio::awaitable<void> say_goodbye(net::steady_time deadline);

    /// Formats nothing below the level.
    template <class F>
    void log(log_level level, F text) const
    {
        if (settings_.logger.write && level <= settings_.logger.level)
            settings_.logger.write(level, text());
    }

private:
    asio::awaitable<reply> exchange(undertaking, request, net::steady_time until = net::wait_list::no_deadline,
                                    std::function<void()> const* sending = nullptr);
    asio::awaitable<net::exchanged> exchange_once(undertaking const&, std::string const& bytes,
                                                  std::string const& method, net::steady_time deadline,
                                                  std::function<void()> const* sending);
    asio::awaitable<opened_feed> try_websocket(std::string const& token, net::steady_time deadline, reply& refused);
    asio::awaitable<opened_feed> try_event_stream(std::string const& token, net::steady_time deadline, reply& refused);
    asio::awaitable<net::exchanged> open_exchange(std::string const& head, net::expecting, net::steady_time deadline,
                                                  std::unique_ptr<net::byte_stream>&);
    [[noreturn]] void refuse(undertaking const&, protocol::call_kind, reply const&) const;
    [[noreturn]] void fail(undertaking const&, error_code, std::string_view during) const;

    net::scope& scope_;
    config const& settings_;
    protocol::base_url base_;
    std::string origin_; // with the base path, for messages
    std::string identity_;
    token token_;
    net::endpoint_settings endpoint_;
    net::connection_pool pool_;
    std::uint64_t requests_ = 0;
};

} // namespace plex::detail
