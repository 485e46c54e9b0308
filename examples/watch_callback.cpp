// Follows the live feed by a callback, in a program without coroutines, until the first activity has ended.
//   example_watch_callback [URL [TOKEN]]
#include "server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/io_context.hpp>

#include <iostream>
#include <memory>

namespace asio = boost::asio;

int main(int argc, char* argv[])
{
    asio::io_context io;
    example::server_or_fake server(io, argc, argv);
    plex::client client(io.get_executor(), server.settings());
    int status = 0;

    plex::subscription subscription = client.subscribe(
        plex::filter(),
        [&](plex::activity_event const& event) {
            std::cout << to_string(event.kind) << "  " << event.activity.title() << "  " << event.activity.subtitle()
                      << '\n';
            if (event.kind == plex::event_kind::ended) {
                client.stop(); // with nothing left to wait for, run() returns
                server.stop();
            }
        },
        [&](plex::error_code code, plex::diagnostics const& why) {
            std::cerr << why.message() << ": " << code.message() << '\n';
            status = 1;
            server.stop();
        });
    io.run();
    return status;
}
