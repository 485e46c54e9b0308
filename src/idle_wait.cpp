#include "client_state.hpp"
#include "onlooker.hpp"
#include "sync/idleness.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace plex::detail {

namespace {

struct idle_wait final : onlooker {
    idle_wait(std::shared_ptr<client_state> s, filter wanted, client::duration quiet)
        : client(std::move(s)), idleness(std::move(wanted), std::max(quiet, client::duration(0)))
    {
    }
    ~idle_wait() { client->feed.disregard(*this); }

    void told(sync::mail const& m, time_point now) override
    {
        std::optional<time_point> const before = idleness.quiet_at();
        idleness.told(m, now);
        if (idleness.quiet_at() != before)
            waiting.wake_all();
    }
    void listed(time_point requested, bool, time_point now) override
    {
        idleness.listed(requested, now);
        waiting.wake_all();
    }
    void interrupted() override
    {
        idleness.interrupted();
        waiting.wake_all();
    }
    void ended(error const& why) override
    {
        failure = why;
        waiting.wake_all();
    }

    std::shared_ptr<client_state> const client;
    sync::idleness idleness;
    net::wait_list waiting;
    std::optional<error> failure;
};

} // namespace

asio::awaitable<void> wait_until_idle(std::shared_ptr<client_state> s, filter wanted, client::duration quiet,
                                      std::optional<client::duration> deadline)
{
    undertaking const doing = {"waiting until nothing runs", s->calls.origin()};
    net::steady_time const until = time_limit(deadline);
    idle_wait w(s, std::move(wanted), quiet);
    s->feed.watch(s, w);
    co_await s->feed.ready(s, until);
    std::optional<net::steady_time> asked_for; // the quiet time that a list was asked to confirm
    while (!w.idleness.reached()) {
        if (w.failure)
            throw error(*w.failure);
        net::steady_time const now = std::chrono::steady_clock::now();
        std::optional<net::steady_time> const quiet_at = w.idleness.quiet_at();
        net::steady_time wake_at = until;
        if (quiet_at && *quiet_at > now) {
            wake_at = std::min(until, *quiet_at);
        } else if (quiet_at && quiet_at != asked_for) {
            asked_for = quiet_at;
            s->feed.want_list();
        }
        net::woken const why = co_await w.waiting.park(s->scope.executor(), wake_at);
        if (why == net::woken::by_cancellation)
            throw network_error(doing, asio::error::operation_aborted, "waiting for " + w.idleness.awaited());
        if (why == net::woken::by_deadline && until <= std::chrono::steady_clock::now())
            throw network_error(doing, asio::error::timed_out, "waiting for " + w.idleness.awaited());
    }
}

} // namespace plex::detail
