#include "calls_fixture.hpp"

#include "net/connection_pool.hpp"

#include <boost/asio/read.hpp>

using namespace plex;
using namespace plex::test;

namespace {

std::string const empty_list = R"({"MediaContainer":{"size":0}})";

/// A reply that promises to keep the connection.
std::string kept_reply()
{
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(empty_list.size()) + "\r\n\r\n" + empty_list;
}

std::vector<started> lists(call_scene& s, int count)
{
    std::vector<started> calls;
    for (int i = 0; i < count; ++i)
        calls.emplace_back(s.client().get_executor(), s.client().get_server_activities());
    return calls;
}

asio::awaitable<void> all_succeed(std::vector<started> calls)
{
    for (started& call : calls) {
        error const outcome = co_await call.result();
        CHECK(outcome.code() == error_code());
    }
}

} // namespace

TEST_CASE("calls in a row use one connection")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        for (int i = 0; i < 4; ++i) {
            error const outcome = co_await failure_of(s.client().get_server_activities());
            CHECK(outcome.code() == error_code());
        }
    });
    CHECK(s.server.requests().size() == 4);
    CHECK(s.server.counters().connections_accepted == 1);
}

TEST_CASE("calls at once use eight connections, and the others wait for one of them")
{
    call_scene s;
    s.server.hold("/activities");
    s.run([&]() -> asio::awaitable<void> {
        std::vector<started> calls = lists(s, 20);
        co_await s.server.held_reached("/activities", 8);
        CHECK(s.server.counters().connections_accepted == 8);
        CHECK(s.client().counters().requests == 20);
        s.server.release("/activities");
        co_await all_succeed(calls);
    });
    CHECK(s.server.requests().size() == 20);
    CHECK(s.server.counters().connections_accepted == 8);
}

TEST_CASE("the number of connections can be set")
{
    call_scene s;
    s.settings.max_connections = 2;
    s.run([&]() -> asio::awaitable<void> { co_await all_succeed(lists(s, 9)); });
    CHECK(s.server.requests().size() == 9);
    CHECK(s.server.counters().connections_accepted == 2);
}

TEST_CASE("who waits for a connection can be cancelled, and nobody loses his place by it")
{
    call_scene s;
    s.settings.max_connections = 1;
    s.server.hold("/activities");
    s.run([&]() -> asio::awaitable<void> {
        std::vector<started> calls = lists(s, 4);
        co_await s.server.held_reached("/activities", 1);
        calls[1].cancel();
        error const aborted = co_await calls[1].result();
        CHECK(aborted.code() == asio::error::operation_aborted);
        CHECK(contains(aborted.what(), "waiting for a free connection"));
        s.server.release("/activities");
        for (std::size_t i : {0u, 2u, 3u}) {
            error const outcome = co_await calls[i].result();
            CHECK(outcome.code() == error_code());
        }
    });
    CHECK(s.server.requests().size() == 3);
    CHECK(s.server.counters().connections_accepted == 1);
}

TEST_CASE("who was called for a connection and is cancelled before he runs passes it on")
{
    call_scene s;
    s.settings.max_connections = 1;
    s.server.hold("/activities", testing::as_of::request, 1);
    s.run([&]() -> asio::awaitable<void> {
        std::vector<started> calls = lists(s, 3);
        co_await s.server.held_reached("/activities", 1);
        calls[0].cancel(); // its connection goes, the next one is called ...
        calls[1].cancel(); // ... in vain
        co_await calls[0].result();
        error const aborted = co_await calls[1].result();
        CHECK(aborted.code() == asio::error::operation_aborted);
        error const outcome = co_await calls[2].result();
        CHECK(outcome.code() == error_code());
    });
}

TEST_CASE("waiting for a connection is bounded by the request's time")
{
    call_scene s;
    s.settings.max_connections = 1;
    s.settings.request_timeout = 30ms;
    s.server.hold("/activities");
    s.run([&]() -> asio::awaitable<void> {
        std::vector<started> calls = lists(s, 2);
        error const first = co_await calls[0].result();
        CHECK(first.code() == errc::timeout);
        CHECK(contains(first.what(), "waiting for the reply"));
        error const second = co_await calls[1].result();
        CHECK(second.code() == errc::timeout);
    });
}

TEST_CASE("who waits for a connection until his own deadline leaves the queue, and the others their places")
{
    call_scene s;
    s.settings.max_connections = 1;
    s.run([&]() -> asio::awaitable<void> {
        feed const f = s.client().subscribe();
        co_await s.client().ready(10s);
        s.server.hold("/identity");
        started first(s.client().get_executor(), s.client().send(request("GET", "/identity")));
        co_await s.server.held_reached("/identity", 1);
        error const late = co_await failure_of(s.client().start(scan_section(3), 20ms));
        CHECK(late.code() == errc::timeout);
        CHECK(contains(late.what(), "waiting for a free connection"));
        CHECK_FALSE(first.done());
        s.server.release("/identity");
        error const outcome = co_await first.result();
        CHECK(outcome.code() == error_code());
    });
    for (seen_request const& r : s.server.requests())
        CHECK_FALSE(contains(r.path, "/library"));
}

