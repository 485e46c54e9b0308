#include "calls_fixture.hpp"

// The bounds of `plex::config` over real sockets: what is just within one passes, and one more ends in `limit_exceeded`
// or, of time, in `timeout`. Those of single parts have unit tests: the framers', the decoder's, ledger and mailbox.

using namespace plex;
using namespace plex::test;

namespace {

std::string const empty_list = R"({"MediaContainer":{"size":0}})";

/// What comes of a list that is answered so.
error list_of(std::string const& bytes, std::function<void(config&)> const& bound)
{
    call_scene s;
    bound(s.settings);
    s.server.reply_raw("/activities", bytes, true);
    error failure;
    s.run([&]() -> asio::awaitable<void> { failure = co_await failure_of(s.client().get_server_activities()); });
    return failure;
}

std::string reply_of(std::string const& headers, std::string const& body)
{
    return "HTTP/1.1 200 OK\r\n" + headers + "\r\n" + body;
}

std::string notification_of(std::size_t size)
{
    std::string const text = R"({"ActivityNotification":{"event":"started","uuid":"u","Activity":{"type":"t"}}})";
    return text.substr(0, text.size() - 1) + std::string(size - text.size(), ' ') + "}";
}

/// What comes of a feed that hears one message, of an activity: the event, or the error of its connection.
struct heard {
    bool event = false;
    error_code lost;
};

heard hear(transport over, std::size_t max_message, std::function<void(fake_server&)> const& tell)
{
    call_scene s;
    s.settings.transport = over;
    s.settings.max_message = max_message;
    heard result;
    s.run([&]() -> asio::awaitable<void> {
        client& c = s.client();
        feed events = c.subscribe();
        co_await c.ready(10s);
        tell(s.server);
        auto const settled = [&] {
            result.event = result.event || events.try_next().has_value();
            if (c.connection().state == connection_state::interrupted)
                result.lost = c.connection().last_error;
            return result.event || result.lost;
        };
        co_await until(settled);
    });
    return result;
}

/// Writes the text, a byte now and then, until the client has gone.
asio::awaitable<void> trickle(raw_server& server, std::string text)
{
    asio::steady_timer pause(co_await asio::this_coro::executor);
    boost::system::error_code ec;
    for (std::size_t at = 0; !ec; ++at) {
        std::string const byte(1, text[at % text.size()]);
        co_await server.socket().async_write_some(asio::buffer(byte), asio::redirect_error(asio::use_awaitable, ec));
        pause.expires_after(2ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

} // namespace

TEST_CASE("a body of just max_body passes, and one byte more is refused, announced or not")
{
    std::string const body = empty_list + std::string(1'000, ' ');
    std::string const length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
    std::string const chunked = "Transfer-Encoding: chunked\r\n";
    std::string const chunks =
        "200\r\n" + body.substr(0, 0x200) + "\r\n" + "205\r\n" + body.substr(0x200) + "\r\n0\r\n\r\n";
    REQUIRE(body.size() == 0x200 + 0x205);
    for (std::string const& bytes : {reply_of(length, body), reply_of(chunked, chunks)}) {
        CHECK(list_of(bytes, [&](config& c) { c.max_body = body.size(); }).code() == error_code());
        CHECK(list_of(bytes, [&](config& c) { c.max_body = body.size() - 1; }).code() == errc::limit_exceeded);
    }
    CHECK(config().max_body == 8u << 20);
}

TEST_CASE("a header block of just max_header passes, and one byte more is refused")
{
    std::string const headers =
        "Content-Length: " + std::to_string(empty_list.size()) + "\r\nX: " + std::string(5'000, 'x') + "\r\n";
    std::string const bytes = reply_of(headers, empty_list);
    std::size_t const head = bytes.size() - empty_list.size();
    CHECK(list_of(bytes, [&](config& c) { c.max_header = head; }).code() == error_code());
    CHECK(list_of(bytes, [&](config& c) { c.max_header = head - 1; }).code() == errc::limit_exceeded);
    CHECK(config().max_header == 64u << 10);
}

TEST_CASE("a list of just max_depth levels passes, one more is malformed_reply; such a message of the feed is skipped")
{
    auto const nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
    for (std::size_t const levels : {10u, 32u, 64u}) {
        auto const list = [&](std::size_t of) { return R"({"MediaContainer":{},"x":)" + nested(of - 1) + "}"; };
        auto const outcome = [&](std::size_t of) {
            std::string const bytes = reply_of("Content-Length: " + std::to_string(list(of).size()) + "\r\n", list(of));
            return list_of(bytes, [&](config& c) { c.max_depth = static_cast<unsigned>(levels); });
        };
        CHECK(outcome(levels).code() == error_code());
        error const deeper = outcome(levels + 1);
        CHECK(deeper.code() == errc::malformed_reply);
        CHECK(contains(deeper.what(), "config::max_depth"));

        call_scene s;
        s.settings.max_depth = static_cast<unsigned>(levels);
        s.run([&]() -> asio::awaitable<void> {
            client& c = s.client();
            feed events = c.subscribe();
            co_await c.ready(10s);
            for (std::size_t const of : {levels + 1, levels}) {
                std::string const uuid = std::to_string(of);
                s.server.notify_raw(R"({"ActivityNotification":{"event":"started","uuid":")" + uuid +
                                    R"(","Activity":{"type":"t"}},"x":)" + nested(of - 1) + "}");
            }
            std::optional<activity_event> const next = co_await events.next();
            REQUIRE(next);
            CHECK(next->activity.uuid() == std::to_string(levels));
            CHECK(c.counters().malformed == 1);
        });
    }
    CHECK(config().max_depth == 32);
}

TEST_CASE("a proxy's answer of just max_header passes, and one byte more is refused")
{
    std::string const answer = "HTTP/1.1 200 OK\r\nX: " + std::string(5'000, 'x') + "\r\n\r\n";
    for (bool const fits : {true, false}) {
        call_scene s;
        raw_server proxy(s.io);
        s.settings.proxy = proxy.url();
        s.settings.max_header = answer.size() - (fits ? 0 : 1);
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().get_server_activities());
            co_await proxy.accept();
            co_await proxy.read_head();
            co_await proxy.write(answer);
            if (fits) {
                co_await proxy.read_head();
                co_await proxy.write(
                    reply_of("Content-Length: " + std::to_string(empty_list.size()) + "\r\n", empty_list));
            }
            error const outcome = co_await call.result();
            INFO(outcome.what());
            CHECK(outcome.code() == (fits ? error_code() : error_code(errc::limit_exceeded)));
        });
    }
}

