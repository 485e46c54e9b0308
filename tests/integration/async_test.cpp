#include "calls_fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <future>
#include <thread>

// plex/async.hpp: what is not of each form (tokens_test.cpp): executors, what a token function throws, as_result.

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
