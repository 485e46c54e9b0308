// The live side of the fake server, frame by frame.
#include "fake_server_scene.hpp"

#include <algorithm>
#include <vector>

using namespace plex::test;
using namespace plex::testing;
using namespace std::chrono_literals;

TEST_CASE("the feed's upgrade wants a good token and an Upgrade")
{
    fake_server_options options;
    options.token = "secret";
    scene s(options);
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        raw_reply const refused = co_await client.upgrade();
        CHECK(refused.says("401 Unauthorized"));
        raw_reply const plain = co_await client.get("/:/websockets/notifications", "X-Plex-Token: secret\r\n");
        CHECK(plain.says("400 Bad Request"));
        raw_reply const accepted = co_await client.upgrade("?X-Plex-Token=secret");
        CHECK(accepted.says("101 Switching Protocols"));
        CHECK(accepted.says("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")); // RFC 6455 1.3 has this pair
    };
    run(s.io, body());
    CHECK(s.server.counters().connections_accepted == 1);
}

TEST_CASE("filters choose what a listener hears")
{
    struct choice {
        char const* query;
        bool activity, status, log;
    };
    auto const wanted =
        GENERATE(choice{"", true, true, false}, choice{"?filters=activity", true, false, false},
                 choice{"?filters=status,activity", true, true, false}, choice{"?filters=", true, true, true},
                 choice{"?filters=-activity,status", false, false, true}, choice{"?filters=-log", true, true, false},
                 choice{"?filters=log", false, false, true});
    scene s;
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await client.upgrade(wanted.query);
        s.server.start_activity(named("a"));
        s.server.notify_others();
        s.server.notify_raw("last");
        auto const heard = co_await heard_until(client, "last");
        auto const has = [&](char const* what) { return std::count(heard.begin(), heard.end(), what) == 1; };
        INFO(wanted.query);
        CHECK(has("started a 0") == wanted.activity);
        CHECK(has("status") == wanted.status);
        CHECK(has("log") == wanted.log);
    };
    run(s.io, body());
}

TEST_CASE("a feed can be cut within its handshake and within a frame")
{
    bool const within_handshake = GENERATE(true, false);
    scene s;
    auto sample = s.client();
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        raw_reply const handshake = co_await sample.upgrade();
        std::size_t const bytes = handshake.head.size() - 10 + (within_handshake ? 0 : 110);
        s.server.cut("/:/websockets", bytes);
        raw_reply const accepted = co_await client.upgrade();
        if (!within_handshake) {
            s.server.start_activity(named("a"));
            std::string const frames = co_await client.rest();
            CHECK(frames.size() == 100);
            CHECK(frames.substr(4, 24) == R"({"NotificationContainer")");
        } else {
            CHECK(accepted.head.size() == bytes);
            CHECK(accepted.head.find("\r\n\r\n") == std::string::npos);
        }
        CHECK(client.end_reason() == (within_handshake ? client.end_reason() : asio::error::eof));
    };
    run(s.io, body());
}

TEST_CASE("a listener that is registered late hears nothing of what came before")
{
    scene s;
    s.server.register_listeners_late();
    auto feed = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        raw_reply const accepted = co_await feed.upgrade();
        CHECK(accepted.says("101"));
        CHECK(s.server.listeners() == 0);
        s.server.start_activity(named("early"));
        s.server.register_listeners();
        CHECK(s.server.listeners() == 1);
        s.server.start_activity(named("later"));
        raw_frame const first = co_await feed.frame();
        CHECK(first.payload.find("later") != std::string::npos);
    };
    run(s.io, body());
}

TEST_CASE("a listener may be registered some time after its handshake")
{
    scene s;
    s.server.register_listeners_late(5ms);
    auto feed = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        CHECK(s.server.listeners() == 0);
        s.server.start_activity(named("early"));
        co_await s.server.listeners_reached(1);
        s.server.start_activity(named("later"));
        raw_frame const first = co_await feed.frame();
        CHECK(first.payload.find("later") != std::string::npos);
    };
    run(s.io, body());
}