TEST_CASE("a line and an event of just max_message pass, and one byte more ends the event stream")
{
    for (std::size_t const size : {200u, 100'000u, 1u << 20}) {
        std::string const line = "data:" + notification_of(size - 5);
        auto const one_line = [&](fake_server& s) { s.send_bytes("event: activity\n" + line + "\n\n"); };
        CHECK(hear(transport::eventsource, size, one_line).event);
        CHECK(hear(transport::eventsource, size - 1, one_line).lost == errc::limit_exceeded);

        // Of several lines the data counts, with the line feeds between them.
        std::string const text = notification_of(size);
        std::size_t const end = text.find_last_not_of(" }"); // where white space may be
        std::string const lines =
            "data:" + text.substr(0, end + 3) + "\ndata: " + text.substr(end + 4) + "\n"; // a space became a line feed
        auto const two_lines = [&](fake_server& s) { s.send_bytes("event: activity\n" + lines + "\n"); };
        CHECK(hear(transport::eventsource, size, two_lines).event);
        CHECK(hear(transport::eventsource, size - 1, two_lines).lost == errc::limit_exceeded);
    }
}

TEST_CASE("as many calls as max_waiting wait for a connection, and one more is refused at once")
{
    call_scene s;
    s.settings.max_connections = 2;
    s.settings.max_waiting = 3;
    s.server.hold("/activities");
    s.run([&]() -> asio::awaitable<void> {
        std::vector<started> calls;
        for (int i = 0; i < 5; ++i)
            calls.emplace_back(s.client().get_executor(), s.client().get_server_activities());
        co_await s.server.held_reached("/activities", 2);
        error const sixth = co_await failure_of(s.client().get_server_activities());
        CHECK(sixth.code() == errc::limit_exceeded);
        CHECK(contains(sixth.what(), "config::max_waiting"));
        CHECK_FALSE(is_retryable(sixth.code()));
        // Who leaves the queue makes room in it.
        calls.back().cancel();
        error const left = co_await calls.back().result();
        CHECK(left.code() == asio::error::operation_aborted);
        calls.pop_back();
        started next(s.client().get_executor(), s.client().get_server_activities());
        co_await asio::post(s.client().get_executor(), asio::use_awaitable);
        CHECK_FALSE(next.done());
        s.server.release("/activities");
        calls.push_back(next);
        for (started& call : calls) {
            error const outcome = co_await call.result();
            CHECK(outcome.code() == error_code());
        }
    });
    CHECK(s.server.requests().size() == 5);
}

TEST_CASE("a reply that trickles is bounded by request_timeout, in its header and in its body")
{
    for (std::string const& start : {std::string(), reply_of("Content-Length: 1000000\r\n", "")}) {
        call_scene s;
        raw_server slow(s.io);
        s.settings.url = slow.url();
        s.settings.request_timeout = 100ms;
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().get_server_activities());
            co_await slow.accept();
            co_await slow.write(start);
            co_await trickle(slow, start.empty() ? "HTTP/1.1 200 OK\r\n" : " ");
            error const late = co_await call.result();
            CHECK(late.code() == errc::timeout);
        });
    }
}