TEST_CASE("a coroutine that calls in a loop does not overtake those who wait")
{
    call_scene s;
    s.settings.max_connections = 1;
    s.run([&]() -> asio::awaitable<void> {
        auto ten_calls = [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 10; ++i)
                co_await s.client().get_server_activities();
        };
        started looping(s.client().get_executor(), ten_calls());
        started waiting(s.client().get_executor(), s.client().send(request("GET", "/identity")));
        error const looped = co_await looping.result();
        CHECK(looped.code() == error_code());
        CHECK(waiting.done());
    });
    std::vector<seen_request> const seen = s.server.requests();
    REQUIRE(seen.size() == 11);
    CHECK(seen[1].path == "/identity");
}

TEST_CASE("who comes while another was called gets the other place that is free")
{
    call_scene s;
    s.settings.max_connections = 2;
    s.server.stall("/activities", 2);
    s.server.hold("/identity");
    s.run([&]() -> asio::awaitable<void> {
        std::vector<started> stuck = lists(s, 2);
        started called(s.client().get_executor(), s.client().send(request("GET", "/identity")));
        co_await s.server.requests_reached("/activities", 2);
        stuck[0].cancel();       // calls the one who waits
        stuck[1].cancel();       // there is nobody else to call yet
        while (!stuck[1].done()) // no more turns than that: the one who was called has not run yet
            co_await asio::post(s.client().get_executor(), asio::use_awaitable);
        started newcomer(s.client().get_executor(), s.client().get_server_activities());
        error const outcome = co_await newcomer.result();
        CHECK(outcome.code() == error_code());
        CHECK_FALSE(called.done());
        s.server.release("/identity");
        error const last = co_await called.result();
        CHECK(last.code() == error_code());
    });
}

TEST_CASE("a kept connection is closed after its idle time, and run() comes to its end")
{
    call_scene s;
    s.settings.idle_connection = 30ms;
    s.run([&]() -> asio::awaitable<void> {
        error const first = co_await failure_of(s.client().get_server_activities());
        CHECK(first.code() == error_code());
        CHECK(s.server.counters().connections_open == 1);
        co_await s.server.connections_open_fell_to(0);
        error const second = co_await failure_of(s.client().get_server_activities());
        CHECK(second.code() == error_code());
        CHECK(s.server.counters().connections_accepted == 2);
        co_await s.server.connections_open_fell_to(0);
    });
    s.server.stop();
    s.io.restart();
    s.io.run_for(10s);
    CHECK(s.io.stopped());
}

TEST_CASE("a kept connection's idle time is half a minute unless it is set")
{
    CHECK(config().idle_connection == 30s);
}

TEST_CASE("with an idle time of 0 no connection is kept")
{
    call_scene s;
    s.settings.idle_connection = 0ms;
    s.run([&]() -> asio::awaitable<void> {
        for (std::size_t calls = 1; calls <= 3; ++calls) {
            error const outcome = co_await failure_of(s.client().get_server_activities());
            CHECK(outcome.code() == error_code());
            CHECK(s.server.counters().connections_accepted == calls);
            co_await s.server.connections_open_fell_to(0);
        }
    });
}

