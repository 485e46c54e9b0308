// Very many coroutines (1,000 where nothing else is asked for), each with a feed of its own on one client.
#include "client.hpp"
#include "crowd.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

// What a read has brought is taken in one go.
asio::awaitable<void> listen(plex::feed& feed, crowd& others)
{
    while (!feed.stopped()) {
        co_await feed.wait();
        while (auto event = feed.try_next())
            others.take(*event);
    }
}

asio::awaitable<void> listen_one_by_one(plex::feed& feed, crowd& others)
{
    while (auto event = co_await feed.next())
        others.take(*event);
}

void rethrow(std::exception_ptr failure)
{
    if (failure)
        std::rethrow_exception(failure);
}

asio::awaitable<void> begin(plex::client& client, crowd& subscribers)
{
    co_await client.ready();
    subscribers.begin();
}

} // namespace

int main(int argc, char** argv)
{
    constexpr char const* usage = "PORT COUNT [stalled|next|SUBSCRIBERS]";
    std::uint64_t const port = number(argc, argv, 1, usage);
    std::uint64_t const events = number(argc, argv, 2, usage);
    std::string_view const form = argc > 3 ? argv[3] : "";
    bool const with_stalled = form == "stalled";
    bool const one_by_one = form == "next";
    std::uint64_t const size = form.empty() || with_stalled || one_by_one ? 1000 : number(argc, argv, 3, usage);

    asio::io_context context(1);
    plex::client client(context.get_executor(), settings(port, "/stepped"));
    // More steps where the one that takes nothing has to be conflated before the others are measured.
    crowd subscribers(port, size, with_stalled ? 200 : 10, events, [&] { client.stop(); });
    std::vector<plex::feed> feeds;
    for (std::uint64_t i = 0; i != size; ++i)
        feeds.push_back(client.subscribe());
    std::optional<plex::feed> stalled;
    if (with_stalled)
        stalled.emplace(client.subscribe());
    for (plex::feed& feed : feeds) {
        asio::awaitable<void> listening = one_by_one ? listen_one_by_one(feed, subscribers) : listen(feed, subscribers);
        asio::co_spawn(client.get_executor(), std::move(listening), rethrow);
    }
    asio::co_spawn(client.get_executor(), begin(client, subscribers), rethrow);
    context.run();

    std::uint64_t conflated = 0;
    for (plex::feed const& feed : feeds)
        conflated += feed.conflated();
    expect(!with_stalled || stalled->conflated() != 0, "the stalled one has got its events");
    std::string const suffix = form.empty() || form == std::to_string(size) ? "" : "_" + std::string(form);
    subscribers.report("subscribers_" + std::to_string(size) + suffix,
                       field("conflated", static_cast<double>(conflated)));
}
