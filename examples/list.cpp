// Lists what a server runs.
//   example_list [URL [TOKEN]]        without arguments: of a server inside this process
#include "server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <iostream>
#include <vector>

namespace asio = boost::asio;

static asio::awaitable<void> list(plex::client& client)
{
    std::vector<plex::activity> const running = co_await client.get_server_activities();
    for (plex::activity const& a : running) {
        std::cout << a.type() << "  " << a.title();
        if (std::optional<int> const percent = a.progress()) // empty where the server cannot say
            std::cout << "  " << *percent << " %";
        std::cout << '\n';
    }
    co_await client.close();
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, list);
}
