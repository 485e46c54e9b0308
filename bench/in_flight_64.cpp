// Lists from a slow server, 64 at once on as many connections.
#include "client.hpp"
#include "lists.hpp"
#include "measure.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

constexpr std::uint64_t in_flight = 64;

asio::awaitable<void> ask_at_once(plex::client& client, std::uint64_t requests_each)
{
    asio::steady_timer done(client.get_executor(), asio::steady_timer::time_point::max());
    std::uint64_t at_work = in_flight;
    for (std::uint64_t i = 0; i != in_flight; ++i)
        asio::co_spawn(client.get_executor(), ask_for_lists(client, requests_each, 1), [&](std::exception_ptr failure) {
            if (failure)
                std::rethrow_exception(failure);
            if (--at_work == 0)
                done.cancel();
        });
    try {
        co_await done.async_wait(asio::use_awaitable);
    } catch (boost::system::system_error const&) {
        // woken
    }
}

asio::awaitable<void> measure(plex::client& client, std::uint64_t requests_each)
{
    co_await ask_at_once(client, 2);
    reading const begin = reading::now();
    co_await ask_at_once(client, requests_each);
    reading const spent = reading::now() - begin;
    expect(client.counters().connections == in_flight, "not as many connections as requests");
    print("in_flight_64", in_flight * requests_each, spent);
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const requests = number(argc, argv, 2, "PORT COUNT");
    plex::config config = settings(port, "/slow");
    config.max_connections = in_flight;
    run(config, [&](plex::client& client) { return measure(client, (requests + in_flight - 1) / in_flight); });
}
