// The feed in batches: waited for, then taken until nothing is there.
#include "client.hpp"
#include "measure.hpp"
#include "messages.hpp"
#include "scans.hpp"

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

asio::awaitable<void> take_batches(plex::feed& feed, std::uint64_t events, scan_tally& taken)
{
    while (taken.total() < events) {
        co_await feed.wait();
        expect(!feed.stopped(), "the feed has stopped");
        while (taken.total() != events) {
            auto const event = feed.try_next();
            if (!event)
                break;
            taken.take(*event);
        }
    }
}

asio::awaitable<void> measure(plex::client& client, std::uint64_t events)
{
    plex::feed feed = client.subscribe();
    scan_tally taken;
    co_await take_batches(feed, warm_up_events, taken);
    taken.reset();
    reading const begin = reading::now();
    co_await take_batches(feed, events, taken);
    reading const spent = reading::now() - begin;
    taken.check();
    print("feed_batch", events, spent, field("conflated", static_cast<double>(feed.conflated())));
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const events = number(argc, argv, 2, "PORT COUNT");
    run(settings(port), [&](plex::client& client) { return measure(client, events); });
}
