#include "feed_fixture.hpp"

#include <plex/generator.hpp>

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a feed tells an activity's whole life in order")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        s.server.update_activity("scan", 50);
        s.server.end_activity("scan");
        lines const got = co_await take(f, 3);
        CHECK(got == lines{"started scan 0", "updated scan 50", "ended scan 100"});
        f.stop();
    };
    s.run(c, body());
}

TEST_CASE("what runs before the feed opens is told as started, inferred, and its end follows")
{
    served s;
    s.server.start_activity(activity_named("scan"));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        lines const first = co_await take(f, 1);
        CHECK(first == lines{"started! scan 0"});
        s.server.end_activity("scan");
        lines const last = co_await take(f, 1);
        CHECK(last == lines{"ended scan 100"});
    };
    s.run(c, body());
}

TEST_CASE("many subscribers share one connection, and a late one first hears what runs")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        lines const first = co_await take(f, 1);
        CHECK(first == lines{"started scan 0"});
        feed late = c.subscribe();
        feed filtered = c.subscribe(filter().type("media."));
        lines const inferred = co_await take(late, 1);
        CHECK(inferred == lines{"started! scan 0"});
        s.server.start_activity(activity_named("credits", "media.generate.credits"));
        s.server.end_activity("scan");
        lines const both = co_await take(late, 2);
        CHECK(both == lines{"started credits 0", "ended scan 100"});
        lines const media = co_await take(filtered, 1);
        CHECK(media == lines{"started credits 0"});
        CHECK(s.server.counters().websocket_upgrades == 1);
        CHECK(s.server.listeners() == 1);
    };
    s.run(c, body());
}

TEST_CASE("a subscription calls back, never inside subscribe, and its exception leaves run() while others go on")
{
    served s;
    s.server.start_activity(activity_named("running"));
    client c(s.io.get_executor(), s.settings);
    lines good;
    std::size_t thrown = 0;
    subscription throwing;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        bool inside = true;
        subscription quiet = c.subscribe(filter(), [&](activity_event const& e) {
            CHECK_FALSE(inside);
            good.push_back(told(e));
        });
        throwing = c.subscribe(filter(), [&](activity_event const&) {
            ++thrown;
            throw std::runtime_error("of the user");
        });
        inside = false;
        s.server.end_activity("running");
        while (good.size() < 2) {
            std::optional<activity_event> const event = co_await f.next();
            CHECK(event.has_value());
            asio::steady_timer turn(s.io, 1ms);
            co_await turn.async_wait(asio::use_awaitable);
        }
        CHECK(quiet.stopped() == false);
    };
    bool done = false;
    asio::co_spawn(c.get_executor(), body(), [&](std::exception_ptr e) {
        done = true;
        if (e)
            std::rethrow_exception(e);
    });
    std::size_t rethrown = 0;
    auto const until = std::chrono::steady_clock::now() + 30s;
    while (!done && std::chrono::steady_clock::now() < until) {
        try {
            s.io.run_one_until(until);
        } catch (std::runtime_error const& e) {
            CHECK(std::string(e.what()) == "of the user");
            ++rethrown;
        }
    }
    REQUIRE(done);
    CHECK(rethrown == 1);
    CHECK(thrown == 1);
    CHECK(throwing.stopped());
    CHECK(good == lines{"started! running 0", "ended running 100"});
}

TEST_CASE("a callback may destroy its own subscription, others, and the client")
{
    served s;
    auto c = std::make_unique<client>(s.io.get_executor(), s.settings);
    auto const executor = c->get_executor();
    std::size_t calls = 0;
    std::size_t others = 0;
    subscription own, other;
    auto body = [&]() -> asio::awaitable<void> {
        own = c->subscribe(filter(), [&](activity_event const&) {
            ++calls;
            other = subscription();
            own = subscription();
            c.reset();
        });
        other = c->subscribe(filter(), [&](activity_event const&) { ++others; });
        co_await s.server.listeners_reached(1);
        s.server.start_activity(activity_named("a"));
        s.server.start_activity(activity_named("b"));
        while (c) {
            asio::steady_timer turn(s.io, 1ms);
            co_await turn.async_wait(asio::use_awaitable);
        }
    };
    test::run(s.io, executor, body());
    CHECK(calls == 1);
    CHECK(others == 0);
}

