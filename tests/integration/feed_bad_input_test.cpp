#include "feed_fixture.hpp"

#include <boost/asio/detached.hpp>

// What a server must not send, over real sockets: skipped and counted where the stream stays readable, the end of the
// connection where it does not. Never a crash, never a wait without end.

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

/// A frame as a server sends it: unmasked, unless `mask` says otherwise.
std::string frame(unsigned char first, std::string_view payload, std::string_view mask = {})
{
    std::string bytes(1, static_cast<char>(first));
    unsigned const masked = mask.empty() ? 0 : 0x80;
    if (payload.size() < 126) {
        bytes += static_cast<char>(masked | payload.size());
    } else {
        bytes += static_cast<char>(masked | 126);
        bytes += static_cast<char>(payload.size() >> 8);
        bytes += static_cast<char>(payload.size() & 0xff);
    }
    bytes += mask;
    for (std::size_t i = 0; i < payload.size(); ++i)
        bytes += mask.empty() ? payload[i] : static_cast<char>(payload[i] ^ mask[i % 4]);
    return bytes;
}

constexpr unsigned char final_text = 0x81;

std::string notification(std::string_view event, std::string_view members)
{
    return R"({"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[{"event":")" +
           std::string(event) + R"(","uuid":"u","Activity":{"uuid":"u","type":"t",)" + std::string(members) + "}}]}}";
}

/// A feed that is open, and what it has told.
struct listening : served {
    void run_reading(asio::awaitable<void> (*body)(listening&))
    {
        made.emplace(io.get_executor(), settings);
        auto opened = [&]() -> asio::awaitable<void> {
            events = made->subscribe();
            co_await made->ready(10s);
            co_await body(*this);
            events.stop();
        };
        served::run(*made, opened());
    }

    /// Takes one event, as "started u 5".
    asio::awaitable<std::string> next()
    {
        std::optional<activity_event> const event = co_await events.next();
        std::string text = event ? told(*event) : "the end";
        co_return text;
    }
    /// Why the connection was lost. The feed itself goes on.
    asio::awaitable<error> failure()
    {
        asio::steady_timer turn(io);
        while (made->connection().state != connection_state::interrupted) {
            turn.expires_after(200us);
            co_await turn.async_wait(asio::use_awaitable);
        }
        CHECK_FALSE(events.stopped());
        connection_status const now = made->connection();
        CHECK(now.next_try.has_value());
        error result(now.last_error, now.diagnostics);
        co_return result;
    }

    std::optional<client> made;
    feed events;
};

/// What is no WebSocket, one sort at a time.
struct violation {
    char const* what;
    std::string bytes;
};

std::vector<violation> const& violations()
{
    static std::vector<violation> const all = {
        {"a reserved opcode", frame(0x83, "x")},
        {"a reserved control opcode", frame(0x8b, "")},
        {"a masked frame", frame(final_text, "{}", "\x01\x02\x03\x04")},
        {"a reserved bit", frame(0xc1, "{}")},
        {"a continuation of nothing", frame(0x80, "{}")},
        {"a message inside a message", frame(0x01, "{") + frame(final_text, "}")},
        {"a fragmented ping", frame(0x09, "")},
        {"a ping of 126 bytes", frame(0x89, std::string(126, 'p'))},
        {"a length of 64 bits with the highest one set", std::string("\x81\x7f\x80\0\0\0\0\0\0\1x", 11)},
        {"a reply of another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n"},
    };
    return all;
}

} // namespace

TEST_CASE("a framing violation drops the connection with a reason, after what came before it was told")
{
    for (violation const& v : violations()) {
        INFO(v.what);
        static violation const* current;
        current = &v;
        listening l;
        l.run_reading([](listening& s) -> asio::awaitable<void> {
            s.server.notify_raw(notification("started", R"("progress":5)"));
            s.server.send_bytes(current->bytes);
            std::string const first = co_await s.next();
            CHECK(first == "started u 5");
            error const failure = co_await s.failure();
            CHECK(failure.code() == errc::connection_failed);
            CHECK(std::string(failure.what()).find("cannot be read") != std::string::npos);
            CHECK(std::string(failure.what()).find(s.server.url()) != std::string::npos);
            co_await s.server.connections_open_fell_to(1); // that of the list is kept
        });
        CHECK(l.server.counters().closes_received == 1);
    }
}

TEST_CASE("a fragmented message with a ping inside is one message, and the ping is answered")
{
    listening l;
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        std::string const whole = notification("started", R"("progress":5)");
        s.server.send_bytes(frame(0x01, whole.substr(0, 40)) + frame(0x89, "inside") +
                            frame(0x00, whole.substr(40, 30)) + frame(0x80, whole.substr(70)));
        std::string const first = co_await s.next();
        CHECK(first == "started u 5");
        asio::steady_timer turn(s.io);
        while (s.server.counters().pongs_received == 0) {
            turn.expires_after(200us);
            co_await turn.async_wait(asio::use_awaitable);
        }
        CHECK(s.made->counters().malformed == 0);
    });
    CHECK(l.server.counters().pongs_received == 1);
}

