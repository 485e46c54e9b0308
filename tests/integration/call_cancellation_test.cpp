#include "calls_fixture.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/strand.hpp>

// Cancelled, out of time or stopped at each point of a call: the caller is told what he waited for, the connection is
// dropped, its place is free again.

using namespace plex;
using namespace plex::test;

namespace {

/// One call at one point, with a single place in the pool, so that the call after it shows that the place is free.
struct stuck_call {
    std::string waits_for;
    std::function<void(call_scene&)> prepare;
    std::function<asio::awaitable<void>(call_scene&)> reached;
    std::function<void(call_scene&)> repair = [](call_scene&) {};
    request asked{"GET", "/activities"};
};

asio::awaitable<void> at_once(call_scene&)
{
    co_return;
}

std::vector<stuck_call> points()
{
    std::vector<stuck_call> all;

    stuck_call resolving;
    resolving.waits_for = "resolving the host name";
    resolving.prepare = [](call_scene& s) { s.settings.url = "http://localhost:" + std::to_string(s.server.port()); };
    resolving.reached = at_once; // the answer comes from another thread, to be taken by a later handler
    all.push_back(std::move(resolving));

    stuck_call connecting;
    auto const hole = std::make_shared<std::optional<black_hole>>();
    connecting.waits_for = "connecting";
    connecting.prepare = [hole](call_scene& s) {
        hole->emplace(s.io);
        s.settings.url = (*hole)->url();
    };
    connecting.reached = at_once;
    connecting.repair = [hole](call_scene&) { hole->reset(); };
    all.push_back(std::move(connecting));

    stuck_call shaking;
    shaking.waits_for = "the TLS handshake";
    shaking.prepare = [](call_scene& s) {
        s.server.stall_connections();
        s.settings.url.replace(0, 4, "https");
        s.settings.tls.insecure = true;
    };
    shaking.reached = [](call_scene& s) -> asio::awaitable<void> {
        co_await until([&s] { return s.client().counters().connections == 1; });
    };
    all.push_back(std::move(shaking));

    stuck_call sending;
    sending.waits_for = "sending the request";
    sending.asked = request("POST", "/media").body(std::string(32u << 20, 'x'), "text/plain");
    sending.prepare = [](call_scene& s) { s.server.stall_connections(); };
    sending.reached = [](call_scene& s) -> asio::awaitable<void> {
        co_await until([&s] { return s.client().counters().connections == 1; });
    };
    all.push_back(std::move(sending));

    stuck_call waiting;
    waiting.waits_for = "waiting for the reply";
    waiting.prepare = [](call_scene& s) { s.server.stall("/activities"); };
    waiting.reached = [](call_scene& s) -> asio::awaitable<void> {
        co_await s.server.requests_reached("/activities", 1);
    };
    all.push_back(std::move(waiting));

    return all;
}

} // namespace

TEST_CASE("a call that is cancelled says what it waited for, and leaves no connection and no place taken")
{
    for (stuck_call const& point : points()) {
        INFO(point.waits_for);
        call_scene s;
        s.settings.max_connections = 1;
        point.prepare(s);
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().send(point.asked));
            co_await point.reached(s);
            REQUIRE_FALSE(call.done());
            call.cancel();
            error const aborted = co_await call.result();
            CHECK(aborted.code() == asio::error::operation_aborted);
            INFO(aborted.what());
            // The resolver's thread may have been quick.
            bool const quick = contains(point.waits_for, "resolving") && contains(aborted.what(), "the next step");
            bool const told = contains(aborted.what(), point.waits_for) || quick;
            CHECK(told);
            CHECK(contains(aborted.what(), "cancelled"));
            CHECK(contains(aborted.what(), s.settings.url));
            CHECK_FALSE(is_retryable(aborted.code()));
            point.repair(s);
            if (!s.settings.url.starts_with("https")) {
                // Answered or refused, but not for want of a place.
                error const next = co_await failure_of(s.client().get_server_activities());
                bool const went_on = next.code() == error_code() || next.code() == errc::connection_failed;
                CHECK(went_on);
            }
            s.client().stop();
            s.server.stop(); // stalled connections do not look whether their peer is there
        });
        s.io.restart();
        s.io.run_for(10s);
        CHECK(s.io.stopped());
    }
}

