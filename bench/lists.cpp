#include "lists.hpp"

#include "measure.hpp"

namespace plex::bench {

namespace asio = boost::asio;

asio::awaitable<void> ask_for_lists(client& asked, std::uint64_t requests, std::size_t size)
{
    for (std::uint64_t i = 0; i != requests; ++i) {
        auto const activities = co_await asked.get_server_activities();
        expect(activities.size() == size, "not the server's list");
    }
}

asio::awaitable<void> measure_lists(client& asked, std::string_view program, std::uint64_t requests, std::size_t size)
{
    co_await ask_for_lists(asked, 20, size);
    reading const begin = reading::now();
    co_await ask_for_lists(asked, requests, size);
    reading const spent = reading::now() - begin;
    expect(asked.counters().connections == 1, "the connection was not kept");
    print(program, requests, spent);
}

} // namespace plex::bench
