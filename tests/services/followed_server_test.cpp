#include "catch.hpp"

#include "relay/followed_server.hpp"

#include <plex/json.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string>

// One server of a relay whose Redis is away.

namespace plex::relay {

using namespace std::chrono_literals;

namespace {

struct scene {
    scene() { s->connection(connection_state::reconciled, steady); }

    void tells(event_kind kind, std::string const& uuid)
    {
        activity_event e;
        e.kind = kind;
        e.at = wall;
        e.activity = *activity_from_json_text(R"({"uuid":")" + uuid + "\"}");
        s->event(e);
    }
    void tick_after(std::chrono::seconds time)
    {
        steady += time;
        wall += time;
        s->tick(steady, wall, {1s, 3s, 10s});
    }

    boost::asio::io_context io;
    redis away{io.get_executor(), [](std::string const&) {}};
    store kept{away, "us", "plex", 1000, 10s};
    written_counts counts;
    followed_server::clock::time_point steady{1h};
    followed_server::time wall{1'000'000s};
    std::shared_ptr<followed_server> s = std::make_shared<followed_server>("s0", kept, counts, store::written(), wall);
};

} // namespace

TEST_CASE("what ended while Redis was away waits for as long as it is, and nothing is called refused")
{
    scene s;
    REQUIRE(s.s->answers_as("machine"));
    s.tells(event_kind::started, "one");
    s.tells(event_kind::ended, "one");
    for (int minute = 0; minute != 60; ++minute)
        s.tick_after(60s);
    CHECK(s.s->waiting().waiting() == 1);
    CHECK(s.counts.refusal == "");
}

TEST_CASE("who does not write counts neither what he conflates nor what he drops")
{
    scene s;
    s.tells(event_kind::started, "one");
    for (int i = 0; i != 10; ++i)
        s.tells(event_kind::updated, "one");
    CHECK(s.s->waiting().conflated() == 9);
    CHECK(s.counts.conflated == 0);
    CHECK(s.counts.dropped == 0);
}

} // namespace plex::relay
