// The feed as a coroutine takes it.
#include "measure.hpp"
#include "messages.hpp"

#include <plex/activities.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <exception>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

/// Events taken, by their kind.
using tally = std::array<std::uint64_t, 3>;

asio::awaitable<void> take(plex::feed& feed, std::uint64_t wanted, tally& taken)
{
    for (std::uint64_t i = 0; i != wanted;) {
        auto const event = co_await feed.next();
        if (!event)
            throw std::runtime_error("the feed has stopped");
        ++taken[static_cast<std::size_t>(event->kind)];
        ++i;
    }
}

asio::awaitable<void> follow(plex::client& client, std::uint64_t events)
{
    plex::feed feed = client.subscribe();
    tally taken{};
    co_await take(feed, warm_up_events, taken);
    taken = {};
    reading const begin = reading::now();
    co_await take(feed, events, taken);
    reading const spent = reading::now() - begin;
    // A scan's length is known, so that it shows whether whole lives came.
    if (taken[2] + 1 < events / scan::events || taken[2] > events / scan::events + 1 || taken[0] > taken[2] + 2)
        throw std::runtime_error("these were not the server's events");
    print("feed", events, spent, feed.conflated());
    client.stop();
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const events = number(argc, argv, 2, "PORT COUNT");
    asio::io_context context(1);
    plex::config config;
    config.url = "http://127.0.0.1:" + std::to_string(port);
    config.token = "token-of-the-bench-x";
    plex::client client(context.get_executor(), config);
    asio::co_spawn(client.get_executor(), follow(client, events), [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    });
    context.run();
}
