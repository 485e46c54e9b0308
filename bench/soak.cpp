// Whether memory stays what it is while very many events come.
#include "client.hpp"
#include "measure.hpp"
#include "messages.hpp"
#include "scans.hpp"

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

asio::awaitable<void> measure(plex::client& client, std::uint64_t events)
{
    plex::feed feed = client.subscribe();
    scan_tally taken;
    co_await take(feed, warm_up_events, taken);
    taken.reset();
    reading const begin = reading::now();
    co_await take(feed, events / 10, taken);
    auto const at_tenth = static_cast<double>(resident_kib());
    co_await take(feed, events - events / 10, taken);
    auto const at_end = static_cast<double>(resident_kib());
    reading const spent = reading::now() - begin;
    taken.check();
    print("soak", events, spent,
          field("conflated", static_cast<double>(feed.conflated())) + field("kib_at_tenth", at_tenth) +
              field("kib_at_end", at_end) + field("growth", at_end / at_tenth));
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const events = number(argc, argv, 2, "PORT COUNT");
    run(settings(port), [&](plex::client& client) { return measure(client, events); });
}
