#include "feed_fixture.hpp"

#include <plex/generator.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <map>

// Feeds as users consume them, for g++ 12 with sanitizers: beside other feeds, timers and calls, moved and destroyed
// while they are waited for.

using namespace plex;
using namespace plex::test;
using namespace asio::experimental::awaitable_operators;

namespace {

using lines = std::vector<std::string>;

asio::awaitable<void> timeout(std::chrono::steady_clock::duration after)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, after);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> turn()
{
    auto const executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
}

} // namespace

TEST_CASE("user style: two feeds awaited with || lose nothing")
{
    served a;
    testing::fake_server other(a.io.get_executor());
    client first(a.io.get_executor(), a.settings);
    config settings;
    settings.url = other.url();
    settings.executor_is_strand = true; // the first one's, so that one coroutine may hold both feeds
    client second(first.get_executor(), settings);
    constexpr int rounds = 100;
    lines from_first, from_second;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = first.subscribe();
        feed g = second.subscribe();
        co_await first.ready(10s);
        co_await second.ready(10s);
        for (int i = 0; i < rounds; ++i) {
            std::string const uuid = "u" + std::to_string(i);
            a.server.start_activity(activity_named(uuid));
            other.start_activity(activity_named(uuid));
            a.server.end_activity(uuid);
            other.end_activity(uuid);
        }
        while (from_first.size() < 2 * rounds || from_second.size() < 2 * rounds) {
            co_await (f.wait() || g.wait());
            while (std::optional<activity_event> const event = f.try_next())
                from_first.push_back(told(*event));
            if (std::optional<activity_event> const event = g.try_next())
                from_second.push_back(told(*event));
        }
    };
    a.run(first, body());
    CHECK(from_first == from_second);
    CHECK(from_first.front() == "started u0 0");
    CHECK(from_first.back() == "ended u99 100");
    CHECK(from_first.size() == 2 * rounds);
}

TEST_CASE("user style: a wait that loses against a timer again and again loses no event")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    std::size_t events = 0;
    std::size_t timeouts = 0;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        testing::scan_options options;
        options.duration = 300ms;
        asio::co_spawn(s.io, s.server.play_scan(options), asio::detached);
        for (bool more = true; more;) {
            auto const which = co_await (f.wait() || timeout(50us));
            timeouts += which.index();
            while (std::optional<activity_event> const event = f.try_next()) {
                ++events;
                if (event->kind == event_kind::ended)
                    more = false;
            }
        }
    };
    s.run(c, body());
    CHECK(events == testing::fake_server::scan_events);
    CHECK(timeouts > 0);
}

TEST_CASE("user style: a feed beside a call, with && and with ||")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        auto [event, list] = co_await (f.next() && c.get_server_activities());
        REQUIRE(event.has_value());
        CHECK(event->activity.uuid() == "scan");
        CHECK(list.size() == 1);
        s.server.stall("/identity");
        s.server.end_activity("scan");
        auto const which = co_await (f.wait() || c.send(request("GET", "/identity")));
        CHECK(which.index() == 0);
        std::optional<activity_event> const last = f.try_next();
        REQUIRE(last.has_value());
        CHECK(told(*last) == "ended scan 100");
    };
    s.run(c, body());
}

TEST_CASE("user style: a cancelled next() leaves the event to the next one, whenever the cancellation comes")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    constexpr int rounds = 40;
    lines got;
    int cancelled = 0;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        for (int i = 0; i < rounds; ++i) {
            asio::cancellation_signal signal;
            bool done = false;
            auto one = [&]() -> asio::awaitable<void> {
                try {
                    std::optional<activity_event> const event = co_await f.next();
                    if (event)
                        got.push_back(told(*event));
                } catch (error const& e) {
                    CHECK(e.code() == asio::error::operation_aborted);
                    ++cancelled;
                }
            };
            auto finished = [&done](std::exception_ptr) { done = true; };
            asio::co_spawn(c.get_executor(), one(), asio::bind_cancellation_slot(signal.slot(), finished));
            s.server.start_activity(activity_named("u" + std::to_string(i)));
            for (int turns = 0; turns < i; ++turns) // from at once to after the event
                co_await turn();
            signal.emit(asio::cancellation_type::terminal);
            while (!done)
                co_await turn();
        }
        while (got.size() < rounds) {
            std::optional<activity_event> const event = co_await f.next();
            REQUIRE(event.has_value());
            got.push_back(told(*event));
        }
    };
    s.run(c, body());
    CHECK(cancelled > 0);
    for (std::size_t i = 0; i < rounds; ++i)
        CHECK(got[i] == "started u" + std::to_string(i) + " 0");
}

