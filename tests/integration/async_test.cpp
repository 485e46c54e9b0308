#include "calls_fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <thread>

// plex/async.hpp: the calls for every completion token.

using namespace plex;
using namespace plex::test;

namespace {

/// Runs the scene's io_context on this thread until `condition`, with a watchdog.
void pump(call_scene& s, std::function<bool()> condition)
{
    auto const limit = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        REQUIRE(std::chrono::steady_clock::now() < limit);
        if (s.io.stopped())
            s.io.restart();
        s.io.run_one_for(10ms);
    }
}

} // namespace

TEST_CASE("a callback gets the result on the client's executor, not from within the call")
{
    call_scene s;
    s.server.start_activity(activity_called("one"));
    diagnostics d;
    int called = 0;
    async_get_server_activities(s.client(), d, [&](error_code ec, std::vector<activity> list) {
        ++called;
        CHECK_FALSE(ec);
        CHECK(list.size() == 1);
    });
    CHECK(called == 0);
    pump(s, [&] { return called == 1; });
}

TEST_CASE("a callback gets the error's code, and the diagnostics are filled")
{
    call_scene s;
    s.server.refuse("/activities", 403);
    diagnostics d;
    error_code code;
    bool done = false;
    async_get_server_activities(s.client(), d, [&](error_code ec, std::vector<activity> list) {
        CHECK(list.empty());
        code = ec;
        done = true;
    });
    pump(s, [&] { return done; });
    CHECK(code == errc::forbidden);
    CHECK(d.http_status() == 403);
    CHECK(contains(d.message(), s.settings.url));
}

TEST_CASE("each call has its form for completion tokens")
{
    call_scene s;
    fake_activity a = activity_called("one");
    a.cancellable = true;
    s.server.start_activity(a);
    s.run([&]() -> asio::awaitable<void> {
        diagnostics d;
        co_await async_cancel_server_activities(s.client(), "one", d, asio::use_awaitable);
        reply const answer = co_await async_send(s.client(), request("GET", "/identity"), d, asio::use_awaitable);
        CHECK(answer.status() == 200);
        std::vector<activity> const list = co_await async_get_server_activities(s.client(), d, asio::use_awaitable);
        CHECK(list.empty());
        co_await async_close(s.client(), 1s, d, asio::use_awaitable);
        CHECK(d.message().empty());
        auto const [stopped] =
            co_await async_cancel_server_activities(s.client(), "one", d, asio::as_tuple(asio::use_awaitable));
        CHECK(stopped == errc::stopped);
    });
    CHECK(s.server.requests().size() == 3);
}

TEST_CASE("a deferred call starts when it is awaited, and not before")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        diagnostics d;
        auto later = async_get_server_activities(s.client(), d, asio::deferred);
        for (int i = 0; i < 10; ++i)
            co_await asio::post(s.client().get_executor(), asio::use_awaitable);
        CHECK(s.client().counters().requests == 0);
        std::vector<activity> const list = co_await std::move(later)(asio::use_awaitable);
        CHECK(list.empty());
        CHECK(s.client().counters().requests == 1);
    });
}

TEST_CASE("as_tuple gives the code beside the result")
{
    call_scene s;
    s.server.refuse("/activities", 500);
    s.run([&]() -> asio::awaitable<void> {
        diagnostics d;
        auto const [ec, list] =
            co_await async_get_server_activities(s.client(), d, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::server_error);
        CHECK(list.empty());
        CHECK(d.http_status() == 500);
        auto const [none, again] =
            co_await async_get_server_activities(s.client(), d, asio::as_tuple(asio::use_awaitable));
        CHECK_FALSE(none);
        CHECK(again.empty());
    });
}

