// The feed over the event stream.
#include "client.hpp"
#include "measure.hpp"
#include "scans.hpp"

int main(int argc, char** argv)
{
    using namespace plex::bench;
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const events = number(argc, argv, 2, "PORT COUNT");
    plex::config config = settings(port);
    config.transport = plex::transport::eventsource;
    run(config, [&](plex::client& client) { return measure_next(client, "feed_eventsource", events); });
}
