// Messages of other types, which a feed skips.
#include "client.hpp"
#include "measure.hpp"
#include "other_messages.hpp"

namespace {

namespace asio = boost::asio;
using namespace plex::bench;

/// Each `updated` stands before a block of others (README.md).
asio::awaitable<void> skip(plex::feed& feed, std::uint64_t blocks)
{
    for (std::uint64_t i = 0; i != blocks;) {
        auto const event = co_await feed.next();
        expect(event.has_value(), "the feed has stopped");
        if (event->kind == plex::event_kind::updated)
            ++i;
    }
}

asio::awaitable<void> measure(plex::client& client, std::uint64_t blocks)
{
    plex::feed feed = client.subscribe();
    co_await skip(feed, 20);
    std::uint64_t const skipped_before = client.counters().skipped;
    reading const begin = reading::now();
    co_await skip(feed, blocks);
    reading const spent = reading::now() - begin;
    std::uint64_t const messages = blocks * others_in_a_block;
    std::uint64_t const skipped = client.counters().skipped - skipped_before;
    // A read brings more than is counted: at both ends less than a block.
    expect(skipped + others_in_a_block > messages && skipped < messages + others_in_a_block,
           "these were not the server's messages");
    expect(client.counters().malformed == 0, "messages could not be read");
    print("feed_skip", messages, spent);
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const messages = number(argc, argv, 2, "PORT COUNT");
    std::uint64_t const blocks = (messages + others_in_a_block - 1) / others_in_a_block;
    run(settings(port, "/others"), [&](plex::client& client) { return measure(client, blocks); });
}
