#include "calls_fixture.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <future>
#include <set>
#include <thread>

// Clients on one set of threads, their users on another. Meant for the thread sanitizer.

using namespace plex;
using namespace plex::test;
using namespace asio::experimental::awaitable_operators;

namespace {

/// An io_context with threads of its own.
class running_context
{
public:
    explicit running_context(int threads) : work_(asio::make_work_guard(io))
    {
        for (int i = 0; i < threads; ++i)
            threads_.emplace_back([this] { io.run(); });
    }
    ~running_context() { join(); }
    void join()
    {
        work_.reset();
        io.stop();
        for (std::thread& t : threads_)
            t.join();
        threads_.clear();
    }

    asio::io_context io;

private:
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::vector<std::thread> threads_;
};

/// Waits here for a coroutine that runs on other threads, with a watchdog.
/// Waits here for coroutines that run on other threads, with a watchdog.
class joined
{
public:
    void spawn(asio::any_io_executor executor, asio::awaitable<void> body)
    {
        std::promise<void>& promise = promises_.emplace_back();
        asio::co_spawn(executor, std::move(body), [&promise](std::exception_ptr e) {
            if (e)
                promise.set_exception(e);
            else
                promise.set_value();
        });
    }
    void wait()
    {
        for (std::promise<void>& promise : promises_) {
            std::future<void> future = promise.get_future();
            if (future.wait_for(60s) != std::future_status::ready) {
                std::fputs("the watchdog ended the test: a coroutine is still waiting\n", stderr);
                std::abort(); // other threads use what this one would destroy
            }
            future.get();
        }
    }

private:
    std::deque<std::promise<void>> promises_;
};

void wait_on(asio::any_io_executor executor, asio::awaitable<void> body)
{
    joined one;
    one.spawn(executor, std::move(body));
    one.wait();
}

/// Each on a strand of its own, as `||` and `&&` ask of their executor.
void wait_for_all(asio::thread_pool& pool, std::vector<asio::awaitable<void>> bodies)
{
    joined all;
    for (asio::awaitable<void>& body : bodies)
        all.spawn(asio::make_strand(pool), std::move(body));
    all.wait();
}

void wait_for(asio::thread_pool& pool, asio::awaitable<void> body)
{
    wait_on(asio::make_strand(pool), std::move(body));
}

asio::awaitable<void> pause_for(std::chrono::microseconds time)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

/// The server on a thread of its own; clients and users wherever a test wants them. Catch2's macros belong to the main
/// thread, so that others count.
struct threaded_scene {
    threaded_scene() { settings.url = server.url(); }

    asio::awaitable<void> list_often(client& c, int rounds)
    {
        asio::any_io_executor const mine = co_await asio::this_coro::executor;
        for (int i = 0; i < rounds; ++i) {
            boost::system::result<std::vector<activity>, error> const list =
                co_await as_result(c.get_server_activities());
            (list.has_value() && list->size() == 1 ? good : bad)++;
            asio::any_io_executor const still = co_await asio::this_coro::executor;
            if (still != mine)
                ++bad;
        }
    }
    /// Calls that are cancelled at any point of theirs.
    asio::awaitable<void> cancel_often(client& c, int rounds)
    {
        for (int i = 0; i < rounds; ++i) {
            auto const outcome =
                co_await (as_result(c.get_server_activities()) || pause_for(std::chrono::microseconds(i * 37 % 1500)));
            if (outcome.index() == 1)
                ++cancelled;
            else
                ++good;
        }
    }

    running_context server_side{1};
    fake_server server{server_side.io.get_executor()};
    config settings;
    std::atomic<int> good{0};
    std::atomic<int> bad{0};
    std::atomic<int> cancelled{0};
};

} // namespace

TEST_CASE("calls awaited on a thread pool resume on it, whatever thread the client runs on")
{
    threaded_scene s;
    s.server.start_activity(activity_called("one"));
    asio::thread_pool users(4);
    {
        running_context clients(1);
        {
            client c(clients.io.get_executor(), s.settings);
            auto body = [&]() -> asio::awaitable<void> {
                co_await (s.list_often(c, 25) && s.list_often(c, 25) && s.list_often(c, 25) && s.list_often(c, 25));
                co_await c.close();
            };
            wait_for(users, body());
        }
        clients.join();
    }
    users.join();
    CHECK(s.good == 100);
    CHECK(s.bad == 0);
}

