#include "feed_fixture.hpp"

#include <algorithm>

// What a client tells of itself: counters() and connection().

using namespace plex;
using namespace plex::test;

namespace {

/// Completes when `age` has been seen to fall: something was heard, or compared, since.
template <class Age>
asio::awaitable<void> fell(Age age)
{
    std::optional<client::duration> highest;
    std::function<bool()> const lower = [&] {
        std::optional<client::duration> const now = age();
        if (now && highest && *now < *highest)
            return true;
        highest = now;
        return false;
    };
    co_await come_true(lower);
}

} // namespace

TEST_CASE("each message and control frame of the feed is counted, by what it was about")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        counters const before = c.counters();
        s.server.start_activity(activity_named("scan"));
        s.server.notify_raw("no JSON");
        s.server.notify_raw(R"({"NotificationContainer":{"type":"playing","size":0}})");
        s.server.ping_listeners("hello");
        s.server.end_activity("scan");
        std::vector<std::string> const both = co_await take(f, 2);
        CHECK(both.size() == 2);
        counters const after = c.counters();
        CHECK(after.frames - before.frames == 5);
        CHECK(after.events - before.events == 2);
        CHECK(after.malformed - before.malformed == 1);
        CHECK(after.skipped - before.skipped == 1);
        CHECK(after.reconnects == 0);
    };
    s.run(c, body());
}

TEST_CASE("the age of the last sign grows in silence, and starts anew with a pong or an event")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    s.settings.ping_after = 40ms;
    client pinging(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        CHECK_FALSE(c.counters().since_last_sign);
        feed f = c.subscribe();
        co_await c.ready(10s);
        client::duration const first = *c.counters().since_last_sign;
        std::function<bool()> const grown = [&] { return *c.counters().since_last_sign > first + 100ms; };
        co_await come_true(grown); // pings come after 15 s alone
        auto const age = [&] { return c.counters().since_last_sign; };
        s.server.start_activity(activity_named("scan"));
        co_await fell(age);
        f.stop();
    };
    s.run(c, body());
    auto with_pings = [&]() -> asio::awaitable<void> {
        feed f = pinging.subscribe();
        co_await pinging.ready(10s);
        std::uint64_t const events = pinging.counters().events;
        auto const age = [&] { return pinging.counters().since_last_sign; };
        co_await fell(age);
        co_await fell(age);
        CHECK(pinging.counters().events == events);
        CHECK(s.server.counters().pings_received >= 2);
    };
    s.run(pinging, with_pings());
}

TEST_CASE("the age of the last snapshot is that of the last comparison with the list, a reconnect's too")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        CHECK_FALSE(c.counters().since_last_snapshot);
        s.server.hold("/activities");
        feed f = c.subscribe();
        co_await s.server.held_reached("/activities", 1);
        co_await reach(c, connection_state::connected);
        CHECK_FALSE(c.counters().since_last_snapshot);
        s.server.release("/activities");
        co_await reach(c, connection_state::reconciled);
        CHECK(c.counters().since_last_snapshot);
        auto const age = [&] { return c.counters().since_last_snapshot; };
        s.server.drop_listeners();
        co_await fell(age);
        CHECK(c.counters().reconnects == 1);
    };
    s.run(c, body());
}

TEST_CASE("connection() tells state, transport, what went wrong in the server's words, and when the next try is")
{
    served s;
    s.settings.transport = transport::websocket;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        connection_status status = c.connection();
        CHECK(status.state == connection_state::idle);
        CHECK(status.transport == transport::automatic);
        feed f = c.subscribe();
        co_await c.ready(10s);
        status = c.connection();
        CHECK(status.state == connection_state::reconciled);
        CHECK(status.transport == transport::websocket);
        CHECK_FALSE(status.last_error);
        CHECK_FALSE(status.next_try);
        s.server.refuse_for_maintenance("/:/websockets", testing::fake_server::always);
        s.server.drop_listeners();
        std::function<bool()> const refused = [&] {
            connection_status const now = c.connection();
            return now.state == connection_state::interrupted && now.last_error == errc::server_error;
        };
        co_await come_true(refused);
        status = c.connection();
        CHECK(status.transport == transport::automatic);
        CHECK(status.diagnostics.http_status() == 503);
        CHECK(status.diagnostics.body_excerpt().find("Maintenance") != std::string_view::npos);
        REQUIRE(status.next_try);
        CHECK(*status.next_try <= 30s);
    };
    s.run(c, body());
}

TEST_CASE("the feed's own lists and connections are counted among the calls'")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        CHECK(c.counters().requests == 1);    // its list
        CHECK(c.counters().connections == 2); // and one for itself
        co_await c.get_server_activities();
        CHECK(c.counters().requests == 2);
        CHECK(c.counters().connections == 2);
        s.server.drop_listeners();
        std::function<bool()> const again = [&] { return c.counters().reconnects == 1; };
        co_await come_true(again);
        co_await reach(c, connection_state::reconciled);
        CHECK(c.counters().requests == 3);
        CHECK(c.counters().connections == 3);
    };
    s.run(c, body());
}

TEST_CASE("that the feed was connected, lost and given up is logged at info; what was skipped at debug")
{
    for (log_level const level : {log_level::warning, log_level::info, log_level::debug}) {
        served s;
        std::vector<std::string> infos, details;
        s.settings.transport = transport::websocket;
        s.settings.logger.level = level;
        s.settings.logger.write = [&](log_level of, std::string_view line) {
            CHECK(of <= level);
            if (of == log_level::info)
                infos.emplace_back(line);
            else if (of == log_level::debug)
                details.emplace_back(line);
        };
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            co_await c.ready(10s);
            s.server.notify_raw("no JSON");
            s.server.start_activity(activity_named("scan"));
            co_await take(f, 1);
            s.server.drop_listeners();
            co_await reach(c, connection_state::interrupted);
            s.server.refuse("/", 404, {}, "text/html", testing::fake_server::always);
            co_await reach(c, connection_state::ended);
        };
        s.run(c, body());
        auto const says = [](std::vector<std::string> const& lines, std::string_view what) {
            return std::count_if(lines.begin(), lines.end(),
                                 [&](std::string const& line) { return line.find(what) != line.npos; });
        };
        CAPTURE(infos, details);
        if (level == log_level::warning) {
            CHECK(infos.empty());
            CHECK(details.empty());
            continue;
        }
        for (char const* state : {"connecting", "connected", "reconciled", "interrupted", "ended"})
            CHECK(says(infos, state) >= 1);
        CHECK(says(infos, "skipped") == 0);
        CHECK(says(details, "a notification was skipped") == (level == log_level::debug ? 1 : 0));
    }
}
