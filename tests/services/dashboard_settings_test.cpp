#include "dashboard/dashboard_settings.hpp"

#include "dashboard/board.hpp"
#include "scratch.hpp"
#include "services/http_server.hpp"

#include <plex/json.hpp>

#include <string>

using namespace plex;
using plex::test::scratch;

TEST_CASE("a dashboard of which the file says nothing listens on loopback, port 8484, and lets nobody cancel")
{
    scratch const folder;
    service::config_file const file(folder.file("config.json", R"({"servers": [{"url": "http://a"}]})"));
    dashboard::dashboard_settings const s = dashboard::settings_of(file);
    CHECK(s.listen.address().to_string() == "127.0.0.1");
    CHECK(s.listen.port() == 8484);
    CHECK(s.cancel_token.empty());
    CHECK(s.hosts.empty());
}

TEST_CASE("a browser has ten seconds for a request and twenty to take a piece, and 256 connections are 200 readers")
{
    service::http_limits const l;
    CHECK(l.request == std::chrono::seconds(10));
    CHECK(l.write == std::chrono::seconds(20));
    CHECK(l.connections == 256);
    CHECK(l.readers == 200);
    CHECK(l.header == 8 << 10);
    CHECK(l.body == 4 << 10);
}

TEST_CASE("a piece of the event stream is 256 KiB and one thing more at most")
{
    dashboard::board board(false);
    board.configured({"here"});
    for (int i = 0; i != 2'000; ++i) {
        activity_event e;
        e.activity = *activity_from_json_text(R"({"uuid":"u)" + std::to_string(i) + R"(","title":")" +
                                              std::string(400, 'x') + "\"}");
        board.event("here", e);
    }
    dashboard::bookmark at;
    auto const piece = board.news(at, {});
    REQUIRE(piece);
    CHECK(piece->size() > 256 << 10);
    CHECK(piece->size() < 258 << 10);
}
