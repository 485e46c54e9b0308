// Lists what a server runs, and cancels what can be cancelled.
//   example_list [URL [TOKEN]]        without arguments: against a server inside this process
#include "server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <iostream>

namespace asio = boost::asio;

static asio::awaitable<void> list_and_cancel(plex::client& client)
{
    std::vector<plex::activity> const running = co_await client.get_server_activities();
    for (plex::activity const& a : running) {
        std::cout << a.uuid() << "  " << a.type() << "  " << a.title() << '\n';
        if (!a.cancellable())
            continue;
        std::string uuid(a.uuid());
        co_await client.cancel_server_activities(std::move(uuid));
        std::cout << "  cancelled\n";
    }
    co_await client.close();
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, list_and_cancel);
}
