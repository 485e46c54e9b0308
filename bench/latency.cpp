// How long an event takes from the server's write to the user's code.
#include "client.hpp"
#include "delays.hpp"
#include "measure.hpp"

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

asio::awaitable<void> take(plex::feed& feed, std::uint64_t events, delays& seen)
{
    for (std::uint64_t i = 0; i != events;) {
        auto const event = co_await feed.next();
        expect(event.has_value(), "the feed has stopped");
        if (event->kind != plex::event_kind::updated)
            continue; // the beginning of the life, and what the list shows
        seen.arrived(event->activity.subtitle());
        ++i;
    }
}

asio::awaitable<void> measure(plex::client& client, std::uint64_t events)
{
    plex::feed feed = client.subscribe();
    delays seen(events);
    co_await take(feed, paced_warm_up, seen);
    seen.reset();
    reading const begin = reading::now();
    co_await take(feed, events, seen);
    reading const spent = reading::now() - begin;
    seen.report("latency", spent);
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const events = number(argc, argv, 2, "PORT COUNT");
    run(settings(port, "/paced"), [&](plex::client& client) { return measure(client, events); });
}