TEST_CASE("user style: a feed outlives its client and yields empty")
{
    served s;
    auto c = std::make_unique<client>(s.io.get_executor(), s.settings);
    auto const executor = c->get_executor();
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c->subscribe();
        auto ready = c->ready(10s);
        auto later = f.wait();
        co_await std::move(ready);
        c.reset();
        co_await std::move(later);
        std::optional<activity_event> const event = co_await f.next();
        CHECK_FALSE(event.has_value());
        CHECK(f.stopped());
        feed none;
        CHECK(none.stopped());
        none.stop();
        co_await none.wait();
        std::optional<activity_event> const nothing = co_await none.next();
        CHECK_FALSE(nothing.has_value());
        CHECK_FALSE(none.try_next().has_value());
    };
    test::run(s.io, executor, body());
}

TEST_CASE("user style: a feed is moved, and destroyed, while it is waited for")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        int woken = 0;
        auto waiter = [&](feed& of) -> asio::awaitable<void> {
            std::optional<activity_event> const event = co_await of.next();
            woken += event ? 1 : 100;
        };
        asio::co_spawn(c.get_executor(), waiter(f), asio::detached);
        co_await turn();
        auto moved = std::make_unique<feed>(std::move(f));
        s.server.start_activity(activity_named("scan"));
        while (woken == 0)
            co_await timeout(200us);
        CHECK(woken == 1);
        asio::co_spawn(c.get_executor(), waiter(*moved), asio::detached);
        co_await turn();
        moved.reset();
        while (woken == 1)
            co_await timeout(200us);
        CHECK(woken == 101);
    };
    s.run(c, body());
}

TEST_CASE("user style: a coroutine of another executor spawns the loop over a feed where the client runs")
{
    asio::thread_pool servers(1);
    testing::fake_server server(servers.get_executor());
    asio::thread_pool pool(3);
    {
        config settings;
        settings.url = server.url();
        client c(pool.get_executor(), settings);
        auto consume = [&]() -> asio::awaitable<std::size_t> {
            feed f = c.subscribe();
            co_await c.ready(10s);
            asio::co_spawn(servers, server.play_scan(), asio::detached);
            std::size_t events = 0;
            while (std::optional<activity_event> const event = co_await f.next()) {
                ++events;
                if (event->kind == event_kind::ended)
                    break;
            }
            co_return events;
        };
        auto foreign = [&]() -> asio::awaitable<std::size_t> {
            std::size_t const events = co_await asio::co_spawn(c.get_executor(), consume(), asio::use_awaitable);
            co_await c.close(1s);
            co_return events;
        };
        auto result = asio::co_spawn(pool, foreign(), asio::use_future);
        REQUIRE(result.wait_for(60s) == std::future_status::ready);
        CHECK(result.get() == testing::fake_server::scan_events);
    }
    pool.join();
    server.stop();
    servers.join();
}

TEST_CASE("user style: a generator is abandoned in the middle, and its feed with it")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        {
            generator<activity_event> all = events(c.subscribe());
            co_await c.ready(10s);
            s.server.start_activity(activity_named("one"));
            s.server.start_activity(activity_named("two"));
            std::optional<activity_event> const first = co_await all.next();
            REQUIRE(first.has_value());
            CHECK(first->activity.uuid() == "one");
        }
        co_await s.server.connections_open_fell_to(1); // that of the list is kept
        while (c.connection().state != connection_state::idle)
            co_await turn();
    };
    s.run(c, body());
}

TEST_CASE("user style: who waits for a feed from another executor of its thread goes on there")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto const other = asio::make_strand(s.io.get_executor());
    bool there = false;
    std::string got;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        std::optional<activity_event> const event = co_await f.next();
        there = other.running_in_this_thread();
        got = event ? told(*event) : "nothing";
    };
    test::run(s.io, other, body());
    CHECK(there);
    CHECK(got == "started scan 0");
}

TEST_CASE("user style: a callback starts coroutines and opens further subscriptions")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    std::map<std::string, subscription> of_uuid;
    lines got;
    std::size_t lists = 0;
    auto body = [&]() -> asio::awaitable<void> {
        auto list = [&]() -> asio::awaitable<void> {
            std::vector<activity> const all = co_await c.get_server_activities();
            lists += all.size();
        };
        subscription all = c.subscribe(filter(), [&](activity_event const& e) {
            if (e.kind != event_kind::started)
                return;
            std::string const uuid(e.activity.uuid());
            of_uuid[uuid] =
                c.subscribe(filter().uuid(uuid), [&](activity_event const& own) { got.push_back(told(own)); });
            asio::co_spawn(c.get_executor(), list(), asio::detached);
        });
        co_await c.ready(10s);
        s.server.start_activity(activity_named("one"));
        while (lists < 1)
            co_await timeout(200us);
        s.server.end_activity("one");
        while (got.size() < 2)
            co_await timeout(200us);
        CHECK_FALSE(all.stopped());
    };
    s.run(c, body());
    CHECK(got == lines{"started! one 0", "ended one 100"});
}
