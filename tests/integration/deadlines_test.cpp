#include "calls_fixture.hpp"
#include "feed_fixture.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

// The ends of what a deadline can be.

using namespace plex;
using namespace plex::test;

TEST_CASE("a deadline of 0 or less is over at once, and duration::max() never")
{
    served s;
    s.server.start_activity(activity_named("scan"));
    client c(s.io.get_executor(), s.settings);
    constexpr auto never = client::duration::max();
    auto body = [&]() -> asio::awaitable<void> {
        s.server.hold("/activities");
        for (client::duration const over : {client::duration(0), client::duration(-1h), client::duration::min()}) {
            CAPTURE(over.count());
            error outcome = co_await failure_of(c.ready(over));
            CHECK(outcome.code() == errc::timeout);
            outcome = co_await failure_of(c.wait_until_idle(filter(), 1ms, over));
            CHECK(outcome.code() == errc::timeout);
            outcome = co_await failure_of(c.start(scan_section(3), over));
            CHECK(outcome.code() == errc::timeout);
        }
        s.server.release("/activities");
        error outcome = co_await failure_of(c.ready(never));
        CHECK(outcome.code() == error_code());
        s.server.end_activity("scan");
        outcome = co_await failure_of(c.wait_until_idle(filter(), client::duration(-1h), never));
        CHECK(outcome.code() == error_code());
        operation o = co_await c.start(scan_section(3), never);
        outcome = co_await failure_of(o.next(0s));
        CHECK((outcome.code() == errc::timeout || outcome.code() == error_code()));
        outcome = co_await failure_of(o.result(client::duration::min()));
        CHECK(outcome.code() == errc::timeout);
        outcome = co_await failure_of(o.cancel(never));
        CHECK(outcome.code() == error_code());
        co_await o.result(never);
        co_await c.close(never);
    };
    s.run(c, body());
}

TEST_CASE("closing within no time says goodbye to nobody, and ends all the same")
{
    for (client::duration const none : {client::duration(0), client::duration::min()}) {
        served s;
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            co_await c.ready(10s);
            co_await c.close(none);
            CHECK(f.stopped());
            co_await s.server.connections_open_fell_to(0);
        };
        s.run(c, body());
    }
}

TEST_CASE("a wait that fails beside a timer by || is over with the timer alone, as that waits for a success")
{
    using namespace asio::experimental::awaitable_operators;
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation none; // whose result fails at once
        asio::steady_timer timer(s.io, 200ms);
        auto const start = std::chrono::steady_clock::now();
        asio::awaitable<outcome> result = none.result();
        asio::awaitable<void> time = timer.async_wait(asio::use_awaitable);
        auto const first = co_await (std::move(result) || std::move(time));
        CHECK(first.index() == 1);
        CHECK(std::chrono::steady_clock::now() - start >= 200ms);
    };
    s.run(c, body());
}
