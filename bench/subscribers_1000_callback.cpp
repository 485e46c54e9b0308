// Very many callbacks (1,000 where nothing else is asked for) on one client.
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

asio::awaitable<void> begin(plex::client& client, crowd& subscribers)
{
    co_await client.ready();
    subscribers.begin();
}

} // namespace

int main(int argc, char** argv)
{
    constexpr char const* usage = "PORT COUNT [stalled|SUBSCRIBERS]";
    std::uint64_t const port = number(argc, argv, 1, usage);
    std::uint64_t const events = number(argc, argv, 2, usage);
    bool const with_stalled = argc > 3 && std::string_view(argv[3]) == "stalled";
    std::uint64_t const size = argc > 3 && !with_stalled ? number(argc, argv, 3, usage) : 1000;

    asio::io_context context(1);
    plex::client client(context.get_executor(), settings(port, "/stepped"));
    // More steps where the one that takes nothing has to be conflated before the others are measured.
    crowd subscribers(port, size, with_stalled ? 200 : 10, events, [&] { client.stop(); });
    std::vector<plex::subscription> subscriptions;
    for (std::uint64_t i = 0; i != size; ++i)
        subscriptions.push_back(
            client.subscribe(plex::filter(), [&](plex::activity_event const& event) { subscribers.take(event); }));
    std::optional<plex::feed> stalled; // a callback cannot be
    if (with_stalled)
        stalled.emplace(client.subscribe());
    asio::co_spawn(client.get_executor(), begin(client, subscribers), [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    });
    context.run();

    std::uint64_t conflated = 0;
    for (plex::subscription const& subscription : subscriptions)
        conflated += subscription.conflated();
    expect(!with_stalled || stalled->conflated() != 0, "the stalled one has got its events");
    subscribers.report("subscribers_" + std::to_string(size) + "_callback" + (with_stalled ? "_stalled" : ""),
                       field("conflated", static_cast<double>(conflated)));
}
