#include "relay/outbox.hpp"

#include "chosen_seed.hpp"

#include <plex/json.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace plex;
using namespace plex::relay;

namespace {

outbox::time const noon{std::chrono::hours(12)};

activity_event told(event_kind kind, std::string const& uuid, int progress = 0)
{
    activity_event e;
    e.kind = kind;
    e.at = noon;
    e.activity = *activity_from_json_text(R"({"uuid":")" + uuid + R"(","progress":)" + std::to_string(progress) + "}");
    return e;
}

// "started u 1.1 at 0", by which a test compares all that matters.
std::string line(entry const& e)
{
    return std::string(to_string(e.kind)) + ' ' + e.uuid + ' ' + std::to_string(e.life) + '.' + std::to_string(e.seq) +
           " at " + std::to_string(e.activity.progress().value_or(-1)) + (e.inferred ? ", inferred" : "");
}

std::vector<std::string> lines(std::vector<entry> const& entries)
{
    std::vector<std::string> all;
    for (entry const& e : entries)
        all.push_back(line(e));
    return all;
}

using strings = std::vector<std::string>;

record live(std::uint64_t life, std::uint64_t seq, std::string const& uuid, int progress)
{
    return {life, seq, false, told(event_kind::updated, uuid, progress).activity};
}

// What the script for writing does (lua/write.lua), and the stream.
struct model_store {
    void write(std::vector<entry> const& entries)
    {
        for (entry const& e : entries) {
            record& r = written[e.uuid];
            if (std::pair(e.life, e.seq) <= std::pair(r.life, r.seq))
                continue;
            r = {e.life, e.seq, e.kind == event_kind::ended, e.kind == event_kind::ended ? activity() : e.activity};
            stream.push_back(e);
        }
    }
    records written;
    std::vector<entry> stream;
};

} // namespace

TEST_CASE("a life is written from its start to its end, its entries numbered, and counted anew when it comes again")
{
    outbox box;
    for (int life = 0; life != 2; ++life) {
        box.observe(told(event_kind::started, "u"));
        box.observe(told(event_kind::updated, "u", 10));
        box.observe(told(event_kind::ended, "u", 100));
    }
    CHECK(lines(box.take(10)) == strings{"started u 1.1 at 0", "updated u 1.2 at 100", "ended u 1.3 at 100",
                                         "started u 2.1 at 0", "updated u 2.2 at 100", "ended u 2.3 at 100"});
    box.confirmed();
    CHECK(box.take(10).empty());
    CHECK(box.waiting() == 0);
    CHECK(box.known().empty());
}

TEST_CASE("of the updates that wait the last one is written, and the others are counted")
{
    outbox box;
    box.observe(told(event_kind::started, "u"));
    REQUIRE(box.take(10).size() == 1);
    for (int progress : {1, 2, 3})
        box.observe(told(event_kind::updated, "u", progress));
    CHECK(box.take(10).empty()); // until it is known what became of the first
    box.confirmed();
    CHECK(lines(box.take(10)) == strings{"updated u 1.2 at 3"});
    CHECK(box.conflated() == 2);
}

TEST_CASE("what may not have been written is given again with the same numbers")
{
    outbox box;
    box.observe(told(event_kind::started, "u"));
    strings const first = lines(box.take(10));
    box.observe(told(event_kind::ended, "u", 7));
    box.lost();
    CHECK(lines(box.take(10)) == strings{first[0], "ended u 1.2 at 7"});
}

TEST_CASE("one that goes on from what was written tells its feed what ran, and goes on counting")
{
    outbox box({{"u", live(3, 8, "u", 50)}, {"gone", {2, 9, true, {}}}}, noon);
    std::vector<activity> const known = box.known();
    REQUIRE(known.size() == 1);
    CHECK(known[0].uuid() == "u");
    CHECK(known[0].progress() == 50);
    box.observe(told(event_kind::ended, "u", 60));
    box.observe(told(event_kind::started, "gone"));
    CHECK(lines(box.take(10)) == strings{"ended u 3.9 at 60", "started gone 3.1 at 0"});
}

TEST_CASE("one that takes over writes what the one before had not, and nothing that he had")
{
    outbox box;
    for (std::string const uuid : {"all", "none", "some"}) {
        box.observe(told(event_kind::started, uuid));
        box.observe(told(event_kind::updated, uuid, 10));
        box.observe(told(event_kind::ended, uuid, 100));
    }
    box.observe(told(event_kind::started, "same"));
    box.observe(told(event_kind::updated, "same", 5));
    box.observe(told(event_kind::started, "behind"));
    box.observe(told(event_kind::updated, "behind", 6));
    box.adopt({{"all", {1, 3, true, {}}},
               {"some", live(1, 1, "some", 0)},
               {"same", live(1, 4, "same", 5)},
               {"behind", live(1, 4, "behind", 4)}},
              noon);
    CHECK(lines(box.take(20)) == strings{"started none 1.1 at 0", "updated none 1.2 at 100", "ended none 1.3 at 100",
                                         "ended some 1.2 at 100", "updated behind 1.5 at 6"});
}

TEST_CASE("what ran by the account of the one before, and does not, has ended meanwhile")
{
    outbox box;
    box.adopt({{"u", live(2, 7, "u", 40)}}, noon);
    CHECK(lines(box.take(10)) == strings{"ended u 2.8 at 40, inferred"});
    box.confirmed();
    box.observe(told(event_kind::started, "u"));
    CHECK(lines(box.take(10)) == strings{"started u 3.1 at 0"});
}

