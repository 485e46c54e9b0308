#include "proxy_fixture.hpp"

// A proxy that dies and comes back.

using namespace plex;
using namespace plex::test;

namespace {

using strings = std::vector<std::string>;

/// Lives of a tenth of a second, three at a time, for as long as a scan is played.
asio::awaitable<void> short_lives(testing::fake_server& server, bool& scanning)
{
    asio::steady_timer next(co_await asio::this_coro::executor);
    std::vector<std::string> running;
    for (int i = 0; scanning || !running.empty(); ++i) {
        if (scanning)
            running.push_back(server.start_activity(activity_named("short " + std::to_string(i), "butler")));
        if (running.size() > 3 || !scanning) {
            server.end_activity(running.front());
            running.erase(running.begin());
        }
        next.expires_after(30ms);
        co_await next.async_wait(asio::use_awaitable);
    }
}

} // namespace

TEST_CASE("a proxy restarted in the middle of a scan costs no life but those wholly inside the gap")
{
    over_each_proxy_and_transport([](proxy_kind kind, transport over) {
        testing::fake_server_options options;
        options.event_stream_ping_interval = 200ms;
        proxy_options how;
        how.kind = kind;
        proxied s(how, over, options);
        client c(s.io.get_executor(), s.settings);
        listening heard(c);
        bool scanning = true;
        bool all_over = false;
        auto activities = [&]() -> asio::awaitable<void> {
            auto play = [&]() -> asio::awaitable<void> {
                testing::scan_options scan;
                scan.uuid = "scan";
                scan.duration = 4s;
                co_await s.server.play_scan(scan);
                scanning = false;
            };
            asio::co_spawn(s.io, play(), asio::detached);
            co_await short_lives(s.server, scanning);
            all_over = true;
        };
        auto body = [&]() -> asio::awaitable<void> {
            co_await c.ready(30s);
            asio::co_spawn(s.io, activities(), asio::detached);
            co_await until([&] { return heard.updates("scan") > 200; });
            s.front.kill();
            co_await until([&] { return c.connection().state == connection_state::interrupted; });
            CHECK(scanning);
            s.front.start();
            co_await until([&] { return all_over; });
            // Once this one is known, all that was told before has come, and what was not told is being inferred.
            s.server.start_activity(activity_named("last"));
            co_await until([&] { return heard.started("last"); });
            s.server.end_activity("last");
            co_await until([&] { return heard.ended("last") && c.running().activities.empty(); });
        };
        s.run(c, body());
        CHECK(c.counters().reconnects == 1);
        CHECK(c.counters().revived == 0);
        listening::judgement const found = heard.judge(s.server.truth());
        CHECK(found.lost == strings());
        CHECK(found.made_up == strings());
        CHECK(heard.out_of_order() == strings());
        CHECK(heard.inferred() > 0);
        CHECK(found.wholly_inside_gaps > 0); // so there was a gap to be judged
    });
}
