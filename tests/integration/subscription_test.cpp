#include "feed_fixture.hpp"

#include <memory>

// The callback form of a feed: what it may do while it is called, and when it is called no more.

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("subscribing with no function to call back is refused")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    error_code code;
    try {
        subscription const none = c.subscribe(filter(), event_function());
    } catch (error const& e) {
        code = e.code();
    }
    CHECK(code == errc::invalid_argument);
    CHECK(c.connection().state == connection_state::idle);
}

TEST_CASE("a subscription whose function keeps up is called for every event, and leaves none out")
{
    served s;
    s.settings.conflate_after = 1;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        std::size_t called = 0;
        subscription const heard = c.subscribe(filter(), [&](activity_event const&) { ++called; });
        co_await c.ready(10s);
        asio::co_spawn(s.io, s.server.play_scan(), asio::detached);
        std::function<bool()> const all = [&] { return called == testing::fake_server::scan_events; };
        co_await come_true(all);
        CHECK(heard.conflated() == 0);
        CHECK(subscription().conflated() == 0);
    };
    s.run(c, body());
}

TEST_CASE("a callback may destroy the client whether the feed or the list has told it, of a start or of an end")
{
    for (bool const at_start : {true, false}) {
        CAPTURE(at_start);
        served s;
        s.server.start_activity(activity_named("scan"));
        auto c = std::make_unique<client>(s.io.get_executor(), s.settings);
        auto const executor = c->get_executor();
        lines heard;
        auto body = [&]() -> asio::awaitable<void> {
            subscription const own = c->subscribe(filter(), [&](activity_event const& e) {
                heard.push_back(told(e));
                if ((e.kind == event_kind::started) == at_start)
                    c.reset();
            });
            if (!at_start) {
                co_await c->ready(10s);
                s.server.drop_listeners(testing::abrupt::rst);
                s.server.end_activity("scan"); // which only a later list shows
            }
            std::function<bool()> const gone = [&] { return !c; };
            co_await come_true(gone);
            CHECK(own.stopped());
            co_await s.server.connections_open_fell_to(0);
        };
        test::run(s.io, executor, body());
        CHECK(heard == (at_start ? lines{"started! scan 0"} : lines{"started! scan 0", "ended! scan 0"}));
    }
}

TEST_CASE("a subscription that is stopped by what another is told of the end is told nothing")
{
    served s;
    s.settings.transport = transport::websocket;
    s.server.refuse("/:/websockets", 404, {}, "text/html", testing::fake_server::always);
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        auto const ignore = [](activity_event const&) {};
        lines ends;
        subscription second;
        subscription const first = c.subscribe(filter(), ignore, [&](error_code, diagnostics const&) {
            ends.push_back("first");
            second.stop();
        });
        second = c.subscribe(filter(), ignore, [&](error_code, diagnostics const&) { ends.push_back("second"); });
        subscription const third =
            c.subscribe(filter(), ignore, [&](error_code, diagnostics const&) { ends.push_back("third"); });
        co_await reach(c, connection_state::ended);
        std::function<bool()> const all = [&] { return ends.size() == 2; };
        co_await come_true(all);
        CHECK(ends == lines{"first", "third"});
    };
    s.run(c, body());
}
