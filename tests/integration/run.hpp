#pragma once

#include "catch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <functional>

namespace plex::test {

namespace asio = boost::asio;

/// Runs a coroutine on `executor` until it is done, with a watchdog: a test that hangs fails and says so. What the
/// coroutine throws is thrown here.
void run(asio::io_context& io, asio::any_io_executor executor, asio::awaitable<void> body,
         std::chrono::seconds watchdog = std::chrono::seconds(60));
void run(asio::io_context& io, asio::awaitable<void> body);

/// Waits for what nothing tells of, bounded by the watchdog. A look costs little and is repeated soon.
asio::awaitable<void> until(std::function<bool()> condition);

} // namespace plex::test
