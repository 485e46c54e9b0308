#include "feed_fixture.hpp"

#include <set>

// The live connection lost and tried again.

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a lost connection is opened again, and lives go on across the gap, over WebSocket and EventSource")
{
    for (transport const over : {transport::websocket, transport::eventsource}) {
        CAPTURE(to_string(over));
        served s;
        s.settings.transport = over;
        client c(s.io.get_executor(), s.settings);
        std::vector<connection_state> states;
        c.on_connection_change([&](connection_status const& now) {
            states.push_back(now.state);
            if (now.state == connection_state::interrupted) {
                CHECK(now.last_error == errc::connection_failed);
                CHECK(now.next_try.has_value());
                CHECK(*now.next_try <= 1s);
            }
        });
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            co_await c.ready(10s);
            CHECK(c.connection().transport == over);
            s.server.start_activity(activity_named("stays"));
            s.server.start_activity(activity_named("changes"));
            lines const first = co_await take(f, 2);
            CHECK(first == lines{"started stays 0", "started changes 0"});
            s.server.drop_listeners();
            co_await reach(c, connection_state::interrupted);
            CHECK(c.running().activities.size() == 2);
            s.server.start_activity(activity_named("inside the gap"));
            co_await reach(c, connection_state::reconciled);
            lines const second = co_await take(f, 1);
            CHECK(second == lines{"started! inside the gap 0"});
            for (char const* uuid : {"stays", "changes", "inside the gap"})
                s.server.end_activity(uuid);
            lines const last = co_await take(f, 3);
            CHECK(last == lines{"ended stays 100", "ended changes 100", "ended inside the gap 100"});
            CHECK(c.counters().reconnects == 1);
        };
        s.run(c, body());
        CHECK(states == std::vector<connection_state>{connection_state::connecting, connection_state::connected,
                                                      connection_state::reconciled, connection_state::interrupted,
                                                      connection_state::connecting, connection_state::connected,
                                                      connection_state::reconciled});
    }
}

TEST_CASE("the function that hears of connection changes keeps its state, and may be replaced from within itself")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    std::vector<int> seen;
    int others = 0;
    c.on_connection_change([&, count = 0](connection_status const&) mutable {
        seen.push_back(++count);
        if (count == 2)
            c.on_connection_change([&](connection_status const&) { ++others; });
        seen.push_back(count);
    });
    auto body = [&]() -> asio::awaitable<void> { co_await c.ready(10s); };
    s.run(c, body());
    CHECK(seen == std::vector<int>{1, 1, 2, 2});
    CHECK(others > 0);
}

TEST_CASE("an empty function in the place of the one that hears of connection changes takes it away")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto const kept = std::make_shared<int>();
    std::size_t heard = 0;
    auto body = [&]() -> asio::awaitable<void> {
        c.on_connection_change([&heard, kept](connection_status const&) { ++heard; });
        CHECK(kept.use_count() == 2);
        feed f = c.subscribe();
        CHECK(heard == 1);
        c.on_connection_change({});
        CHECK(kept.use_count() == 1);
        co_await c.ready(10s);
    };
    s.run(c, body());
    CHECK(heard == 1);
}

TEST_CASE("what the function that hears of connection changes throws leaves run(), and the feed goes on")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    int heard = 0;
    c.on_connection_change([&](connection_status const&) {
        if (++heard == 1)
            throw std::runtime_error("of the user");
    });
    bool done = false;
    auto body = [&]() -> asio::awaitable<void> {
        co_await c.ready(10s);
        done = true;
    };
    asio::co_spawn(c.get_executor(), body(), asio::detached);
    int thrown = 0;
    auto const until = std::chrono::steady_clock::now() + 30s;
    while (!done && std::chrono::steady_clock::now() < until) {
        try {
            s.io.run_one_until(until);
        } catch (std::runtime_error const& e) {
            CHECK(std::string(e.what()) == "of the user");
            ++thrown;
        }
    }
    CHECK(done);
    CHECK(thrown == 1);
    CHECK(heard >= 3); // connecting, connected, reconciled
}

TEST_CASE("the function that hears of connection changes may stop the client at each of them, and hears no more")
{
    for (connection_state const at : {connection_state::connecting, connection_state::connected,
                                      connection_state::reconciled, connection_state::interrupted}) {
        INFO(to_string(at));
        served s;
        client c(s.io.get_executor(), s.settings);
        std::vector<connection_state> heard;
        c.on_connection_change([&](connection_status const& now) {
            heard.push_back(now.state);
            if (now.state == connection_state::reconciled)
                s.server.drop_listeners();
            if (now.state == at)
                c.stop();
        });
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            CHECK(heard == std::vector<connection_state>{connection_state::connecting}); // from within
            std::optional<activity_event> const event = co_await f.next();
            CHECK_FALSE(event);
        };
        s.run(c, body());
        s.io.restart();
        s.io.poll();
        REQUIRE_FALSE(heard.empty());
        CHECK(heard.back() == at);
        CHECK(c.connection().state == connection_state::ended);
    }
}