TEST_CASE("a future is filled while another thread runs the client")
{
    call_scene s;
    s.server.start_activity(activity_called("one"));
    client& c = s.client();
    auto const work = asio::make_work_guard(s.io);
    std::thread runs([&] { s.io.run(); });
    diagnostics d;
    std::future<std::vector<activity>> list = async_get_server_activities(c, d, asio::use_future);
    bool const in_time = list.wait_for(30s) == std::future_status::ready;
    CHECK(in_time);
    if (in_time)
        CHECK(list.get().size() == 1);
    diagnostics why;
    std::future<void> cancelled = async_cancel_server_activities(c, "one", why, asio::use_future);
    CHECK(cancelled.wait_for(30s) == std::future_status::ready);
    error_code thrown;
    try {
        cancelled.get();
    } catch (boost::system::system_error const& e) {
        thrown = e.code();
    }
    CHECK(thrown == errc::not_cancellable);
    CHECK(why.http_status() == 400);
    s.io.stop();
    runs.join();
}

TEST_CASE("a future whose io_context is destroyed is a broken promise, not a wait for ever")
{
    diagnostics d;
    std::future<std::vector<activity>> list;
    {
        call_scene s;
        s.server.stall("/activities");
        list = async_get_server_activities(s.client(), d, asio::use_future);
        pump(s, [&] { return !s.server.requests().empty(); });
    }
    REQUIRE(list.wait_for(0s) == std::future_status::ready);
    bool broken = false;
    try {
        list.get();
    } catch (std::future_error const& e) {
        broken = e.code() == std::future_errc::broken_promise;
    }
    CHECK(broken);
}