TEST_CASE("a call in any state fails with stopped when its client is stopped, and leaves nothing for run() to wait for")
{
    for (stuck_call const& point : points()) {
        INFO(point.waits_for);
        call_scene s;
        point.prepare(s);
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().send(point.asked));
            co_await point.reached(s);
            REQUIRE_FALSE(call.done());
            s.client().stop();
            error const stopped = co_await call.result();
            CHECK(stopped.code() == errc::stopped);
            CHECK(contains(stopped.what(), s.settings.url));
        });
        point.repair(s);
        s.server.stop();
        s.io.restart();
        s.io.run_for(10s);
        CHECK(s.io.stopped());
    }
}

TEST_CASE("a call in any state may lose its client")
{
    for (stuck_call const& point : points()) {
        INFO(point.waits_for);
        call_scene s;
        point.prepare(s);
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().send(point.asked));
            co_await point.reached(s);
            s.drop_client();
            error const stopped = co_await call.result();
            CHECK(stopped.code() == errc::stopped);
        });
        point.repair(s);
    }
}

TEST_CASE("a call in any state is over when its time is, and says what it waited for")
{
    for (stuck_call const& point : points()) {
        if (contains(point.waits_for, "resolving"))
            continue; // over before any time is
        for (bool const connect_limit : {false, true}) {
            bool const connects = contains(point.waits_for, "connecting") || contains(point.waits_for, "TLS");
            if (connect_limit && !connects)
                continue;
            INFO(point.waits_for << (connect_limit ? ", connect_timeout" : ", request_timeout"));
            call_scene s;
            s.settings.max_connections = 1;
            (connect_limit ? s.settings.connect_timeout : s.settings.request_timeout) = 100ms;
            point.prepare(s);
            s.run([&]() -> asio::awaitable<void> {
                error const late = co_await failure_of(s.client().send(point.asked));
                INFO(late.what());
                CHECK(late.code() == errc::timeout);
                CHECK(is_retryable(late.code()));
                CHECK(contains(late.what(), point.waits_for));
                CHECK(contains(late.what(), s.settings.url));
            });
            point.repair(s);
        }
    }
}

TEST_CASE("a call in any state ends with its io_context, and leaves nothing behind")
{
    for (stuck_call const& point : points()) {
        INFO(point.waits_for);
        std::optional<client> survivor;
        {
            call_scene s;
            point.prepare(s);
            survivor.emplace(s.io.get_executor(), s.settings);
            asio::any_io_executor executor = survivor->get_executor();
            started call(executor, survivor->send(point.asked));
            s.run([&]() -> asio::awaitable<void> {
                if (contains(point.waits_for, "TLS") || contains(point.waits_for, "sending"))
                    co_await until([&] { return survivor->counters().connections == 1; });
                else
                    co_await point.reached(s);
            });
            CHECK_FALSE(call.done());
            point.repair(s);
            executor = asio::any_io_executor(); // no user's copy of an executor may outlive the context
        }
        CHECK(survivor->counters().requests == 1);
    }
}

TEST_CASE("a result that waits for its turn on another io_context goes with that, and reaches for nothing of it")
{
    call_scene s;
    s.server.hold("/activities");
    auto theirs = std::make_unique<asio::io_context>();
    int completed = 0;
    asio::co_spawn(*theirs, failure_of(s.client().get_server_activities()),
                   [&](std::exception_ptr, error const&) { ++completed; });
    diagnostics d;
    auto const count = [&](error_code, std::vector<activity> const&) { ++completed; };
    async_get_server_activities(s.client(), d, asio::bind_executor(asio::make_strand(*theirs), count));
    theirs->poll(); // begins the one
    auto const body = [&]() -> asio::awaitable<void> {
        co_await s.server.held_reached("/activities", 2);
        s.server.release("/activities");
        // Their results have come, as far as one that is asked for later.
        for (int i = 0; i != 2; ++i)
            (void)co_await s.client().get_server_activities();
    };
    s.run(body);
    theirs.reset();
    s.io.restart();
    s.io.poll();
    CHECK(completed == 0);
}