TEST_CASE("one client is used by many strands of one pool")
{
    threaded_scene s;
    s.server.start_activity(activity_called("one"));
    asio::thread_pool pool(4);
    {
        client c(pool.get_executor(), s.settings);
        std::vector<asio::awaitable<void>> bodies;
        for (int i = 0; i < 12; ++i)
            bodies.push_back(s.list_often(c, 20));
        wait_for_all(pool, std::move(bodies));
        wait_for(pool, c.close());
    }
    pool.join();
    CHECK(s.good == 240);
    CHECK(s.bad == 0);
    CHECK(s.server.counters().connections_accepted <= 8);
}

TEST_CASE("calls awaited on another strand of the same pool come back to that strand")
{
    threaded_scene s;
    s.server.start_activity(activity_called("one"));
    asio::thread_pool pool(3);
    {
        client c(pool.get_executor(), s.settings);
        auto const strand = asio::make_strand(pool.get_executor());
        int off_strand = 0;
        int unprotected = 0; // only its strand keeps this from being a race
        auto user = [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 30; ++i) {
                co_await as_result(c.get_server_activities());
                off_strand += strand.running_in_this_thread() ? 0 : 1;
                ++unprotected;
            }
        };
        auto body = [&]() -> asio::awaitable<void> {
            co_await (user() && user() && user());
            co_await c.close();
        };
        wait_on(strand, body());
        CHECK(off_strand == 0);
        CHECK(unprotected == 90);
    }
    pool.join();
}

TEST_CASE("every call comes back to the executor it is awaited on, its result with it")
{
    threaded_scene s;
    fake_activity one = activity_called("one");
    one.cancellable = true;
    s.server.start_activity(one);
    asio::thread_pool pool(2);
    running_context clients(1);
    {
        client c(clients.io.get_executor(), s.settings);
        int status = 0;
        std::vector<bool> at_home;
        error_code cancelled = errc::stopped;
        auto look = [&] { at_home.push_back(pool.get_executor().running_in_this_thread()); };
        auto body = [&]() -> asio::awaitable<void> {
            reply const answer = co_await c.send(request("GET", "/identity"));
            look();
            status = answer.status();
            error const outcome = co_await failure_of(c.cancel_server_activities("one"));
            look();
            cancelled = outcome.code();
            co_await c.ready(30s);
            look();
            co_await c.wait_until_idle(filter().type("never.seen"), 1ms, 30s);
            look();
            co_await c.close();
            look();
        };
        wait_for(pool, body());
        CHECK(status == 200);
        CHECK(cancelled == error_code());
        CHECK(at_home == std::vector<bool>(5, true));
    }
    clients.join();
    pool.join();
}

TEST_CASE("a client takes any executor, and makes a strand of its own over it")
{
    threaded_scene s;
    s.server.start_activity(activity_called("one"));
    asio::thread_pool pool(3);
    {
        // Neither a context's nor a pool's own: a strand, and one with a property of its own.
        asio::any_io_executor const tracked =
            asio::prefer(pool.get_executor(), asio::execution::outstanding_work.tracked);
        for (asio::any_io_executor const& given : {asio::any_io_executor(asio::make_strand(pool)), tracked}) {
            client c(given, s.settings);
            CHECK(c.get_executor() != given);
            std::vector<asio::awaitable<void>> bodies;
            for (int i = 0; i < 4; ++i)
                bodies.push_back(s.list_often(c, 20));
            wait_for_all(pool, std::move(bodies));
            wait_for(pool, c.close());
        }
    }
    pool.join();
    CHECK(s.good == 160);
    CHECK(s.bad == 0);
}