TEST_CASE("pings are answered with their payload, until the listener is frozen")
{
    scene s;
    auto feed = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        feed.send_frame(9, "hello");
        raw_frame const pong = co_await feed.frame();
        CHECK(pong.opcode == 10);
        CHECK(pong.payload == "hello");
        s.server.ping_listeners("are you there");
        raw_frame const ping = co_await feed.frame();
        CHECK(ping.opcode == 9);
        CHECK(ping.payload == "are you there");
        feed.send_frame(10, "are you there");
        s.server.freeze_listeners();
        s.server.start_activity(named("a"));
        feed.send_frame(9, "again");
        co_await s.server.pings_reached(2);
        co_await s.server.flushed();
        CHECK(feed.socket().available() == 0);
        CHECK(s.server.counters().pongs_received == 1);
        s.server.thaw_listeners();
        raw_frame const one = co_await feed.frame();
        raw_frame const other = co_await feed.frame();
        std::string const both = one.payload + other.payload;
        CHECK(both.find("started") != std::string::npos);
        CHECK(both.find("again") != std::string::npos);
    };
    run(s.io, body());
}

TEST_CASE("listeners are closed after all they were told, with the code asked for")
{
    scene s;
    auto feed = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        s.server.start_activity(named("a"));
        s.server.close_listeners(1001, "going away");
        CHECK(s.server.listeners() == 0);
        raw_frame const told = co_await feed.frame();
        CHECK(told.opcode == 1);
        raw_frame const close = co_await feed.frame();
        CHECK(close.opcode == 8);
        CHECK(close.payload == std::string("\x03\xe9") + "going away");
        feed.send_frame(8, close.payload);
        std::string const rest = co_await feed.rest();
        CHECK(rest.empty());
        CHECK(feed.end_reason() == asio::error::eof);
    };
    run(s.io, body());
}

TEST_CASE("listeners are dropped as asked")
{
    abrupt const how = GENERATE(abrupt::fin, abrupt::rst);
    scene s;
    auto feed = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        s.server.drop_listeners(how);
        CHECK(s.server.listeners() == 0);
        co_await feed.rest();
        bool const reset = feed.end_reason() == asio::error::connection_reset;
        CHECK(reset == (how == abrupt::rst));
    };
    run(s.io, body());
}

TEST_CASE("bytes and messages of any kind reach WebSocket listeners as they are")
{
    scene s;
    auto feed = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade("?filters=activity");
        s.server.notify_raw("not \xff UTF-8");
        s.server.notify_raw("binary", true);
        s.server.notify_raw(std::string(70000, 'x'));
        s.server.send_bytes("\x83\x01!");
        raw_frame const text = co_await feed.frame();
        CHECK(text.payload == "not \xff UTF-8");
        raw_frame const binary = co_await feed.frame();
        CHECK(binary.opcode == 2);
        raw_frame const large = co_await feed.frame();
        CHECK(large.payload.size() == 70000);
        raw_frame const reserved = co_await feed.frame();
        CHECK(reserved.opcode == 3);
        CHECK(reserved.payload == "!");
    };
    run(s.io, body());
}

TEST_CASE("the event stream has an envelope of its own, pings whatever the filter, and ends when closed")
{
    fake_server_options options;
    options.event_stream_ping_interval = 2ms;
    scene s(options);
    auto stream = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        stream.request("GET", "/:/eventsource/notifications?filters=activity");
        co_await s.server.listeners_reached(1);
        s.server.notify_others();
        s.server.start_activity(named("a"));
        std::size_t pings = 0;
        while (pings < 3) {
            co_await stream.receive();
            pings = 0;
            for (auto at = stream.received().find("event: ping\ndata: {}\n\n"); at != std::string::npos;
                 at = stream.received().find("event: ping", at + 1))
                ++pings;
        }
        s.server.close_listeners();
        std::string const all = co_await stream.rest();
        CHECK(all.find("Content-Type: text/event-stream\r\n") != std::string::npos);
        CHECK(all.find("event: activity\ndata: {\"ActivityNotification\":{\"event\":\"started\",\"uuid\":\"a\",") !=
              std::string::npos);
        CHECK(all.find("event: status") == std::string::npos);
        CHECK(all.find("NotificationContainer") == std::string::npos);
        CHECK(s.server.counters().event_streams == 1);
    };
    run(s.io, body());
}