TEST_CASE("calls that wait for a connection, for the token or for the rest of a body end with their io_context")
{
    std::optional<client> survivors[3];
    {
        call_scene s;
        s.server.stall("/activities");
        s.server.reply_raw("/body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome", true);
        config one_place = s.settings;
        one_place.max_connections = 1;
        config asks = s.settings;
        bool asked = false;
        asks.token_function = [&asked]() -> asio::awaitable<std::string> {
            asked = true;
            asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
            co_await never.async_wait(asio::use_awaitable);
            co_return std::string();
        };
        survivors[0].emplace(s.io.get_executor(), one_place);
        survivors[1].emplace(s.io.get_executor(), asks);
        survivors[2].emplace(s.io.get_executor(), s.settings);
        std::vector<started> calls;
        for (int i = 0; i < 3; ++i) {
            calls.emplace_back(survivors[0]->get_executor(), survivors[0]->get_server_activities());
            calls.emplace_back(survivors[1]->get_executor(), survivors[1]->get_server_activities());
        }
        calls.emplace_back(survivors[2]->get_executor(), survivors[2]->send(request("GET", "/body")));
        s.run([&]() -> asio::awaitable<void> {
            co_await s.server.requests_reached("/activities", 1);
            co_await s.server.requests_reached("/body", 1);
            co_await until([&] { return asked; });
        });
        for (started const& call : calls)
            CHECK_FALSE(call.done());
    }
    CHECK(survivors[0]->counters().requests == 3);
}

TEST_CASE("a call that is cancelled in the middle of a body says so, and the connection is dropped")
{
    call_scene s;
    raw_server odd(s.io);
    s.settings.url = odd.url();
    s.settings.max_body = 128u << 20;
    s.run([&]() -> asio::awaitable<void> {
        started call(s.client().get_executor(), s.client().send(request("GET", "/big")));
        co_await odd.accept();
        std::string const head = co_await odd.read_head();
        CHECK(contains(head, "GET /big"));
        co_await odd.write("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
        // More than both sides' buffers hold, so some of it has been read.
        co_await odd.write(std::string(32u << 20, 'x'));
        CHECK_FALSE(call.done());
        call.cancel();
        error const aborted = co_await call.result();
        CHECK(aborted.code() == asio::error::operation_aborted);
        CHECK(contains(aborted.what(), "receiving the reply"));
        boost::system::error_code gone;
        std::array<char, 16> rest;
        co_await odd.socket().async_read_some(asio::buffer(rest), asio::redirect_error(asio::use_awaitable, gone));
        CHECK(gone);
    });
}

TEST_CASE("a reply that comes too slowly is out of time")
{
    call_scene s;
    raw_server odd(s.io);
    s.settings.url = odd.url();
    s.settings.request_timeout = 100ms;
    s.run([&]() -> asio::awaitable<void> {
        started call(s.client().get_executor(), s.client().send(request("GET", "/slow")));
        co_await odd.accept();
        co_await odd.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while (!call.done()) { // a byte now and then does not prolong it
            boost::system::error_code ec;
            co_await odd.socket().async_write_some(asio::buffer("x", 1), asio::redirect_error(asio::use_awaitable, ec));
            asio::steady_timer pause(s.io, 5ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
        error const late = co_await call.result();
        CHECK(late.code() == errc::timeout);
        CHECK(contains(late.what(), "receiving the reply"));
    });
}

TEST_CASE("a cancellation that comes together with a result is told as a plex error too")
{
    // Cancelled at every turn of a call's life: whichever way it ends, it is a result or an error of ours.
    for (int turns = 0; turns < 40; ++turns) {
        call_scene s;
        s.settings.max_connections = 1;
        s.settings.url = "http://localhost:" + std::to_string(s.server.port());
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().get_server_activities());
            for (int i = 0; i < turns && !call.done(); ++i)
                co_await asio::post(s.client().get_executor(), asio::use_awaitable);
            call.cancel();
            error const outcome = co_await call.result();
            bool const known = outcome.code() == error_code() || outcome.code() == asio::error::operation_aborted;
            CHECK(known);
            error const next = co_await failure_of(s.client().get_server_activities());
            CHECK(next.code() == error_code());
        });
    }
}