TEST_CASE("a feed whose opening trickles is bounded by connect_timeout")
{
    for (transport const over : {transport::websocket, transport::eventsource}) {
        call_scene s;
        raw_server slow(s.io);
        s.settings.url = slow.url();
        s.settings.transport = over;
        s.settings.connect_timeout = 100ms;
        s.run([&]() -> asio::awaitable<void> {
            started opened(s.client().get_executor(), s.client().ready(10s));
            co_await slow.accept();
            co_await trickle(slow, "HTTP/1.1 101 Switching Protocols\r\nX: ");
            error const late = co_await opened.result();
            CHECK(late.code() == errc::timeout);
        });
    }
}

TEST_CASE("a TLS handshake that stalls is bounded by connect_timeout, for calls and feed")
{
    call_scene s;
    s.settings.url.insert(4, "s");
    s.settings.connect_timeout = 100ms;
    s.server.stall_connections(fake_server::always);
    s.run([&]() -> asio::awaitable<void> {
        error const call = co_await failure_of(s.client().get_server_activities());
        CHECK(call.code() == errc::timeout);
        error const feed = co_await failure_of(s.client().ready(10s));
        CHECK(feed.code() == errc::timeout);
    });
}

TEST_CASE("more activities than ledger_bytes has room for end every feed with limit_exceeded, told or listed")
{
    for (bool const listed : {false, true}) {
        call_scene s;
        s.settings.ledger_bytes = 4'000;
        s.settings.ping_after = s.settings.idle_limit = 1h; // a list ends it, not what comes next on the feed
        if (listed)
            for (int i = 0; i < 100; ++i)
                s.server.start_activity(activity_called("u" + std::to_string(i)));
        s.run([&]() -> asio::awaitable<void> {
            client& c = s.client();
            feed one = c.subscribe();
            feed other = c.subscribe();
            if (!listed) {
                co_await c.ready(10s);
                for (int i = 0; i < 100; ++i)
                    s.server.start_activity(activity_called("u" + std::to_string(i)));
            }
            for (feed* const f : {&one, &other}) {
                int told = 0;
                error failure;
                while (!failure.code()) {
                    try {
                        std::optional<activity_event> const event = co_await f->next();
                        told += event ? 1 : 0;
                    } catch (error const& e) {
                        failure = e;
                    }
                }
                CHECK(failure.code() == errc::limit_exceeded);
                CHECK(contains(failure.what(), "config::ledger_bytes"));
                CHECK(told > 0);
                CHECK(told <= (listed ? 100 : 19)); // a list is taken in whole
            }
        });
    }
}

TEST_CASE("a subscriber whose mailbox_bytes are full ends with subscriber_overflow, and no other does")
{
    call_scene s;
    s.settings.mailbox_bytes = 4'000;
    s.run([&]() -> asio::awaitable<void> {
        client& c = s.client();
        feed reads = c.subscribe();
        feed sleeps = c.subscribe();
        co_await c.ready(10s);
        for (int i = 0; i < 100; ++i) {
            s.server.start_activity(activity_called("u" + std::to_string(i)));
            std::optional<activity_event> const event = co_await reads.next();
            CHECK(event.has_value());
        }
        int told = 0;
        error failure;
        while (!failure.code()) {
            try {
                std::optional<activity_event> const event = co_await sleeps.next();
                told += event ? 1 : 0;
            } catch (error const& e) {
                failure = e;
            }
        }
        CHECK(failure.code() == errc::subscriber_overflow);
        CHECK(told > 0);
        CHECK(told < 40);
        CHECK_FALSE(reads.stopped());
    });
}
