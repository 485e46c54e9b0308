// Follows the live feed as an asynchronous generator that another one narrows: what has ended, by title.
//   example_watch_generator [URL [TOKEN]]
#include "server_or_fake.hpp"

#include <plex/activities.hpp>
#include <plex/generator.hpp>

#include <boost/asio/awaitable.hpp>

#include <iostream>
#include <optional>
#include <string>

namespace asio = boost::asio;

static plex::generator<std::string> finished(plex::generator<plex::activity_event> source)
{
    for (;;) {
        std::optional<plex::activity_event> const event = co_await source.next();
        if (!event)
            co_return;
        if (event->kind != plex::event_kind::ended)
            continue;
        std::string title(event->activity.title());
        co_yield std::move(title);
    }
}

static asio::awaitable<void> watch(plex::client& client)
{
    plex::generator<std::string> titles = finished(plex::events(client.subscribe()));
    std::optional<std::string> const first = co_await titles.next();
    if (first)
        std::cout << "finished: " << *first << '\n';
    co_await client.close();
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, watch);
}