TEST_CASE("after close() the function that hears of connection changes has heard idle")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    connection_state last = connection_state::ended;
    c.on_connection_change([&](connection_status const& now) { last = now.state; });
    auto body = [&]() -> asio::awaitable<void> {
        feed const f = c.subscribe();
        co_await c.ready(10s);
        co_await c.close();
    };
    s.run(c, body());
    CHECK(last == connection_state::idle);
    CHECK(c.connection().state == connection_state::idle);
}

TEST_CASE("what ended inside the gap is told as ended, inferred, once the list has shown it twice or the grace is over")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        lines const first = co_await take(f, 1);
        CHECK(first == lines{"started scan 0"});
        s.server.drop_listeners(testing::abrupt::rst);
        s.server.end_activity("scan");
        lines const last = co_await take(f, 1);
        CHECK(last == lines{"ended! scan 0"});
        CHECK(c.running().activities.empty());
    };
    s.run(c, body());
}

TEST_CASE("a server that restarts with an empty state is followed to its new life")
{
    auto s = std::make_unique<served>();
    auto old = std::make_unique<testing::fake_server>(s->io.get_executor());
    s->settings.url = old->url();
    client c(s->io.get_executor(), s->settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        old->start_activity(activity_named("before"));
        lines const first = co_await take(f, 1);
        CHECK(first == lines{"started before 0"});
        testing::fake_server_options options;
        options.port = old->port();
        old->stop();
        old.reset();
        co_await reach(c, connection_state::interrupted);
        testing::fake_server fresh(s->io.get_executor(), options);
        fresh.start_activity(activity_named("after"));
        lines const both = co_await take(f, 2);
        CHECK(std::set<std::string>(both.begin(), both.end()) ==
              std::set<std::string>{"started! after 0", "ended! before 0"});
        f.stop();
    };
    s->run(c, body());
}

TEST_CASE("a peer that is silent is found by pings that nobody answers, and by silence on an event stream")
{
    for (transport const over : {transport::websocket, transport::eventsource}) {
        CAPTURE(to_string(over));
        served s;
        s.settings.transport = over;
        s.settings.ping_after = 20ms;
        s.settings.idle_limit = 150ms;
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            co_await c.ready(10s);
            s.server.freeze_listeners();
            co_await reach(c, connection_state::interrupted);
            CHECK(c.connection().last_error == errc::timeout);
            co_await reach(c, connection_state::reconciled);
        };
        s.run(c, body());
        if (over == transport::websocket)
            CHECK(s.server.counters().pings_received > 1);
    }
}

TEST_CASE("pings keep a quiet connection for as long as they are answered")
{
    served s;
    s.settings.ping_after = 5ms;
    s.settings.idle_limit = 100ms;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        co_await s.server.pings_reached(60); // three times the idle limit
        CHECK(c.connection().state == connection_state::reconciled);
        CHECK(c.counters().reconnects == 0);
    };
    s.run(c, body());
}

TEST_CASE("a list that fails is asked again, infers nothing, and does not end the feed")
{
    served s;
    s.server.start_activity(activity_named("scan"));
    s.server.refuse("/activities", 500, {}, "text/html", 2);
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        error_code first;
        try {
            co_await c.ready(10s);
        } catch (error const& e) {
            first = e.code();
        }
        CHECK(first == errc::server_error);
        CHECK_FALSE(f.stopped());
        lines const events = co_await take(f, 1);
        CHECK(events == lines{"started! scan 0"});
        CHECK(c.connection().state == connection_state::reconciled);
    };
    s.run(c, body());
}

TEST_CASE("a subscriber that brings what it knew goes on where it left off")
{
    served s;
    s.server.start_activity(activity_named("goes on"));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        std::vector<activity> known;
        {
            s.server.start_activity(activity_named("gone"));
            known = co_await c.get_server_activities();
            s.server.end_activity("gone");
        }
        feed f = c.subscribe(filter(), known);
        lines const first = co_await take(f, 2);
        CHECK(first == lines{"updated! goes on 0", "ended! gone 0"});
    };
    s.run(c, body());
}

TEST_CASE("stopping while the next try is waited for ends the wait")
{
    served s;
    s.server.refuse_with("/:/websockets", 503, "Retry-After", "200");
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await reach(c, connection_state::interrupted);
        f.stop();
        co_await reach(c, connection_state::idle);
    };
    s.run(c, body());
}

