// Lists from a slow server, one after the other.
#include "client.hpp"
#include "lists.hpp"
#include "measure.hpp"

int main(int argc, char** argv)
{
    using namespace plex::bench;
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const requests = number(argc, argv, 2, "PORT COUNT");
    run(settings(port, "/slow"),
        [&](plex::client& client) { return measure_lists(client, "one_at_a_time", requests, 1); });
}
