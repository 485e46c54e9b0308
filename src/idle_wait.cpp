#include "client_state.hpp"
#include "onlooker.hpp"
#include "sync/idleness.hpp"
#include "sync/patience.hpp"

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
        if (idleness.told(m, now))
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
    sync::patience patience;
    while (!w.idleness.reached()) {
        if (w.failure)
            throw error(*w.failure);
        sync::patience::step const step = patience.next(std::chrono::steady_clock::now(), until, w.idleness.quiet_at());
        if (step.give_up)
            throw network_error(doing, asio::error::timed_out, "waiting for " + w.idleness.awaited());
        if (step.ask_for_list)
            s->feed.want_list();
        net::woken const why = co_await w.waiting.park(s->scope.executor(), step.wake_at);
        if (why == net::woken::by_cancellation)
            throw network_error(doing, asio::error::operation_aborted, "waiting for " + w.idleness.awaited());
    }
}

} // namespace plex::detail