TEST_CASE("nothing is held of a kept connection whose idle time is over")
{
    asio::io_context io;
    asio::ip::tcp::acceptor listener(io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    net::scope scope(io.get_executor());
    net::pool_settings settings;
    settings.endpoint.host = "127.0.0.1";
    settings.endpoint.port = listener.local_endpoint().port();
    settings.idle = 20ms;
    net::connection_pool pool(scope, settings);
    auto body = [&]() -> asio::awaitable<void> {
        net::connection_pool::acquired got = co_await pool.acquire(std::chrono::steady_clock::now() + 30s, true);
        REQUIRE(got.connection.stream);
        got.connection.keep();
        CHECK(pool.kept() == 1);
        asio::ip::tcp::socket server = co_await listener.async_accept(asio::use_awaitable);
        char byte = 0;
        error_code ec;
        co_await server.async_read_some(asio::buffer(&byte, 1), asio::redirect_error(asio::use_awaitable, ec));
        CHECK(ec == asio::error::eof);
        CHECK(pool.kept() == 0);
    };
    test::run(io, body());
}

TEST_CASE("a connection that is given back after the end is not kept")
{
    asio::io_context io;
    asio::ip::tcp::acceptor listener(io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    net::scope scope(io.get_executor());
    net::pool_settings settings;
    settings.endpoint.host = "127.0.0.1";
    settings.endpoint.port = listener.local_endpoint().port();
    net::connection_pool pool(scope, settings);
    auto body = [&]() -> asio::awaitable<void> {
        net::connection_pool::acquired got = co_await pool.acquire(std::chrono::steady_clock::now() + 30s, true);
        REQUIRE(got.connection.stream);
        scope.stop();
        got.connection.keep();
        CHECK(pool.kept() == 0);
    };
    test::run(io, body());
}

namespace {

/// A call that is not made on the connection before, and its reply, after which the connection may be kept.
asio::awaitable<void> call_anew(call_scene& s, raw_server& odd, char const* method)
{
    started call(s.client().get_executor(), s.client().send(request(method, "/")));
    odd.close(); // the client has gone to another one by then
    co_await odd.accept();
    std::string const head = co_await odd.read_head();
    CHECK(head.starts_with(method));
    co_await odd.write(kept_reply());
    error const outcome = co_await call.result();
    CHECK(outcome.code() == error_code());
}

} // namespace

TEST_CASE("a connection that the server closed while it was kept is not used, whatever the method")
{
    call_scene s;
    raw_server odd(s.io);
    s.settings.url = odd.url();
    s.run([&]() -> asio::awaitable<void> {
        for (char const* method : {"GET", "POST", "POST"}) {
            co_await call_anew(s, odd, method);
            odd.close();
        }
        CHECK(s.client().counters().connections == 3);
    });
}

TEST_CASE("what a server says unasked between two replies is no reply to the next request")
{
    for (char const* const method : {"POST", "GET", "PUT", "DELETE"})
        for (bool const closes : {true, false}) {
            INFO(method << ' ' << closes);
            call_scene s;
            raw_server odd(s.io);
            s.settings.url = odd.url();
            s.run([&]() -> asio::awaitable<void> {
                for (int i = 0; i < 2; ++i) {
                    co_await call_anew(s, odd, method);
                    co_await odd.write("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
                    if (closes)
                        odd.close();
                }
                CHECK(s.client().counters().connections == 2);
            });
        }
}

TEST_CASE("a GET on a kept connection that goes without a reply is sent once more, on a new one")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        error const first = co_await failure_of(s.client().get_server_activities());
        CHECK(first.code() == error_code());
        s.server.cut("/activities", 0);
        error const second = co_await failure_of(s.client().get_server_activities());
        CHECK(second.code() == error_code());
    });
    std::vector<seen_request> const seen = s.server.requests();
    REQUIRE(seen.size() == 3);
    CHECK(seen[1].connection == seen[0].connection);
    CHECK(seen[2].connection != seen[1].connection);
}

TEST_CASE("a GET is sent again once, not for ever")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        error const first = co_await failure_of(s.client().get_server_activities());
        CHECK(first.code() == error_code());
        s.server.cut("/activities", 0, fake_server::always);
        error const second = co_await failure_of(s.client().get_server_activities());
        CHECK(second.code() == errc::connection_failed);
        CHECK(is_retryable(second.code()));
    });
    CHECK(s.server.requests().size() == 3);
}

TEST_CASE("a GET on a new connection that goes without a reply is not sent again")
{
    call_scene s;
    s.server.cut("/activities", 0);
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::connection_failed);
        CHECK(contains(failure.what(), "closed the connection"));
    });
    CHECK(s.server.requests().size() == 1);
}

TEST_CASE("a POST that may have been seen is not sent again")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        error const first = co_await failure_of(s.client().get_server_activities());
        CHECK(first.code() == error_code());
        s.server.cut("/media", 0);
        error const second = co_await failure_of(s.client().send(request("POST", "/media/subscriptions/process")));
        CHECK(second.code() == errc::connection_failed);
    });
    CHECK(s.server.requests().size() == 2);
}

TEST_CASE("a request is not sent again once some of its reply has come")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        error const first = co_await failure_of(s.client().get_server_activities());
        CHECK(first.code() == error_code());
        s.server.cut("/activities", 20);
        error const second = co_await failure_of(s.client().get_server_activities());
        CHECK(second.code() == errc::connection_failed);
    });
    CHECK(s.server.requests().size() == 2);
}

TEST_CASE("a connection is not kept where the reply says so, or has no length")
{
    call_scene s;
    s.server.reply_raw("/activities", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 29\r\n\r\n" + empty_list,
                       true);
    s.server.reply_raw("/activities", "HTTP/1.0 200 OK\r\n\r\n" + empty_list);
    s.run([&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
            error const outcome = co_await failure_of(s.client().get_server_activities());
            CHECK(outcome.code() == error_code());
        }
    });
    CHECK(s.server.counters().connections_accepted == 3);
}

TEST_CASE("a connection that brings more than its reply is not used again")
{
    call_scene s;
    s.server.reply_raw("/activities", kept_reply() + kept_reply(), true);
    s.run([&]() -> asio::awaitable<void> {
        for (int i = 0; i < 2; ++i) {
            error const outcome = co_await failure_of(s.client().get_server_activities());
            CHECK(outcome.code() == error_code());
        }
    });
    CHECK(s.server.counters().connections_accepted == 2);
}

TEST_CASE("close() closes the kept connections")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        co_await all_succeed(lists(s, 3));
        CHECK(s.server.counters().connections_open == 3);
        co_await s.client().close();
        co_await s.server.connections_open_fell_to(0);
        error const after = co_await failure_of(s.client().get_server_activities());
        CHECK(after.code() == errc::stopped);
    });
    CHECK(s.server.requests().size() == 3);
}
