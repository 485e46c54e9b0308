#include "feed_fixture.hpp"

#include <cstdio>

// The event stream over real sockets: chunked and close-delimited, whole and broken.

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

std::string event_of(std::string const& kind, std::string const& uuid)
{
    return "event: activity\ndata: {\"ActivityNotification\":{\"event\":\"" + kind + "\",\"uuid\":\"" + uuid +
           "\",\"Activity\":{\"uuid\":\"" + uuid + "\",\"type\":\"t\",\"progress\":5}}}\n\n";
}

std::string chunk(std::string_view text)
{
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", text.size());
    return size + std::string(text) + "\r\n";
}

constexpr char const* chunked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n";
constexpr char const* close_delimited = "HTTP/1.1 200 OK\r\nContent-Type: TEXT/EVENT-STREAM\r\n\r\n";

/// What a client hears of a stream that is `bytes` and then open, until `count` events.
lines heard_of(std::string const& bytes, std::size_t count, plex::counters* counted = nullptr)
{
    served s;
    s.settings.transport = transport::eventsource;
    s.server.hold("/activities"); // nothing but the stream tells
    s.server.reply_raw("/:/eventsource", bytes, true);
    client c(s.io.get_executor(), s.settings);
    lines result;
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        result = co_await take(f, count);
        if (counted)
            *counted = c.counters();
    };
    s.run(c, body());
    return result;
}

} // namespace

TEST_CASE("an event stream is read over a chunked reply, whatever the chunks hold")
{
    std::string const text = event_of("started", "a") + ": a comment\n\n" + event_of("updated", "a") +
                             "event: ping\ndata: {}\n\n" + event_of("ended", "a");
    lines const expected = {"started a 5", "updated a 5", "ended a 5"};
    CHECK(heard_of(chunked + chunk(text), 3) == expected);
    for (std::size_t const size : {1u, 2u, 7u, 50u}) {
        CAPTURE(size);
        std::string bytes = chunked;
        for (std::size_t at = 0; at < text.size(); at += size)
            bytes += chunk(text.substr(at, size));
        CHECK(heard_of(bytes, 3) == expected);
    }
    // Chunk extensions are skipped.
    CHECK(heard_of(chunked + ("2;name=value\r\n" + text.substr(0, 2)) + "\r\n" + chunk(text.substr(2)), 3) == expected);
}

TEST_CASE("an event stream is read over a reply that its end delimits, with any line ends")
{
    std::string const text = event_of("started", "a") + event_of("ended", "a");
    lines const expected = {"started a 5", "ended a 5"};
    CHECK(heard_of(close_delimited + text, 2) == expected);
    CHECK(heard_of(close_delimited + ("\xef\xbb\xbf" + text), 2) == expected);
    for (std::string const& line_end : {std::string("\r\n"), std::string("\r")}) {
        std::string other;
        for (char const ch : text)
            other += ch == '\n' ? line_end : std::string(1, ch);
        CHECK(heard_of(close_delimited + other + (line_end == "\r" ? ":" : ""), 2) == expected);
    }
}

TEST_CASE("events of other names are skipped unread, and what cannot be read is counted")
{
    plex::counters counted;
    std::string const text = "event: playing\ndata: not even JSON\n\nevent: activity\ndata: {\n\n" +
                             event_of("started", "a") + event_of("ended", "a");
    CHECK(heard_of(close_delimited + text, 2, &counted) == lines{"started a 5", "ended a 5"});
    CHECK(counted.skipped == 1);
    CHECK(counted.malformed == 1);
}

TEST_CASE("broken chunks, too long an event, and the stream's end are lost connections with a reason")
{
    struct expectation {
        char const* what;
        std::string bytes;
        errc code;
        char const* says;
        bool keep_open;
    };
    std::string const event = event_of("started", "a");
    for (expectation const& x : std::vector<expectation>{
             {"no chunk size", chunked + std::string("xyz\r\n"), errc::connection_failed, "cannot be read", true},
             {"a chunk that is longer than it says", chunked + std::string("1\r\n") + event, errc::connection_failed,
              "cannot be read", true},
             {"an endless chunk header", chunked + std::string("1;") + std::string(20'000, 'x'),
              errc::connection_failed, "cannot be read", true},
             {"a line beyond the limit", close_delimited + std::string("data: ") + std::string(3000, 'x'),
              errc::limit_exceeded, "max_message", true},
             {"the last chunk", chunked + chunk(event) + "0\r\n\r\n", errc::connection_failed, "closed the feed", true},
             {"the end of the connection", close_delimited + event, errc::connection_failed, "lost", false},
         }) {
        INFO(x.what);
        served s;
        s.settings.transport = transport::eventsource;
        s.settings.max_message = 2000;
        s.server.reply_raw("/:/eventsource", x.bytes, x.keep_open);
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            co_await reach(c, connection_state::interrupted);
            connection_status const now = c.connection();
            CHECK(now.last_error == x.code);
            CHECK(now.diagnostics.message().find(x.says) != std::string::npos);
            co_await reach(c, connection_state::reconciled); // the next one is sound
        };
        s.run(c, body());
    }
}

TEST_CASE("an unfinished last event is dropped, and retry is the least of the delays that follow")
{
    served s;
    s.settings.transport = transport::eventsource;
    std::string const cut = event_of("started", "a");
    s.server.reply_raw("/:/eventsource", close_delimited + ("retry: 3000\n\n" + cut.substr(0, cut.size() - 1)));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await reach(c, connection_state::interrupted);
        std::optional<std::chrono::steady_clock::duration> const wait = c.connection().next_try;
        REQUIRE(wait.has_value());
        CHECK(*wait > 2s);
        CHECK(c.counters().events == 0);
    };
    s.run(c, body());
}

TEST_CASE("an absence is settled by the second ping event after the list")
{
    testing::fake_server_options options;
    options.event_stream_ping_interval = 500ms;
    served s(options);
    s.settings.transport = transport::eventsource;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        s.server.start_activity(activity_named("scan"));
        lines const first = co_await take(f, 1);
        CHECK(first == lines{"started scan 0"});
        s.server.drop_listeners();
        s.server.end_activity("scan");
        lines const last = co_await take(f, 1);
        CHECK(last == lines{"ended! scan 0"});
    };
    s.run(c, body());
}
