#pragma once

#include "failure.hpp"
#include "net/connection_pool.hpp"
#include "net/exchange.hpp"
#include "net/reply_stream.hpp"
#include "protocol/decoder.hpp"
#include "protocol/request_target.hpp"
#include "protocol/server_reply.hpp"
#include "settings.hpp"
#include "token.hpp"
#include "wire_tap.hpp"

#include <plex/config.hpp>
#include <plex/request.hpp>

#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
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
    calls(net::scope&, config const&, settings const&);

    /// @throws error `invalid_argument` for a request that is not to be sent
    void check(request const&) const;
    /// A request that `check` has let pass; the answer is given whatever its status.
    /// @param what "listing the activities", for messages; must stay as it is until the end, as must the request
    /// @param until not later than this, whatever the configured time limit
    /// @param sending called when there is a connection, before anything is sent on it; may be null
    asio::awaitable<net::answer> ask(std::string_view what, request const&,
                                     net::steady_time until = net::wait_list::no_deadline,
                                     std::function<void()> const* sending = nullptr);
    // The two calls in their parts: each coroutine more around `ask` costs them a tenth.
    asio::awaitable<net::answer> ask_list() { return ask(listing, list_request()); }
    /// @throws error as `get_server_activities`
    std::vector<activity> activities_of(net::answer);
    static request cancel_request(std::string_view uuid);
    asio::awaitable<net::answer> ask_cancel(request const& asked) { return ask(cancelling, asked); }
    /// @throws error as `cancel_server_activities`
    void check_cancelled(net::answer);

    /// The list as `decoder::updates()`. @param tap sees the reply's body, if there is one
    asio::awaitable<void> list_into(protocol::decoder&, wire_tap* tap = nullptr);
    /// A request whose refusal is an error.
    /// @param what "starting an activity"
    asio::awaitable<reply> demand(std::string what, request, net::steady_time until = net::wait_list::no_deadline,
                                  std::function<void()> const* sending = nullptr);
    /// @param over `websocket` or `eventsource`
    asio::awaitable<opened_feed> open_feed(transport over, net::steady_time deadline);

    /// From any thread.
    std::string const& origin() const noexcept { return path_is_secret_ ? host_alone_ : origin_; }
    std::uint64_t requests() const noexcept { return requests_; }
    /// Says the TLS goodbye on the kept connections and closes them.
    asio::awaitable<void> say_goodbye(net::steady_time deadline);

    /// Formats nothing below the level. For want of memory a line is left out: nothing is to fail for that.
    template <class F>
    void log(log_level level, F text) const
    {
        if (!settings_.logger.write || level > settings_.logger.level)
            return;
        std::string line;
        try {
            line = text();
        } catch (std::bad_alloc const&) {
            return;
        }
        settings_.logger.write(level, line);
    }

private:
    static constexpr std::string_view listing = "listing the activities";
    static constexpr std::string_view cancelling = "cancelling an activity";

    /// The reply to a request that a feed is opened with, and the connection that it came on.
    struct feed_reply {
        net::answer answer;
        opened_feed opened; ///< events, where the answer is an event stream
    };

    undertaking doing(std::string_view what) const { return {std::string(what), origin()}; }
    asio::awaitable<void> get_token(std::string_view what, net::steady_time deadline);
    asio::awaitable<bool> renew_token(std::string_view what, std::uint64_t refused, net::steady_time deadline);
    void hide_token_in_origin();
    asio::awaitable<net::connection_pool::lease> connect(std::string_view what, net::steady_time deadline,
                                                         bool hurries);
    asio::awaitable<net::connection_pool::lease> connect_again(std::string_view what, net::connection_pool::lease,
                                                               net::steady_time deadline);
    net::connection_pool::lease checked(std::string_view what, net::connection_pool::acquired) const;
    using shared_bytes = std::shared_ptr<std::string const>;
    static request const& list_request();
    shared_bytes request_bytes(request const&);
    void expect_list(int status, std::string_view body, protocol::decoder const&, protocol::decoded) const;
    void keep_buffer(net::answer) noexcept;
    asio::awaitable<opened_feed> try_websocket(net::steady_time deadline, net::answer& refused);
    asio::awaitable<opened_feed> try_event_stream(net::steady_time deadline, net::answer& refused);
    asio::awaitable<feed_reply> open_exchange(std::string const& head, net::expecting, net::steady_time deadline);
    void expect_good(std::string_view what, protocol::call_kind, net::answer const&) const;
    [[noreturn]] void refuse(std::string_view what, protocol::call_kind, net::answer const&) const;
    [[noreturn]] void fail(std::string_view what, error_code, std::string_view during) const;

    net::scope& scope_;
    settings const& settings_;
    protocol::base_url base_;
    std::string origin_;     // with the base path, for messages
    std::string host_alone_; // in its place once a token function has given what is in the path
    std::atomic<bool> path_is_secret_ = false;
    std::string identity_;
    token token_;
    net::connection_pool pool_;
    net::byte_buffer spare_; // of the last reply, for the next one
    // With the token of that version; shared, as what is being sent must stay as it is.
    shared_bytes list_bytes_;
    std::string_view common_; // headers, in list_bytes_
    std::uint64_t common_version_ = 0;
    std::uint64_t requests_ = 0;
};

} // namespace plex::detail
