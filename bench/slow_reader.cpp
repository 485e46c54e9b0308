// A subscriber that takes nothing while events come.
#include "client.hpp"
#include "measure.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

/// Until so many have been told to anybody; how many it were.
asio::awaitable<std::uint64_t> until_told(plex::client& client, std::uint64_t events)
{
    asio::steady_timer timer(client.get_executor());
    std::uint64_t told = client.counters().events;
    while (told < events) {
        timer.expires_after(std::chrono::milliseconds(1));
        co_await timer.async_wait(asio::use_awaitable);
        told = client.counters().events;
    }
    co_return told;
}

asio::awaitable<void> measure(plex::client& client, std::uint64_t events)
{
    constexpr std::uint64_t warm_up = 20'000;
    plex::feed feed = client.subscribe();
    std::uint64_t const told_first = co_await until_told(client, warm_up);
    auto const resident_first = static_cast<double>(resident_kib());
    reading const begin = reading::now();
    std::uint64_t const told = co_await until_told(client, told_first + events);
    reading const spent = reading::now() - begin;
    auto const resident = static_cast<double>(resident_kib());
    std::uint64_t const conflated = feed.conflated();
    std::uint64_t pending = 0;
    while (feed.try_next())
        ++pending;
    expect(!feed.stopped(), "the feed has ended");
    expect(pending != 0 && conflated + pending + 1000 > told, "events were lost");
    print("slow_reader", told - told_first, spent,
          field("conflated", static_cast<double>(conflated)) + field("pending", static_cast<double>(pending)) +
              field("kib_growth", resident - resident_first));
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const events = number(argc, argv, 2, "PORT COUNT");
    run(settings(port, "/updates"), [&](plex::client& client) { return measure(client, events); });
}
