#pragma once

#include "run.hpp"

#include <plex/activities.hpp>
#include <plex/testing/fake_server.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace plex::test {

using namespace std::chrono_literals;

/// A fake server and what a client needs to reach it, on one `io_context`.
struct served {
    explicit served(testing::fake_server_options options = testing::fake_server_options())
        : server(io.get_executor(), std::move(options))
    {
        settings.url = server.url();
    }

    void run(asio::awaitable<void> body) { test::run(io, std::move(body)); }
    /// As a coroutine of the client's own strand, where everything runs inline.
    void run(client const& c, asio::awaitable<void> body) { test::run(io, c.get_executor(), std::move(body)); }

    asio::io_context io;
    testing::fake_server server;
    config settings;
};

/// "started scan 0", "ended! scan 100": kind, `!` where inferred, uuid and progress.
inline std::string told(activity_event const& e)
{
    std::string text(to_string(e.kind));
    text += e.inferred ? "! " : " ";
    text += e.activity.uuid();
    std::optional<int> const progress = e.activity.progress();
    return text + " " + (progress ? std::to_string(*progress) : "-");
}

/// Waits for what nothing tells of. A look costs little and is repeated soon.
inline asio::awaitable<void> come_true(std::function<bool()> condition)
{
    asio::steady_timer soon(co_await asio::this_coro::executor);
    while (!condition()) {
        soon.expires_after(500us);
        co_await soon.async_wait(asio::use_awaitable);
    }
}

inline asio::awaitable<void> reach(client& c, connection_state state)
{
    std::function<bool()> const there = [&c, state] { return c.connection().state == state; };
    co_await come_true(there);
}

/// So many events, or what came before the feed ended.
inline asio::awaitable<std::vector<std::string>> take(feed& f, std::size_t count)
{
    std::vector<std::string> result;
    while (result.size() < count) {
        std::optional<activity_event> const event = co_await f.next();
        if (!event)
            break;
        result.push_back(told(*event));
    }
    co_return result;
}

inline testing::fake_activity activity_named(std::string uuid, std::string type = "library.update.section")
{
    testing::fake_activity a(std::move(type), "Scanning");
    a.uuid = std::move(uuid);
    return a;
}

} // namespace plex::test
