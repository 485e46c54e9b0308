// A service on a pool of threads: follows the feed, lists now and then, and shuts down cleanly on SIGINT or SIGTERM.
//   example_service URL [TOKEN]        without arguments: against a server inside this process, ended by its own
//   SIGTERM
#include "server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <iostream>
#include <thread>
#include <vector>

namespace asio = boost::asio;

static asio::awaitable<void> follow(plex::client& client, bool demonstration)
{
    plex::feed feed = client.subscribe();
    for (;;) {
        std::optional<plex::activity_event> const event = co_await feed.next();
        if (!event)
            co_return; // the client was closed
        if (event->kind == plex::event_kind::updated)
            continue;
        std::cout << to_string(event->kind) << "  " << event->activity.title() << '\n';
        if (demonstration && event->kind == plex::event_kind::ended)
            std::raise(SIGTERM);
    }
}

static asio::awaitable<void> until_signalled(plex::client& client)
{
    asio::signal_set signals(client.get_executor(), SIGINT, SIGTERM);
    co_await signals.async_wait(asio::use_awaitable);
    co_await client.close();
}

int main(int argc, char* argv[])
{
    asio::io_context io;
    example::server_or_fake server(io, argc, argv);
    plex::client client(io.get_executor(), server.settings());

    // Spawned on the client's executor: whatever thread runs them, no two at a time.
    asio::co_spawn(client.get_executor(), until_signalled(client), [&](std::exception_ptr) { server.stop(); });
    asio::co_spawn(client.get_executor(), follow(client, argc < 2), [](std::exception_ptr failure) {
        try {
            if (failure)
                std::rethrow_exception(failure);
        } catch (plex::error const& e) {
            std::cerr << e.what() << '\n';
            std::raise(SIGTERM);
        }
    });

    std::vector<std::thread> pool;
    pool.reserve(3);
    for (int i = 0; i < 3; ++i)
        pool.emplace_back([&] { io.run(); });
    io.run();
    for (std::thread& thread : pool)
        thread.join();
}
