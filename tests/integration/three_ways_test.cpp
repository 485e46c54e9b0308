#include "feed_fixture.hpp"

#include <plex/generator.hpp>

#include <boost/asio/post.hpp>

#include <thread>

// One feed, taken by a coroutine, by a callback and by a generator.

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a coroutine, a callback and a generator hear the same events in the same order, over one connection")
{
    served s;
    s.server.start_activity(activity_named("before"));
    client c(s.io.get_executor(), s.settings);
    lines called, taken, yielded;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        subscription const callback =
            c.subscribe(filter(), [&](activity_event const& e) { called.push_back(told(e)); });
        generator<activity_event> all = events(c.subscribe());
        co_await c.ready(10s);
        for (char const* uuid : {"a", "b"}) {
            s.server.start_activity(activity_named(uuid));
            for (int percent = 10; percent <= 90; percent += 10)
                s.server.update_activity(uuid, percent);
        }
        s.server.end_activity("a");
        s.server.end_activity("before");
        s.server.end_activity("b");
        std::size_t const count = 1 + 2 * 11 + 1; // of the one that ran before there is no update
        taken = co_await take(f, count);
        while (yielded.size() != count) {
            std::optional<activity_event> const event = co_await all.next();
            yielded.push_back(told(*event));
        }
        std::function<bool()> const all_called = [&] { return called.size() == count; };
        co_await come_true(all_called);
        CHECK(s.server.counters().websocket_upgrades == 1);
        CHECK(f.conflated() == 0);
        CHECK(callback.conflated() == 0);
    };
    s.run(c, body());
    CHECK(taken.front() == "started! before 0");
    CHECK(taken.back() == "ended b 100");
    CHECK(called == taken);
    CHECK(yielded == taken);
}

TEST_CASE("making a client connects to nothing, and what it is first asked for is its first contact")
{
    served s;
    std::optional<client> c(std::in_place, s.io.get_executor(), s.settings);
    auto others_work = [&]() -> asio::awaitable<void> {
        for (int turn = 0; turn != 100; ++turn)
            co_await asio::post(s.io, asio::use_awaitable);
        CHECK(c->running().activities.empty());
        CHECK(c->connection().state == connection_state::idle);
        CHECK(c->counters().connections == 0);
        CHECK(s.server.counters().connections_accepted == 0);
        co_await c->get_server_activities();
        CHECK(s.server.counters().connections_accepted == 1);
        c.reset();
    };
    s.run(*c, others_work());
    CHECK(s.server.counters().requests == 1);
}

TEST_CASE("callbacks run where the client's executor is run, and nowhere else: there is no thread of the library")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    std::size_t elsewhere = 0;
    std::size_t heard = 0;
    auto const here = std::this_thread::get_id();
    c.on_connection_change([&](connection_status const&) { elsewhere += std::this_thread::get_id() == here ? 0 : 1; });
    subscription const all = c.subscribe(filter(), [&](activity_event const&) {
        ++heard;
        elsewhere += std::this_thread::get_id() == here ? 0 : 1;
    });
    // As nothing runs yet, nothing may be called.
    s.server.start_activity(activity_named("a"));
    CHECK(heard == 0);
    auto body = [&]() -> asio::awaitable<void> {
        std::function<bool()> const come = [&] { return heard == 1; };
        co_await come_true(come);
    };
    s.run(c, body());
    CHECK(elsewhere == 0);
}

TEST_CASE("a subscription that goes out of scope is told nothing more")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    lines heard;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        {
            subscription const shortly =
                c.subscribe(filter(), [&](activity_event const& e) { heard.push_back(told(e)); });
            s.server.start_activity(activity_named("a"));
            std::function<bool()> const come = [&] { return heard.size() == 1; };
            co_await come_true(come);
        }
        s.server.end_activity("a");
        lines const got = co_await take(f, 2);
        CHECK(got == lines{"started a 0", "ended a 100"});
        co_await asio::post(s.io, asio::use_awaitable);
    };
    s.run(c, body());
    CHECK(heard == lines{"started a 0"});
}

TEST_CASE("a generator's body runs inside its consumer's next(), and does nothing by itself")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    struct counting {
        static generator<activity_event> of(generator<activity_event> source, std::size_t& steps)
        {
            for (;;) {
                ++steps;
                std::optional<activity_event> event = co_await source.next();
                if (!event)
                    co_return;
                co_yield std::move(*event);
            }
        }
    };
    auto body = [&]() -> asio::awaitable<void> {
        std::size_t steps = 0;
        feed f = c.subscribe();
        generator<activity_event> all = counting::of(events(c.subscribe()), steps);
        co_await c.ready(10s);
        s.server.start_activity(activity_named("a"));
        s.server.end_activity("a");
        lines const got = co_await take(f, 2); // so both are there for the generator too
        CHECK(got.size() == 2);
        CHECK(steps == 0);
        for (std::size_t asked = 1; asked <= 2; ++asked) {
            std::optional<activity_event> const event = co_await all.next();
            CHECK(told(*event) == got[asked - 1]);
            co_await asio::post(s.io, asio::use_awaitable);
            CHECK(steps == asked);
        }
    };
    s.run(c, body());
}
