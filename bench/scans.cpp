#include "scans.hpp"

#include "measure.hpp"
#include "messages.hpp"

namespace plex::bench {

namespace asio = boost::asio;

void scan_tally::check() const
{
    std::uint64_t const scans = total_ / scan::events;
    expect(taken_[2] + 1 >= scans && taken_[2] <= scans + 1 && taken_[0] <= taken_[2] + 2,
           "these were not the server's events");
}

asio::awaitable<void> take(feed& from, std::uint64_t events, scan_tally& taken)
{
    for (std::uint64_t i = 0; i != events; ++i) {
        auto const event = co_await from.next();
        expect(event.has_value(), "the feed has stopped");
        taken.take(*event);
    }
}

asio::awaitable<void> measure_next(client& measured, std::string_view program, std::uint64_t events)
{
    plex::feed feed = measured.subscribe();
    scan_tally taken;
    co_await take(feed, warm_up_events, taken);
    taken.reset();
    reading const begin = reading::now();
    co_await take(feed, events, taken);
    reading const spent = reading::now() - begin;
    taken.check();
    print(program, events, spent, field("conflated", static_cast<double>(feed.conflated())));
}

} // namespace plex::bench
