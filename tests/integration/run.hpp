#pragma once

#include "catch.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>
#include <utility>

namespace plex::test {

namespace asio = boost::asio;

/// Runs a coroutine on `executor` until it is done, with a watchdog: a test that hangs fails and says so. What the
/// coroutine throws is thrown here.
template <class Executor>
void run(asio::io_context& io, Executor executor, asio::awaitable<void> body,
         std::chrono::seconds watchdog = std::chrono::seconds(60))
{
    bool done = false;
    std::exception_ptr failure;
    asio::co_spawn(executor, std::move(body), [&](std::exception_ptr e) {
        done = true;
        failure = e;
    });
    io.restart();
    auto const until = std::chrono::steady_clock::now() + watchdog;
    while (!done && std::chrono::steady_clock::now() < until)
        if (io.run_one_until(until) == 0 && io.stopped() && !done)
            throw std::logic_error("the coroutine waits for something that nothing will bring");
    if (!done)
        throw std::logic_error("the watchdog ended the test: the coroutine is still waiting");
    if (failure)
        std::rethrow_exception(failure);
}

inline void run(asio::io_context& io, asio::awaitable<void> body)
{
    run(io, io.get_executor(), std::move(body));
}

/// Waits for what nothing tells of, bounded by the watchdog. A look costs little and is repeated soon.
inline asio::awaitable<void> until(std::function<bool()> condition)
{
    asio::any_io_executor const executor = co_await asio::this_coro::executor;
    asio::steady_timer soon(executor);
    while (!condition()) {
        soon.expires_after(std::chrono::microseconds(200));
        co_await soon.async_wait(asio::use_awaitable);
    }
}

} // namespace plex::test
