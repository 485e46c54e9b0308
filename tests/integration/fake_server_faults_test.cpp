// Each fault of the fake server's script, seen from the other end of the socket.
#include "fake_server_scene.hpp"

#include <optional>

using namespace plex::test;
using namespace plex::testing;
using namespace std::chrono_literals;

TEST_CASE("refusals come in the order they were scripted, each as often as asked, to what they match")
{
    scene s;
    s.server.refuse_for_maintenance("/activities", 2);
    s.server.refuse("GET /activities", 403);
    s.server.refuse_with("/activities", 301, "Location", "https://elsewhere/");
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 2; ++i) {
            raw_reply const busy = co_await client.get("/activities");
            CHECK(busy.says("503 Service Unavailable"));
            CHECK(busy.says("<Response code=\"503\" title=\"Maintenance\""));
            CHECK(busy.says("Content-Type: text/xml"));
        }
        raw_reply const deleted = co_await client.ask("DELETE", "/activities/x");
        CHECK(deleted.says("301 Moved Permanently"));
        CHECK(deleted.says("Location: https://elsewhere/"));
        raw_reply const untouched = co_await client.get("/identity");
        CHECK(untouched.says("200 OK"));
        raw_reply const forbidden = co_await client.get("/activities");
        CHECK(forbidden.says("<h1>403 Forbidden</h1>"));
        raw_reply const fine = co_await client.get("/activities");
        CHECK(fine.says("200 OK"));
    };
    run(s.io, body());
}

TEST_CASE("a held list shows the state of its request or of its release, as asked")
{
    as_of const state = GENERATE(as_of::request, as_of::release);
    scene s;
    s.server.start_activity(named("before"));
    s.server.hold("/activities", state);
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        client.request("GET", "/activities", as_json);
        co_await s.server.held_reached("/activities", 1);
        s.server.start_activity(named("between"));
        s.server.release("/activities");
        raw_reply const list = co_await client.reply();
        CHECK(list.says("before"));
        CHECK(list.says("between") == (state == as_of::release));
        CHECK(s.server.held("/activities") == 0);
        raw_reply const next = co_await client.get("/activities", as_json);
        CHECK(next.says("between"));
    };
    run(s.io, body());
}

TEST_CASE("a delayed reply comes no sooner than asked")
{
    scene s;
    s.server.delay("/activities", 30ms);
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        auto const began = std::chrono::steady_clock::now();
        raw_reply const list = co_await client.get("/activities");
        CHECK(list.says("200 OK"));
        CHECK(std::chrono::steady_clock::now() - began >= 30ms);
    };
    run(s.io, body());
}

TEST_CASE("a held feed lets the list be ahead of it, and forgets nothing")
{
    scene s;
    auto feed = s.client();
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        s.server.hold_feed();
        s.server.start_activity(named("a"));
        s.server.ping_listeners("held as well");
        raw_reply const list = co_await client.get("/activities", as_json);
        CHECK(list.says("\"a\""));
        CHECK(feed.socket().available() == 0);
        s.server.release_feed();
        raw_frame const started = co_await feed.frame();
        CHECK(started.payload.find("started") != std::string::npos);
    };
    run(s.io, body());
}

TEST_CASE("a hidden activity is told of, and not listed until it is shown")
{
    scene s;
    auto feed = s.client();
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        s.server.hide_from_list("theirs");
        s.server.start_activity(named("theirs"));
        raw_frame const started = co_await feed.frame();
        CHECK(started.payload.find("theirs") != std::string::npos);
        raw_reply const list = co_await client.get("/activities", as_json);
        CHECK(list.says("\"size\":0"));
        s.server.show_in_list("theirs");
        raw_reply const shown = co_await client.get("/activities", as_json);
        CHECK(shown.says("theirs"));
    };
    run(s.io, body());
}

