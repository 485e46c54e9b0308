#include "proxy_fixture.hpp"

// Through reverse proxies as people run them, with a base path.

using namespace plex;
using namespace plex::test;

namespace {

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("a scan is heard whole through nginx and HAProxy, whether they keep the base path or take it away")
{
    over_each_proxy_and_transport([](proxy_kind kind, transport over) {
        for (base_path const base : {base_path::stripped, base_path::kept}) {
            CAPTURE(base == base_path::kept);
            proxied s({kind, base}, over);
            client c(s.io.get_executor(), s.settings);
            listening heard(c);
            auto body = [&]() -> asio::awaitable<void> {
                co_await c.ready(30s);
                CHECK(c.connection().transport == over);
                testing::scan_options scan;
                scan.uuid = "scan";
                scan.duration = 1s;
                co_await s.server.play_scan(scan);
                co_await until([&] { return heard.ended("scan"); });
            };
            s.run(c, body());
            CHECK(heard.updates("scan") == testing::fake_server::scan_events - 2);
            CHECK(heard.inferred() == 0);
            CHECK(heard.out_of_order() == strings());
            CHECK(c.counters().malformed == 0);
            CHECK(c.counters().reconnects == 0);
            for (testing::seen_request const& r : s.server.requests())
                CHECK((r.target.rfind("/plex/", 0) == 0) == (base == base_path::kept));
        }
    });
}

// What nginx does by itself: no upgrades, and of a stream it passes on 4 KiB at a time, its head too.
namespace {

std::size_t asked(proxied const& s, std::string const& path)
{
    std::vector<testing::seen_request> const all = s.server.requests();
    auto const same = [&](testing::seen_request const& r) { return r.path == path; };
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), same));
}

proxy_options untuned_nginx()
{
    proxy_options result;
    result.tuned = false;
    return result;
}

} // namespace

TEST_CASE("through an nginx that passes no upgrades and buffers streams, a quiet server is polled")
{
    proxied s(untuned_nginx(), transport::automatic);
    s.settings.connect_timeout = 1s;
    s.settings.idle_limit = 1s;
    client c(s.io.get_executor(), s.settings);
    listening heard(c);
    auto body = [&]() -> asio::awaitable<void> {
        s.server.start_activity(activity_named("scan"));
        co_await until([&] { return heard.started("scan"); });
        CHECK(c.connection().transport == transport::polling);
        s.server.end_activity("scan");
        co_await until([&] { return heard.ended("scan"); });
    };
    s.run(c, body());
    CHECK(asked(s, "/:/websockets/notifications") == 1);
    CHECK(asked(s, "/:/eventsource/notifications") == 3);
    CHECK(heard.out_of_order() == strings());
}

TEST_CASE("through an nginx that buffers streams, an end that it keeps back is told by polling")
{
    proxied s(untuned_nginx(), transport::automatic);
    s.settings.connect_timeout = 1s;
    s.settings.idle_limit = 1s;
    client c(s.io.get_executor(), s.settings);
    listening heard(c);
    auto body = [&]() -> asio::awaitable<void> {
        testing::scan_options scan;
        scan.uuid = "scan";
        scan.duration = 3s;
        co_await s.server.play_scan(scan);
        CHECK(heard.updates("scan") > 100);
        CHECK_FALSE(heard.ended("scan"));
        co_await until([&] { return heard.ended("scan"); });
        CHECK(c.connection().transport == transport::polling);
    };
    s.run(c, body());
    CHECK(heard.out_of_order() == strings());
}