TEST_CASE("binary messages are read as text ones are")
{
    listening l;
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        s.server.notify_raw(notification("started", R"("progress":5)"), true);
        std::string const first = co_await s.next();
        CHECK(first == "started u 5");
    });
}

TEST_CASE("titles are valid UTF-8 whatever came, which is counted")
{
    listening l;
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        s.server.notify_raw(notification("started", "\"title\":\"a\xff\xc3(b\""));
        std::optional<activity_event> const event = co_await s.events.next();
        REQUIRE(event.has_value());
        CHECK(event->activity.title() == "a\xef\xbf\xbd\xef\xbf\xbd(b");
        CHECK(s.made->counters().repaired_utf8 == 2);
        CHECK(s.made->counters().malformed == 0);
    });
}

TEST_CASE("control and bidi characters in a title are handed on as data, and reach no log line")
{
    static std::string logged;
    logged.clear();
    listening l;
    l.settings.logger.level = log_level::debug;
    l.settings.logger.write = [](log_level, std::string_view line) { logged += line; };
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        s.server.notify_raw(notification("started", R"("title":"\u001b[2J\u202eevil")"));
        s.server.notify_raw("\x1b[2J garbage");
        s.server.notify_raw(notification("ended", R"("progress":100)"));
        std::optional<activity_event> const event = co_await s.events.next();
        REQUIRE(event.has_value());
        CHECK(event->activity.title() == "\x1b[2J\xe2\x80\xae"
                                         "evil");
        std::string const last = co_await s.next();
        CHECK(last == "ended u 100");
    });
    CHECK_FALSE(logged.empty());
    CHECK(logged.find('\x1b') == std::string::npos);
    CHECK(logged.find("\xe2\x80\xae") == std::string::npos);
}

TEST_CASE("what cannot be read is skipped and counted, and the feed goes on")
{
    static lines const unreadable = {
        "",
        " ",
        "garbage",
        "{",
        R"({"NotificationContainer":{"ActivityNotification":[{"event":"started","uuid":"u")",
        "[]",
        "null",
        "<html></html>",
        std::string(10'000, '['),
        R"({"NotificationContainer":)" + std::string(10'000, '{'),
        R"({"NotificationContainer":{"x":)" + std::string(10'000, '[') + std::string(10'000, ']') + "}}",
        R"({"NotificationContainer":{"ActivityNotification":[{"event":"started","Activity":{"type":"t"}}]}})",
        R"({"NotificationContainer":{"ActivityNotification":[17]}})",
        std::string("{}\0", 3),
    };
    listening l;
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        for (std::string const& text : unreadable)
            s.server.notify_raw(text);
        s.server.notify_raw(R"({"NotificationContainer":{"type":"playing","PlaySessionStateNotification":[{}]}})");
        s.server.notify_raw(notification("started", R"("progress":5)"));
        std::string const first = co_await s.next();
        CHECK(first == "started u 5");
        CHECK(s.made->counters().malformed == unreadable.size());
        CHECK(s.made->counters().skipped == 1);
        CHECK(s.made->connection().state == connection_state::reconciled);
    });
}

TEST_CASE("wrong types in any field leave the other fields, and the feed, as they are")
{
    static lines const values = {"null", "true", "17", "-1e999", "\"\"", "\"x\"", "[]", "[1]", "{}", R"({"a":1})"};
    static lines const fields = {"title", "subtitle", "progress", "cancellable", "userID", "Context", "Response", "x"};
    listening l;
    l.settings.conflate_after = 1000;
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        s.server.notify_raw(notification("started", R"("progress":0)"));
        std::string const first = co_await s.next();
        CHECK(first == "started u 0");
        for (std::string const& field : fields)
            for (std::string const& value : values)
                s.server.notify_raw(notification("updated", "\"" + field + "\":" + value));
        s.server.notify_raw(notification("ended", R"("progress":100)"));
        for (;;) {
            std::optional<activity_event> const event = co_await s.events.next();
            REQUIRE(event.has_value());
            CHECK(event->activity.uuid() == "u");
            CHECK(event->activity.type() == "t");
            if (event->kind == event_kind::ended)
                break;
        }
        CHECK(s.made->counters().malformed == 0);
    });
}

TEST_CASE("entries whose uuid, event or type is of a wrong type end no feed")
{
    static lines const values = {"null", "true", "17", "\"\"", "[]", "[1]", "{}", R"({"a":1})", "1e400"};
    listening l;
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        for (std::string const& v : values) {
            for (std::string const& entry :
                 {R"({"event":)" + v + R"(,"uuid":"a","Activity":{"uuid":"a","type":"t"}})",
                  R"({"event":"started","uuid":)" + v + R"(,"Activity":{"type":"t"}})",
                  R"({"event":"started","uuid":"b","Activity":{"uuid":)" + v + R"(,"type":"t"}})",
                  R"({"event":"started","uuid":"c","Activity":{"uuid":"c","type":)" + v + "}}",
                  R"({"event":"started","uuid":"d","Activity":)" + v + "}", v})
                s.server.notify_raw(R"({"NotificationContainer":{"ActivityNotification":[)" + entry + "]}}");
            s.server.notify_raw(R"({"NotificationContainer":{"ActivityNotification":)" + v + "}}");
            s.server.notify_raw(R"({"NotificationContainer":)" + v + "}");
        }
        s.server.notify_raw(notification("started", R"("progress":5)"));
        for (;;) {
            std::optional<activity_event> const event = co_await s.events.next();
            REQUIRE(event.has_value());
            if (event->activity.uuid() == "u")
                break;
        }
        CHECK(s.made->counters().malformed > 0);
        CHECK(s.made->connection().state == connection_state::reconciled);
    });
}