TEST_CASE("a feed opened while the connection of the last one closes gets one of its own, without a failure")
{
    for (int const way : {0, 1, 2}) {
        CAPTURE(way);
        served s;
        s.server.start_activity(activity_named("scan"));
        client c(s.io.get_executor(), s.settings);
        std::vector<connection_state> states;
        c.on_connection_change([&](connection_status const& now) { states.push_back(now.state); });
        auto body = [&]() -> asio::awaitable<void> {
            if (way == 0) {
                co_await c.ready(10s); // which keeps the connection for as long as it waits
            } else {
                feed before = c.subscribe();
                co_await c.ready(10s);
                if (way == 2) {
                    before = c.subscribe();
                    before.stop();
                }
            }
            feed f = c.subscribe();
            co_await c.ready(10s);
            lines const first = co_await take(f, 1);
            CHECK(first == lines{"started! scan 0"});
            s.server.end_activity("scan");
            lines const last = co_await take(f, 1);
            CHECK(last == lines{"ended scan 100"});
        };
        s.run(c, body());
        for (connection_state const state : states)
            CHECK(state != connection_state::interrupted);
        CHECK(s.server.counters().websocket_upgrades == 1);
    }
}

TEST_CASE("a feed opened while the last one's connection is being closed gets a new one, without a failure")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    bool interrupted = false;
    c.on_connection_change(
        [&](connection_status const& now) { interrupted = interrupted || now.state == connection_state::interrupted; });
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        f.stop();
        co_await reach(c, connection_state::idle);
        f = c.subscribe();
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        lines const first = co_await take(f, 1);
        CHECK(first == lines{"started scan 0"});
    };
    s.run(c, body());
    CHECK_FALSE(interrupted);
    CHECK(s.server.counters().websocket_upgrades == 2);
}

TEST_CASE("stopping the last feed while it is dialled, listed or asked a token for ends that at once")
{
    for (char const* stalled : {"/:/websockets", "token"}) {
        CAPTURE(stalled);
        served s;
        s.server.stall(stalled, testing::fake_server::always);
        bool asking = false;
        if (std::string(stalled) == "token")
            s.settings.token_function = [&]() -> asio::awaitable<std::string> {
                asking = true;
                asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
                co_await timer.async_wait(asio::use_awaitable);
                co_return "";
            };
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            std::function<bool()> const there = [&] { return asking || s.server.counters().requests == 1; };
            co_await come_true(there);
            auto const before = std::chrono::steady_clock::now();
            f.stop();
            co_await reach(c, connection_state::idle);
            if (!asking)
                co_await s.server.connections_open_fell_to(0);
            CHECK(std::chrono::steady_clock::now() - before < 5s); // half of connect_timeout
        };
        s.run(c, body());
    }
}

TEST_CASE("stopping the last feed while the list has yet to say whether it is barred is no failure")
{
    served s;
    s.server.refuse("/:/websockets", 403);
    s.server.hold("/activities");
    client c(s.io.get_executor(), s.settings);
    std::vector<connection_state> states;
    c.on_connection_change([&](connection_status const& now) { states.push_back(now.state); });
    auto body = [&]() -> asio::awaitable<void> {
        {
            feed const f = c.subscribe();
            co_await s.server.held_reached("/activities", 1);
        }
        co_await reach(c, connection_state::idle);
    };
    s.run(c, body());
    CHECK(states == std::vector<connection_state>{connection_state::connecting, connection_state::idle});
}

TEST_CASE("the count of conflated updates only grows, whoever goes")
{
    served s;
    s.settings.conflate_after = 4;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        auto g = std::make_unique<feed>(c.subscribe());
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        for (int i = 0; i < 50; ++i)
            s.server.update_activity("scan", i);
        std::function<bool()> const all = [&] { return c.counters().events == 51; };
        co_await come_true(all);
        std::uint64_t const both = c.counters().conflated;
        CHECK(both == f.conflated() + g->conflated());
        CHECK(both >= 90);
        g->stop();
        CHECK(c.counters().conflated == both);
        g.reset();
        CHECK(c.counters().conflated == both);
        s.server.refuse_with("/:/", 301, "Location", "http://other.example/", testing::fake_server::always);
        s.server.drop_listeners();
        co_await reach(c, connection_state::ended);
        CHECK(c.counters().conflated == both);
        f.stop();
        CHECK(c.counters().conflated == both);
    };
    s.run(c, body());
}

TEST_CASE("the count of what could not be read only grows, when a feed is opened anew too")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed first = c.subscribe();
        co_await c.ready(10s);
        s.server.announce("updated", activity_named("one", ""));
        std::function<bool()> const counted = [&] { return c.counters().malformed == 1; };
        co_await come_true(counted);
        first.stop();
        co_await reach(c, connection_state::idle);
        feed second = c.subscribe();
        CHECK(c.counters().malformed == 1);
    };
    s.run(c, body());
}

TEST_CASE("closing while the first list is waited for asks for no other one")
{
    served s;
    s.server.hold("/activities");
    client c(s.io.get_executor(), s.settings);
    std::uint64_t requests = 0;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await s.server.held_reached("/activities", 1);
        s.server.freeze_listeners(); // so that the goodbye is waited for
        co_await c.close(200ms);
        requests = c.counters().requests;
    };
    s.run(c, body());
    CHECK(requests == 1);
}