TEST_CASE("a generator yields the events, filtered and mapped by another one")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    struct titles {
        static generator<std::string> of(generator<activity_event> source)
        {
            for (;;) {
                std::optional<activity_event> const event = co_await source.next();
                if (!event)
                    co_return;
                if (event->kind != event_kind::ended)
                    continue;
                std::string title(event->activity.uuid());
                co_yield std::move(title);
            }
        }
    };
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        generator<std::string> ended = titles::of(events(std::move(f)));
        for (char const* uuid : {"one", "two"}) {
            s.server.start_activity(activity_named(uuid));
            s.server.end_activity(uuid);
        }
        std::optional<std::string> const first = co_await ended.next();
        CHECK(first == std::optional<std::string>("one"));
        std::optional<std::string> const second = co_await ended.next();
        CHECK(second == std::optional<std::string>("two"));
        c.stop();
        std::optional<std::string> const last = co_await ended.next();
        CHECK_FALSE(last.has_value());
    };
    s.run(c, body());
}

TEST_CASE("every event of a scan of 1,556 reaches a subscriber that keeps up")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        asio::co_spawn(s.io, s.server.play_scan(), asio::detached);
        std::size_t events = 0;
        for (;;) {
            std::optional<activity_event> const event = co_await f.next();
            REQUIRE(event.has_value());
            ++events;
            CHECK_FALSE(event->inferred);
            if (event->kind == event_kind::ended)
                break;
        }
        CHECK(events == testing::fake_server::scan_events);
        CHECK(f.conflated() == 0);
        plex::counters const counted = c.counters();
        CHECK(counted.events == testing::fake_server::scan_events);
        CHECK(counted.malformed == 0);
    };
    s.run(c, body());
}

TEST_CASE("a second concurrent wait fails, the first goes on")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        bool first_done = false;
        auto first = [&]() -> asio::awaitable<void> {
            co_await f.wait();
            first_done = true;
        };
        asio::co_spawn(c.get_executor(), first(), asio::detached);
        asio::steady_timer turn(s.io, 1ms);
        co_await turn.async_wait(asio::use_awaitable);
        error_code code;
        try {
            co_await f.wait();
        } catch (error const& e) {
            code = e.code();
        }
        CHECK(code == errc::operation_in_progress);
        s.server.start_activity(activity_named("scan"));
        while (!first_done) {
            turn.expires_after(1ms);
            co_await turn.async_wait(asio::use_awaitable);
        }
        std::optional<activity_event> const event = f.try_next();
        CHECK(event.has_value());
    };
    s.run(c, body());
}

TEST_CASE("ready fails with the reason when the first contact fails; what a later try may mend does not end the feed")
{
    served s;
    s.settings.transport = transport::websocket;
    struct expectation {
        unsigned status;
        errc code;
        bool ends;
    };
    for (expectation const& x :
         {expectation{400, errc::bad_request, true}, expectation{401, errc::unauthorized, true},
          expectation{403, errc::forbidden, true}, expectation{404, errc::not_found, true},
          expectation{301, errc::redirected, true}, expectation{200, errc::malformed_reply, true},
          expectation{500, errc::server_error, false}, expectation{503, errc::server_error, false}}) {
        CAPTURE(x.status);
        s.server.refuse("/:/websockets", x.status);
        client c(s.io.get_executor(), s.settings);
        error_code feed_code;
        int status = 0;
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            error_code code;
            try {
                co_await c.ready(10s);
            } catch (error const& e) {
                code = e.code();
                status = e.diagnostics().http_status();
                CHECK(std::string(e.what()).find(s.server.url()) != std::string::npos);
            }
            CHECK(code == x.code);
            CHECK((c.connection().state == connection_state::ended) == x.ends);
            if (!x.ends)
                co_return;
            try {
                std::optional<activity_event> const event = co_await f.next();
                CHECK_FALSE(event.has_value());
            } catch (error const& e) {
                feed_code = e.code();
            }
            CHECK(f.stopped());
        };
        s.run(c, body());
        CHECK((feed_code == x.code) == x.ends);
        CHECK(status == static_cast<int>(x.status));
    }
}

