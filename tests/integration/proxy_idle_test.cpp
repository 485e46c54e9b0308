#include "proxy_fixture.hpp"

// Proxies close what has been silent for too long.

using namespace plex;
using namespace plex::test;

namespace {

using strings = std::vector<std::string>;

proxy_options impatient(proxy_kind kind, std::chrono::seconds idle)
{
    proxy_options result;
    result.kind = kind;
    result.idle = idle;
    return result;
}

} // namespace

TEST_CASE("a proxy that closes quiet connections is outlived: each loss is mended, and lives stay whole")
{
    over_each_proxy_and_transport([](proxy_kind kind, transport over) {
        proxied s(impatient(kind, 1s), over); // its event stream is pinged every 10 s
        s.settings.ping_after = 1min;
        client c(s.io.get_executor(), s.settings);
        listening heard(c);
        auto body = [&]() -> asio::awaitable<void> {
            co_await c.ready(30s);
            s.server.start_activity(activity_named("runs"));
            co_await until([&] { return c.connection().state == connection_state::interrupted; });
            CHECK(c.connection().last_error == errc::connection_failed);
            s.server.start_activity(activity_named("comes in a gap"));
            co_await until([&] { return heard.started("comes in a gap"); });
            co_await until([&] { return c.counters().reconnects >= 2; });
            co_await until([&] { return c.connection().state == connection_state::reconciled; });
            s.server.end_activity("runs");
            s.server.end_activity("comes in a gap");
            co_await until([&] { return heard.ended("runs") && heard.ended("comes in a gap"); });
        };
        s.run(c, body());
        listening::judgement const found = heard.judge(s.server.truth());
        CHECK(found.lost == strings());
        CHECK(found.made_up == strings());
        CHECK(heard.out_of_order() == strings());
        CHECK(heard.inferred() == 1); // the start that nobody heard
    });
}

TEST_CASE("pings more often than a proxy's idle time-out keep the connection")
{
    over_each_proxy_and_transport([](proxy_kind kind, transport over) {
        testing::fake_server_options options;
        options.event_stream_ping_interval = 200ms;
        proxied s(impatient(kind, 2s), over, options);
        s.settings.ping_after = 200ms;
        client c(s.io.get_executor(), s.settings);
        listening heard(c);
        auto body = [&]() -> asio::awaitable<void> {
            co_await c.ready(30s);
            s.server.start_activity(activity_named("runs"));
            co_await pass(5s);
            CHECK(c.connection().state == connection_state::reconciled);
            s.server.end_activity("runs");
            co_await until([&] { return heard.ended("runs"); });
        };
        s.run(c, body());
        CHECK(c.counters().reconnects == 0);
        CHECK(heard.inferred() == 0);
        CHECK(heard.out_of_order() == strings());
    });
}
