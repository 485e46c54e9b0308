// Cancels an activity, and waits until it has ended.
//   example_cancel [URL [TOKEN]]        without arguments: of a server inside this process
#include "server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Accepted is not ended, so this waits for the end. False where the feed stops before.
static asio::awaitable<bool> cancel(plex::client& client, plex::activity what)
{
    std::string uuid(what.uuid());
    // It is known from the list: should it end before the feed is open, its end is told all the same.
    std::vector<plex::activity> const known(1, what);
    plex::feed feed = client.subscribe(plex::filter().uuid(uuid), known);
    co_await client.ready(10s);
    co_await client.cancel_server_activities(std::move(uuid));
    for (;;) {
        std::optional<plex::activity_event> const event = co_await feed.next();
        if (!event)
            co_return false;
        if (event->kind == plex::event_kind::ended)
            co_return true;
    }
}

static asio::awaitable<bool> cancel_first(plex::client& client)
{
    std::vector<plex::activity> const running = co_await client.get_server_activities();
    auto const first = std::find_if(running.begin(), running.end(), [](auto const& a) { return a.cancellable(); });
    if (first == running.end())
        co_return false;
    bool const ended = co_await cancel(client, *first);
    std::cout << first->title() << (ended ? ": ended\n" : ": the feed has stopped\n");
    co_await client.close();
    co_return ended;
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, cancel_first);
}
