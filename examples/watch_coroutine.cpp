// Follows the live feed in a coroutine loop, until the first activity has ended.
//   example_watch_coroutine [URL [TOKEN]]
#include "server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <iostream>
#include <optional>

namespace asio = boost::asio;

static asio::awaitable<void> watch(plex::client& client)
{
    plex::feed feed = client.subscribe();
    for (;;) {
        std::optional<plex::activity_event> const event = co_await feed.next();
        if (!event)
            break; // stopped
        std::cout << to_string(event->kind) << "  " << event->activity.title() << "  " << event->activity.subtitle()
                  << '\n';
        if (event->kind == plex::event_kind::ended)
            break;
    }
    co_await client.close();
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, watch);
}
