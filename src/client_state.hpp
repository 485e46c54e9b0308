#pragma once

#include "calls.hpp"
#include "context_service.hpp"
#include "live_feed.hpp"
#include "net/scope.hpp"
#include "on_strand.hpp"
#include "settings.hpp"

#include <plex/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace plex::detail {

/// What a client, its operations and its feeds share. Operations hold it, so it may outlive the client; it is stopped
/// then.
class client_state final : public context_bound, public std::enable_shared_from_this<client_state>
{
public:
    client_state(asio::any_io_executor executor, config given);

    void stop() noexcept { scope.stop(); }
    void context_destroyed() noexcept override;
    asio::awaitable<void> close(client::duration timeout);

    settings const kept;
    std::shared_ptr<home> const at;
    net::scope scope;
    detail::calls calls;
    live_feed feed;
};

// The coroutines behind a client's operations: each keeps the state alive, and finds by itself that the client has
// stopped.
asio::awaitable<std::vector<activity>> list(std::shared_ptr<client_state>);
asio::awaitable<void> cancel(std::shared_ptr<client_state>, std::string uuid);
asio::awaitable<reply> send(std::shared_ptr<client_state>, request);
asio::awaitable<void> ready(std::shared_ptr<client_state>, std::optional<client::duration> deadline);
asio::awaitable<operation> start(std::shared_ptr<client_state>, activity_request,
                                 std::optional<client::duration> deadline);
asio::awaitable<void> wait_until_idle(std::shared_ptr<client_state>, filter, client::duration quiet,
                                      std::optional<client::duration> deadline);
asio::awaitable<void> close(std::shared_ptr<client_state>, client::duration timeout);

// The same behind an operation; null is one that was never started.
std::shared_ptr<followed> const& followed_by(operation const&);
std::shared_ptr<home> home_of(std::shared_ptr<followed> const&);
asio::awaitable<std::optional<activity_event>> next(std::shared_ptr<followed>, std::optional<client::duration>);
asio::awaitable<outcome> result(std::shared_ptr<followed>, std::optional<client::duration>);
asio::awaitable<void> cancel(std::shared_ptr<followed>, std::optional<client::duration>);

/// When a wait is over; never where there is no deadline, or one beyond the clock's range.
net::steady_time time_limit(std::optional<client::duration> deadline);

/// The library's own way into a client.
struct client_access {
    static std::shared_ptr<client_state> const& state(client const& c) noexcept { return c.state_; }
};

} // namespace plex::detail
