// Lists, one after the other on a kept connection.
#include "client.hpp"
#include "lists.hpp"
#include "measure.hpp"

int main(int argc, char** argv)
{
    using namespace plex::bench;
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const requests = number(argc, argv, 2, "PORT COUNT");
    run(settings(port), [&](plex::client& client) { return measure_lists(client, "list", requests, 1); });
}
