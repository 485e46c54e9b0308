// Cancels, one after the other on a kept connection.
#include "client.hpp"
#include "measure.hpp"

#include <string>

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

asio::awaitable<void> cancel(plex::client& client, std::uint64_t requests)
{
    for (std::uint64_t i = 0; i != requests; ++i) {
        std::string uuid = "c3f190e4-eabb-4b3d-8811-b7c1f183560e";
        co_await client.cancel_server_activities(std::move(uuid));
    }
}

asio::awaitable<void> measure(plex::client& client, std::uint64_t requests)
{
    co_await cancel(client, 20);
    reading const begin = reading::now();
    co_await cancel(client, requests);
    reading const spent = reading::now() - begin;
    expect(client.counters().connections == 1, "the connection was not kept");
    print("cancel", requests, spent);
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const requests = number(argc, argv, 2, "PORT COUNT");
    run(settings(port), [&](plex::client& client) { return measure(client, requests); });
}