TEST_CASE("a call can be cancelled by its slot, with a signal of any type")
{
    for (asio::cancellation_type const type :
         {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
        call_scene s;
        s.server.stall("/activities");
        diagnostics d;
        asio::cancellation_signal signal;
        error_code code;
        bool done = false;
        async_get_server_activities(s.client(), d,
                                    asio::bind_cancellation_slot(signal.slot(), [&](error_code ec, auto const& list) {
                                        CHECK(list.empty());
                                        code = ec;
                                        done = true;
                                    }));
        pump(s, [&] { return !s.server.requests().empty(); });
        CHECK_FALSE(done);
        signal.emit(type);
        pump(s, [&] { return done; });
        CHECK(code == asio::error::operation_aborted);
        CHECK(contains(d.message(), "waiting for the reply"));
    }
}

TEST_CASE("the handler runs on the executor that it is bound to")
{
    call_scene s;
    asio::thread_pool pool(1);
    std::promise<std::thread::id> ran_on; // Catch2's macros belong to the main thread
    std::future<std::thread::id> where = ran_on.get_future();
    diagnostics d;
    async_get_server_activities(s.client(), d,
                                asio::bind_executor(pool, [&](error_code ec, std::vector<activity> const& list) {
                                    bool const good = !ec && list.empty();
                                    ran_on.set_value(good ? std::this_thread::get_id() : std::thread::id());
                                }));
    pump(s, [&] { return where.wait_for(0s) == std::future_status::ready; });
    std::thread::id const ran = where.get();
    CHECK(ran != std::thread::id());
    CHECK(ran != std::this_thread::get_id());
    pool.join();
}

TEST_CASE("a handler that is bound to another executor keeps that one busy until the call is done")
{
    call_scene s;
    s.server.hold("/activities");
    asio::io_context other;
    diagnostics d;
    bool done = false;
    async_get_server_activities(
        s.client(), d,
        asio::bind_executor(other.get_executor(), [&](error_code, std::vector<activity> const&) { done = true; }));
    pump(s, [&] { return s.server.held("/activities") == 1; });
    other.poll();
    CHECK_FALSE(other.stopped());
    s.server.release("/activities");
    pump(s, [&] { return other.poll() > 0; });
    CHECK(done);
}

TEST_CASE("a call outlives its client, and says that it has stopped")
{
    call_scene s;
    s.server.stall("/activities");
    diagnostics d;
    error_code code;
    bool done = false;
    async_get_server_activities(s.client(), d, [&](error_code ec, std::vector<activity> const&) {
        code = ec;
        done = true;
    });
    pump(s, [&] { return !s.server.requests().empty(); });
    s.drop_client();
    pump(s, [&] { return done; });
    CHECK(code == errc::stopped);
    CHECK(contains(d.message(), s.settings.url));
}

TEST_CASE("after the io_context is gone a call completes with stopped")
{
    std::optional<client> survivor;
    {
        call_scene s;
        survivor.emplace(s.io.get_executor(), s.settings);
    }
    diagnostics d;
    error_code code;
    async_get_server_activities(*survivor, d, [&](error_code ec, std::vector<activity> const&) { code = ec; });
    CHECK(code == errc::stopped);
}

TEST_CASE("what a user's token function throws is told as unauthorized, with its text")
{
    call_scene s;
    s.settings.token_function = []() -> asio::awaitable<std::string> {
        throw std::runtime_error("the vault is shut");
        co_return std::string();
    };
    s.run([&]() -> asio::awaitable<void> {
        diagnostics d;
        auto const [ec, list] =
            co_await async_get_server_activities(s.client(), d, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::unauthorized);
        CHECK(list.empty());
        CHECK(d.message() == "the vault is shut");
    });
}

TEST_CASE("an error of Asio's that leaves a user's token function keeps its code, and its text is told")
{
    call_scene s;
    s.settings.token_function = []() -> asio::awaitable<std::string> {
        throw boost::system::system_error(asio::error::host_unreachable, "asking the vault");
        co_return std::string();
    };
    s.run([&]() -> asio::awaitable<void> {
        diagnostics d;
        auto const [ec, list] =
            co_await async_get_server_activities(s.client(), d, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == asio::error::host_unreachable);
        CHECK(list.empty());
        CHECK(contains(d.message(), "asking the vault"));
    });
}

TEST_CASE("operations and idle waits take completion tokens too")
{
    testing::fake_server_options options;
    options.call_duration = 20ms;
    call_scene s(options);
    diagnostics d;
    bool ready = false;
    async_ready(s.client(), 10s, d, [&](error_code ec) {
        CHECK_FALSE(ec);
        ready = true;
    });
    pump(s, [&] { return ready; });
    operation scan;
    bool started = false;
    async_start(s.client(), scan_section(3), 10s, d, [&](error_code ec, operation o) {
        CHECK_FALSE(ec);
        scan = std::move(o);
        started = true;
    });
    pump(s, [&] { return started; });
    bool idle = false;
    async_wait_until_idle(s.client(), filter().type("library."), 10ms, 20s, d, [&](error_code ec) {
        CHECK_FALSE(ec);
        idle = true;
    });
    pump(s, [&] { return idle; });
    s.run([&]() -> asio::awaitable<void> {
        outcome const over = co_await scan.result(1s);
        CHECK(over.kind == outcome_kind::ended);
        auto const [ec, refused] = co_await async_start(s.client(), activity_request(request("GET", "/none"), filter()),
                                                        std::nullopt, d, asio::as_tuple(asio::use_awaitable));
        CHECK(ec == errc::not_found);
        CHECK(d.http_status() == 404);
    });
}

TEST_CASE("as_result gives what the call gives, or its error, as a value")
{
    call_scene s;
    s.server.start_activity(activity_called("one"));
    s.run([&]() -> asio::awaitable<void> {
        auto const listed = co_await as_result(s.client().get_server_activities());
        REQUIRE(listed.has_value());
        CHECK(listed->size() == 1);
        auto const cancelled = co_await as_result(s.client().cancel_server_activities("unknown"));
        REQUIRE(cancelled.has_error());
        CHECK(cancelled.error().code() == errc::activity_not_found);
        CHECK(cancelled.error().diagnostics().http_status() == 404);
        bool threw = false;
        try {
            cancelled.value();
        } catch (error const& e) {
            threw = e.code() == errc::activity_not_found;
        }
        CHECK(threw);
    });
}