TEST_CASE("a message at the limit is read, one past it drops the connection with limit_exceeded")
{
    static std::string const message = notification("started", R"("progress":5)");
    listening l;
    l.settings.max_message = message.size();
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        s.server.notify_raw(message);
        std::string const first = co_await s.next();
        CHECK(first == "started u 5");
        s.server.notify_raw(message + " ");
        error const failure = co_await s.failure();
        CHECK(failure.code() == errc::limit_exceeded);
        CHECK(std::string(failure.what()).find("config::max_message") != std::string::npos);
    });
}

TEST_CASE("a message announced as larger than memory is refused before it is waited for")
{
    listening l;
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        s.server.send_bytes(std::string("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10));
        error const failure = co_await s.failure();
        CHECK(failure.code() == errc::limit_exceeded);
    });
}

TEST_CASE("a stream that ends inside a message is a lost connection, and the message is not told")
{
    for (testing::abrupt const how : {testing::abrupt::fin, testing::abrupt::rst}) {
        static testing::abrupt current;
        current = how;
        listening l;
        l.run_reading([](listening& s) -> asio::awaitable<void> {
            std::string const whole = frame(final_text, notification("started", R"("progress":5)"));
            s.server.send_bytes(whole.substr(0, whole.size() - 1));
            co_await s.server.flushed();
            s.server.drop_listeners(current);
            error const failure = co_await s.failure();
            CHECK(failure.code() == errc::connection_failed);
            CHECK(s.made->counters().events == 0);
        });
    }
}

TEST_CASE("a peer's close frame drops the connection with its code in the error, and is answered")
{
    listening l;
    l.run_reading([](listening& s) -> asio::awaitable<void> {
        s.server.close_listeners(1001, "going away");
        error const failure = co_await s.failure();
        CHECK(failure.code() == errc::connection_failed);
        CHECK(std::string(failure.what()).find("1001") != std::string::npos);
        co_await s.server.connections_open_fell_to(1);
    });
    CHECK(l.server.counters().closes_received == 1);
}

TEST_CASE("replies to the upgrade that are none end the first contact with what they were")
{
    struct expectation {
        char const* what;
        std::string bytes;
        errc code;
    };
    std::string const lengthy = "X-Filler: " + std::string(1000, 'x') + "\r\n";
    std::string endless = "HTTP/1.1 101 Switching Protocols\r\n";
    for (int i = 0; i < 100; ++i)
        endless += lengthy;
    for (expectation const& x : std::vector<expectation>{
             {"nothing", "", errc::connection_failed},
             {"no HTTP", "hello\r\n\r\n", errc::malformed_reply},
             {"half a reply", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: web", errc::connection_failed},
             {"a header without end", endless, errc::limit_exceeded},
             {"another's accept key",
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
              errc::malformed_reply},
             {"an extension that was not asked for",
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Accept: x\r\n\r\n",
              errc::malformed_reply},
             {"a page instead of 101", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", errc::malformed_reply},
             {"a length that lies", "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nno",
              errc::connection_failed}}) {
        INFO(x.what);
        served s;
        s.server.reply_raw("/:/websockets", x.bytes);
        s.settings.transport = transport::websocket;
        client c(s.io.get_executor(), s.settings);
        error failure;
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            try {
                co_await c.ready(10s);
            } catch (error const& e) {
                failure = e;
            }
        };
        s.run(c, body());
        CHECK(failure.code() == x.code);
        CHECK(std::string(failure.what()).find(s.server.url()) != std::string::npos);
    }
}