TEST_CASE("a reply is cut at the byte")
{
    auto const bytes = GENERATE(as<std::size_t>{}, 0, 1, 17, 120);
    scene s;
    s.server.start_activity(named("a"));
    s.server.cut("/activities", bytes);
    auto client = s.client();
    auto whole = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        client.request("GET", "/activities");
        std::string const got = co_await client.rest();
        CHECK(client.end_reason() == asio::error::eof);
        raw_reply const list = co_await whole.get("/activities");
        CHECK(got == (list.head + list.body).substr(0, bytes));
    };
    run(s.io, body());
}

TEST_CASE("raw bytes take the place of a reply")
{
    scene s;
    s.server.reply_raw("/activities", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort");
    s.server.reply_raw("/identity", "garbage", true);
    auto client = s.client();
    auto second = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        second.request("GET", "/identity");
        std::string const garbage = co_await second.bytes(7);
        CHECK(garbage == "garbage");
        raw_reply const next = co_await second.get("/identity");
        CHECK(next.says("200 OK"));
        client.request("GET", "/activities");
        std::string const lie = co_await client.rest();
        CHECK(lie.substr(lie.size() - 9) == "\r\n\r\nshort");
    };
    run(s.io, body());
}

TEST_CASE("connections can be refused, and accepted without a word")
{
    scene s;
    s.server.refuse_connections(1);
    auto refused = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        std::string const nothing = co_await refused.rest();
        CHECK(nothing.empty());
        s.server.stall_connections(1);
        auto stalled = s.client();
        auto fine = s.client();
        stalled.request("GET", "/identity");
        s.server.stall("/activities");
        auto unanswered = s.client();
        unanswered.request("GET", "/activities");
        raw_reply const identity = co_await fine.get("/identity");
        CHECK(identity.says("200 OK"));
        co_await s.server.requests_reached("/activities", 1);
        CHECK(stalled.socket().available() == 0);
        CHECK(unanswered.socket().available() == 0);
        CHECK(s.server.requests().size() == 2);
    };
    run(s.io, body());
}

TEST_CASE("a stopped server leaves nothing to run, whatever it was doing, and may come back on its port")
{
    fake_server_options options;
    options.ping_interval = 1h;
    options.call_duration = 1h;
    asio::io_context io;
    std::optional<fake_server> server;
    server.emplace(io.get_executor(), options);
    std::uint16_t const port = server->port();
    server->hold("/activities");
    server->delay("/identity", 1h);
    server->stall("/library/optimize");
    raw_client feed(io, port), stream(io, port), held(io, port), delayed(io, port), unanswered(io, port);
    raw_client idle(io, port), call(io, port);
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        stream.request("GET", "/:/eventsource/notifications");
        held.request("GET", "/activities");
        delayed.request("GET", "/identity");
        unanswered.request("PUT", "/library/optimize");
        co_await call.ask("POST", "/media/subscriptions/process");
        co_await server->listeners_reached(2);
        co_await server->requests_reached("/", 6);
        server->stop();
        co_await feed.rest();
        co_await idle.rest();
        co_await held.rest();
    };
    run(io, body());
    io.run_for(10s);
    CHECK(io.stopped());
    CHECK_THROWS(raw_client(io, port));
    options.port = port;
    server.emplace(io.get_executor(), options);
    CHECK(server->port() == port);
    raw_client again(io, port);
    auto once_more = [&]() -> asio::awaitable<void> {
        raw_reply const list = co_await again.get("/activities");
        CHECK(list.says("200 OK"));
    };
    run(io, once_more());
}

TEST_CASE("peers see the end of a server at once, though nobody runs it any more")
{
    asio::io_context io;
    asio::io_context client_io;
    std::optional<fake_server> server(std::in_place, io.get_executor());
    raw_client feed(client_io, server->port());
    feed.request("GET", "/:/eventsource/notifications");
    while (server->listeners() == 0)
        io.run_one();
    server.reset();
    auto body = [&]() -> asio::awaitable<void> {
        std::string const stream = co_await feed.rest();
        CHECK(stream.find("event: ping") != std::string::npos);
    };
    run(client_io, body());
}