TEST_CASE("running() is what the feed knows, with the age of the snapshot")
{
    served s;
    s.server.start_activity(activity_named("scan"));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        CHECK_FALSE(c.running().snapshot_age.has_value());
        feed f = c.subscribe();
        co_await c.ready(10s);
        running_activities const r = c.running();
        REQUIRE(r.activities.size() == 1);
        CHECK(r.activities.front().uuid() == "scan");
        REQUIRE(r.snapshot_age.has_value());
        CHECK(*r.snapshot_age < 10s);
        CHECK(c.connection().state == connection_state::reconciled);
        CHECK(c.connection().transport == transport::websocket);
    };
    s.run(c, body());
}

TEST_CASE("the upgrade and every request say who we are, and no URL holds the token")
{
    testing::fake_server_options options;
    options.token = "s3cret-token";
    options.require_client_identifier = true;
    served s(options);
    s.settings.token = "s3cret-token";
    s.settings.identity.device_name = "a test";
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
    };
    s.run(c, body());
    REQUIRE(s.server.requests().size() >= 2);
    for (testing::seen_request const& r : s.server.requests()) {
        CAPTURE(r.target);
        CHECK(r.header("X-Plex-Token") == std::optional<std::string>("s3cret-token"));
        CHECK(r.header("X-Plex-Client-Identifier").value_or("").size() == 32);
        CHECK(r.header("X-Plex-Product") == std::optional<std::string>("plex-activities"));
        CHECK(r.header("X-Plex-Device-Name") == std::optional<std::string>("a test"));
        CHECK(r.target.find("s3cret") == std::string::npos);
    }
}

TEST_CASE("close says goodbye to the server and ends feeds without an error")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        co_await c.close(5s);
        std::optional<activity_event> const event = co_await f.next();
        CHECK_FALSE(event.has_value());
        CHECK(f.stopped());
        CHECK(s.server.counters().closes_received == 1);
    };
    s.run(c, body());
}

TEST_CASE("a client that is stopped says nothing to the server")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed const f = c.subscribe();
        co_await c.ready(10s);
        c.stop();
        std::function<bool()> const gone = [&s] { return s.server.counters().connections_open == 0; };
        co_await until(gone);
        CHECK(s.server.counters().closes_received == 0);
    };
    s.run(c, body());
}

TEST_CASE("a subscriber that sleeps through a scan of 100,000 updates then hears its start, its latest state, its end")
{
    testing::fake_server_options options;
    options.keep_records = false;
    served s(options);
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed sleeper = c.subscribe();
        feed prompt = c.subscribe();
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        std::size_t heard = 0;
        for (int i = 0; i < 100'000; ++i) {
            s.server.update_activity("scan", i % 100, "Film " + std::to_string(i));
            if (i % 100 != 99)
                continue;
            std::function<bool()> const here = [&] { return c.counters().events >= static_cast<std::size_t>(i) + 2; };
            co_await come_true(here);
            while (prompt.try_next())
                ++heard;
        }
        s.server.end_activity("scan");
        std::function<bool()> const over = [&] { return c.counters().events == 100'002; };
        co_await come_true(over);
        while (prompt.try_next())
            ++heard;
        CHECK(heard == 100'002);
        CHECK(prompt.conflated() == 0);
        CHECK(c.counters().pending == 3);
        lines const all = co_await take(sleeper, 3);
        CHECK(all == lines{"started scan 0", "updated scan 99", "ended scan 100"});
        CHECK_FALSE(sleeper.try_next().has_value());
        CHECK(sleeper.conflated() == 99'999);
        CHECK(c.counters().pending == 0);
    };
    s.run(c, body());
}