TEST_CASE("what the one before took for ended, and runs, begins a life of its own")
{
    outbox box;
    box.observe(told(event_kind::started, "u"));
    box.observe(told(event_kind::updated, "u", 30));
    box.adopt({{"u", {1, 5, true, {}}}}, noon);
    CHECK(lines(box.take(10)) == strings{"started u 2.1 at 30"});
}

TEST_CASE("a life of which the one before had missed lives is the one that he had last")
{
    outbox box;
    box.observe(told(event_kind::started, "u"));
    box.observe(told(event_kind::ended, "u", 100));
    box.adopt({{"u", live(4, 2, "u", 1)}}, noon);
    CHECK(lines(box.take(10)) == strings{"ended u 4.3 at 100"});
}

TEST_CASE("what was taken and is not known to be written is judged by what the one before us in the lease has")
{
    outbox box;
    box.observe(told(event_kind::started, "u"));
    REQUIRE(box.take(10).size() == 1);
    box.lost();
    SECTION("it had been written")
    {
        box.adopt({{"u", live(1, 1, "u", 0)}}, noon);
        CHECK(box.take(10).empty());
    }
    SECTION("it had not")
    {
        box.adopt({}, noon);
        CHECK(lines(box.take(10)) == strings{"started u 1.2 at 0"});
    }
}

TEST_CASE("a store that has lost all is told what runs, under numbers that were never used")
{
    outbox box;
    box.observe(told(event_kind::started, "u"));
    box.observe(told(event_kind::updated, "u", 20));
    box.take(10);
    box.confirmed();
    box.adopt({}, noon);
    CHECK(lines(box.take(10)) == strings{"started u 1.3 at 20"});
}

TEST_CASE("where too many lives wait the oldest goes that has ended and of which nothing was written")
{
    outbox box(2);
    box.observe(told(event_kind::started, "runs"));
    box.observe(told(event_kind::started, "old"));
    box.observe(told(event_kind::ended, "old"));
    box.observe(told(event_kind::started, "new"));
    CHECK(box.dropped() == 1);
    CHECK(lines(box.take(10)) == strings{"started runs 1.1 at 0", "started new 1.1 at 0"});
}

TEST_CASE("lives that ended long ago are forgotten: those that wait too where others write")
{
    outbox box;
    box.observe(told(event_kind::started, "u"));
    box.observe(told(event_kind::ended, "u"));
    box.forget_ended_before(noon, true);
    CHECK(box.waiting() == 1); // not before that
    box.forget_ended_before(noon + std::chrono::seconds(1), false);
    CHECK(box.waiting() == 1);
    box.forget_ended_before(noon + std::chrono::seconds(1), true);
    CHECK(box.waiting() == 0);
    CHECK(box.take(10).empty());
}

TEST_CASE("whenever one of two relays dies, the stream has each life once, from its start to its end")
{
    std::uint32_t const seed = plex::test::chosen_seed();
    INFO("PLEX_TEST_SEED=" << seed << " runs the same again");
    std::mt19937 random(seed);
    auto const below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    for (int round = 0; round != 2'000; ++round) {
        // What the server tells: lives of few uuids, which come again.
        std::vector<activity_event> history;
        std::map<std::string, int> begun;
        std::map<std::string, bool> runs;
        for (int i = 0; i != 60; ++i) {
            std::string const uuid(1, static_cast<char>('a' + below(4)));
            bool& is_running = runs[uuid];
            event_kind const kind = !is_running     ? event_kind::started
                                    : below(3) == 0 ? event_kind::ended
                                                    : event_kind::updated;
            begun[uuid] += kind == event_kind::started ? 1 : 0;
            is_running = kind != event_kind::ended;
            history.push_back(told(kind, uuid, i));
        }
        for (auto& [uuid, is_running] : runs)
            if (is_running)
                history.push_back(told(event_kind::ended, uuid, 100));

        model_store store;
        outbox boxes[2];
        std::size_t heard[2] = {0, 0};
        std::size_t leader = 0;
        while (heard[0] != history.size() || heard[1] != history.size()) {
            // Both hear the same, one somewhat before the other.
            std::size_t const who = static_cast<std::size_t>(below(2));
            if (heard[who] != history.size() && heard[who] < heard[1 - who] + 5)
                boxes[who].observe(history[heard[who]++]);
            if (below(3) == 0) {
                std::vector<entry> const entries =
                    boxes[leader].take(std::size_t(1) + static_cast<std::size_t>(below(5)));
                int const fate = below(3); // written; written, and nobody knows; lost, and nobody knows
                if (fate != 2)
                    store.write(entries);
                if (fate == 0)
                    boxes[leader].confirmed();
                else
                    boxes[leader].lost();
            }
            if (below(20) == 0 && heard[1 - leader] >= heard[leader]) {
                leader = 1 - leader; // the other one's lease has run out; he comes back later
                boxes[leader].adopt(store.written, noon);
            }
        }
        boxes[leader].adopt(store.written, noon);
        for (std::vector<entry> rest = boxes[leader].take(9); !rest.empty(); rest = boxes[leader].take(9)) {
            store.write(rest);
            boxes[leader].confirmed();
        }

        std::map<std::pair<std::string, std::uint64_t>, std::vector<entry>> lives;
        for (entry const& e : store.stream)
            lives[{e.uuid, e.life}].push_back(e);
        std::map<std::string, int> written;
        for (auto const& [life, entries] : lives) {
            ++written[life.first];
            CAPTURE(lines(store.stream), round);
            CHECK(entries.front().kind == event_kind::started);
            CHECK(entries.back().kind == event_kind::ended);
            for (std::size_t i = 1; i < entries.size(); ++i)
                CHECK(entries[i].seq > entries[i - 1].seq);
        }
        CAPTURE(round);
        CHECK(written == begun);
        if (written != begun)
            return;
    }
}
