#include "calls_fixture.hpp"

// What is asked of a client that has stopped, and of what it gave.

using namespace plex;
using namespace plex::test;

TEST_CASE("whatever is asked of a client that has stopped has stopped too, or says so")
{
    for (bool const used : {false, true}) {
        CAPTURE(used);
        call_scene s;
        bool told = false;
        s.run([&]() -> asio::awaitable<void> {
            client& c = s.client();
            if (used)
                co_await c.ready(10s);
            std::uint64_t const requests = c.counters().requests;
            c.stop();

            feed f = c.subscribe();
            CHECK(f.stopped());
            CHECK_FALSE(f.try_next().has_value());
            co_await f.wait();
            std::optional<activity_event> const event = co_await f.next();
            CHECK_FALSE(event.has_value());
            subscription const heard = c.subscribe(
                filter(), [&](activity_event const&) { told = true; },
                [&](error_code, diagnostics const&) { told = true; });
            CHECK(heard.stopped());

            error outcome = co_await failure_of(c.ready());
            CHECK(outcome.code() == errc::stopped);
            outcome = co_await failure_of(c.start(scan_section(3)));
            CHECK(outcome.code() == errc::stopped);
            outcome = co_await failure_of(c.wait_until_idle(filter(), 1ms));
            CHECK(outcome.code() == errc::stopped);
            outcome = co_await failure_of(c.get_server_activities());
            CHECK(outcome.code() == errc::stopped);
            CHECK(contains(outcome.what(), s.settings.url));
            co_await c.close(10s); // again
            CHECK(c.counters().requests == requests);
        });
        CHECK_FALSE(told);
    }
}

TEST_CASE("an operation of a client that has stopped has no more events, and can neither end nor be cancelled")
{
    call_scene s;
    s.server.reply_raw("GET /silent", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, fake_server::always);
    s.run([&]() -> asio::awaitable<void> {
        // Which is cancelled by its uuid, once there is one.
        activity_request const silent(request("GET", "/silent"), filter().type("butler"));
        operation o = co_await s.client().start(silent);
        s.client().stop();
        std::optional<activity_event> const event = co_await o.next();
        CHECK_FALSE(event.has_value());
        error outcome = co_await failure_of(o.result());
        CHECK(outcome.code() == errc::stopped);
        outcome = co_await failure_of(o.cancel());
        CHECK(outcome.code() == errc::stopped);
    });
}

TEST_CASE("an operation that was never started has no events, no result and nothing to cancel")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        operation never;
        std::optional<activity_event> const event = co_await never.next();
        CHECK_FALSE(event.has_value());
        error outcome = co_await failure_of(never.result());
        CHECK(outcome.code() == errc::stopped);
        outcome = co_await failure_of(never.cancel());
        CHECK(outcome.code() == errc::stopped);
        CHECK(never.reply().status() == 0);
        activity const none = never.activity();
        CHECK(none.uuid().empty());
        never.stop();
    });
}
