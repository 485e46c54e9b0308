// The feed as a coroutine takes it.
#include "client.hpp"
#include "measure.hpp"
#include "scans.hpp"

int main(int argc, char** argv)
{
    using namespace plex::bench;
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const events = number(argc, argv, 2, "PORT COUNT");
    run(settings(port), [&](plex::client& client) { return measure_next(client, "feed", events); });
}
