#include "fault_schedule.hpp"
#include "sanitizers.hpp"

#include <memory>
#include <vector>

// A scan is played, and the stream is cut at every byte of what opens it: the reply to the upgrade or the head of the
// event stream, the first frames or events, and the first list.

using namespace plex;
using namespace plex::test;

namespace {

struct cut_here {
    cut_here(asio::io_context& io, transport over, std::string match, std::size_t bytes) : at(bytes), schedule(io)
    {
        schedule.settings.transport = over;
        // Nothing is silent here: on a busy machine hundreds of clients on one thread must not be taken for it.
        schedule.settings.ping_after = 10s;
        schedule.settings.idle_limit = 60s;
        schedule.settings.connect_timeout = 60s;
        schedule.server().cut(std::move(match), bytes);
    }

    asio::awaitable<void> run() { return schedule.play_scan(); }

    std::size_t const at;
    fault_schedule schedule;
};

/// Their server and they share one thread. A sanitizer takes its time; without one it is each byte.
constexpr std::size_t every = under_thread_sanitizer ? 4 : under_address_sanitizer ? 3 : 1;

/// The cuts of one sort, all at once. Gives at how many of all bytes the connection does not feel one.
std::size_t cut_everywhere(transport over, std::string const& match, std::size_t up_to)
{
    asio::io_context io;
    std::vector<std::unique_ptr<cut_here>> all;
    for (std::size_t bytes = 0; bytes < up_to; bytes += every)
        all.push_back(std::make_unique<cut_here>(io, over, match, bytes));
    run_all(io, all, 900s);
    std::size_t unfelt = 0;
    for (auto const& one : all) {
        INFO(match << " cut after " << one->at << " bytes, over " << to_string(over));
        CHECK(one->schedule.finding() == "");
        unfelt += one->schedule.felt() ? 0u : every;
    }
    return unfelt;
}

} // namespace

TEST_CASE("a WebSocket cut at any byte of the upgrade's reply or the first frames loses no life")
{
    CHECK(cut_everywhere(transport::websocket, "/:/websockets", 700) < 10);
}

TEST_CASE("an event stream cut at any byte of its head or the first events loses no life")
{
    CHECK(cut_everywhere(transport::eventsource, "/:/eventsource", 700) < 10);
}

TEST_CASE("a first list cut at any byte loses no life, over WebSocket and EventSource")
{
    for (transport const over : {transport::websocket, transport::eventsource})
        CHECK(cut_everywhere(over, "/activities", 480) < 80);
}