TEST_CASE("a coroutine of the client's executor that has left its thread comes back to the strand")
{
    threaded_scene s;
    asio::thread_pool pool(2);
    asio::thread_pool elsewhere(1);
    {
        client c(pool.get_executor(), s.settings);
        error_code outcome = errc::stopped;
        auto body = [&]() -> asio::awaitable<void> {
            // Resumes on the other pool's thread, although its executor is the client's.
            co_await asio::post(elsewhere, asio::bind_executor(elsewhere, asio::use_awaitable));
            error const listed = co_await failure_of(c.get_server_activities());
            outcome = listed.code();
            co_await c.close();
        };
        wait_on(c.get_executor(), body());
        CHECK(outcome == error_code());
    }
    pool.join();
    elsewhere.join();
}

TEST_CASE("a call can be cancelled from another executor at every point of it, and nothing is lost")
{
    threaded_scene s;
    s.server.start_activity(activity_called("one"));
    s.settings.max_connections = 2; // so that some wait in the queue
    asio::thread_pool users(3);
    {
        running_context clients(1);
        {
            client c(clients.io.get_executor(), s.settings);
            std::vector<asio::awaitable<void>> bodies;
            for (int i = 0; i < 3; ++i)
                bodies.push_back(s.cancel_often(c, 150));
            wait_for_all(users, std::move(bodies));
            wait_for(users, s.list_often(c, 4)); // all places are free again
            wait_for(users, c.close());
        }
        clients.join();
    }
    users.join();
    CHECK(s.good + s.cancelled == 454);
    CHECK(s.bad == 0);
}

TEST_CASE("stopping a client wakes those who wait on other executors")
{
    threaded_scene s;
    s.server.stall("/activities", fake_server::always);
    asio::thread_pool users(2);
    {
        running_context clients(1);
        {
            client c(clients.io.get_executor(), s.settings);
            std::atomic<int> stopped = 0;
            auto wait = [&]() -> asio::awaitable<void> {
                error const failure = co_await failure_of(c.get_server_activities());
                if (failure.code() == errc::stopped)
                    ++stopped;
            };
            auto stop = [&]() -> asio::awaitable<void> {
                co_await s.server.requests_reached("/activities", 3);
                co_await asio::post(c.get_executor(), asio::bind_executor(c.get_executor(), asio::use_awaitable));
                c.stop();
            };
            auto body = [&]() -> asio::awaitable<void> { co_await (wait() && wait() && wait() && stop()); };
            wait_for(users, body());
            CHECK(stopped == 3);
        }
        clients.join();
    }
    users.join();
}

TEST_CASE("a client's io_context is destroyed while coroutines of other executors await its calls")
{
    threaded_scene s;
    s.server.stall("/activities", fake_server::always);
    std::atomic<int> resumed = 0;
    asio::thread_pool users(2);
    std::optional<client> survivor;
    {
        running_context clients(1);
        survivor.emplace(clients.io.get_executor(), s.settings);
        auto wait = [&]() -> asio::awaitable<void> {
            co_await failure_of(survivor->get_server_activities());
            ++resumed;
        };
        for (int i = 0; i < 3; ++i)
            asio::co_spawn(users, wait(), [](std::exception_ptr) {});
        asio::io_context here;
        test::run(here, s.server.requests_reached("/activities", 3));
        clients.join();
    }
    users.join(); // their coroutines are gone: nothing holds the pool
    CHECK(resumed == 0);
    survivor.reset();
}

TEST_CASE("the token function runs on the client's executor, whoever awaits")
{
    threaded_scene s;
    asio::thread_pool users(3);
    {
        running_context clients(1);
        {
            std::atomic<int> asked = 0;
            std::set<std::thread::id> threads; // only one thread runs the client
            s.settings.token_function = [&]() -> asio::awaitable<std::string> {
                ++asked;
                threads.insert(std::this_thread::get_id());
                co_await pause_for(500us);
                threads.insert(std::this_thread::get_id());
                co_return "token";
            };
            client c(clients.io.get_executor(), s.settings);
            std::vector<asio::awaitable<void>> bodies;
            for (int i = 0; i < 3; ++i)
                bodies.push_back(s.cancel_often(c, 5));
            wait_for_all(users, std::move(bodies));
            wait_for(users, c.close());
            clients.join();
            CHECK(asked == 1);
            CHECK(threads.size() == 1);
        }
    }
    users.join();
}
