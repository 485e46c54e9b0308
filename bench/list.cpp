// Lists, one after the other on a kept connection.
#include "measure.hpp"

#include <plex/activities.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <stdexcept>
#include <string>

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

asio::awaitable<void> ask(plex::client& client, std::uint64_t requests)
{
    for (std::uint64_t i = 0; i != requests; ++i) {
        auto const activities = co_await client.get_server_activities();
        if (activities.size() != 1)
            throw std::runtime_error("not the server's list");
    }
}

asio::awaitable<void> measure(plex::client& client, std::uint64_t requests)
{
    co_await ask(client, 100);
    reading const begin = reading::now();
    co_await ask(client, requests);
    reading const spent = reading::now() - begin;
    if (client.counters().connections != 1)
        throw std::runtime_error("the connection was not kept");
    print("list", requests, spent);
    client.stop();
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const requests = number(argc, argv, 2, "PORT COUNT");
    asio::io_context context(1);
    plex::config config;
    config.url = "http://127.0.0.1:" + std::to_string(port);
    config.token = "token-of-the-bench-x";
    config.identity.client_identifier = "bench";
    plex::client client(context.get_executor(), config);
    asio::co_spawn(client.get_executor(), measure(client, requests), [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    });
    context.run();
}
