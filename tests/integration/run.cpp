#include "integration/run.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

namespace plex::test {

void run(asio::io_context& io, asio::any_io_executor executor, asio::awaitable<void> body,
         std::chrono::seconds watchdog)
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

void run(asio::io_context& io, asio::awaitable<void> body)
{
    run(io, io.get_executor(), std::move(body));
}

asio::awaitable<void> until(std::function<bool()> condition)
{
    asio::any_io_executor const executor = co_await asio::this_coro::executor;
    asio::steady_timer soon(executor);
    while (!condition()) {
        soon.expires_after(std::chrono::microseconds(200));
        co_await soon.async_wait(asio::use_awaitable);
    }
}

} // namespace plex::test
