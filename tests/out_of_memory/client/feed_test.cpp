#include "shortage_play.hpp"

#include "chosen_seed.hpp"
#include "sanitizers.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Plays in which the client's thread runs out of memory at one allocation or from there on for a while.

using namespace plex;
using namespace plex::test;

namespace {

struct sum {
    std::size_t plays = 0, struck = 0, judged = 0, excused = 0, ended = 0, reconnects = 0, allocations = 0;
    std::string finding;
};

// What is told late would be taken for lost.
constexpr std::size_t side_by_side = under_thread_sanitizer ? 15 : 50;

/// Side by side, as most of their time is waiting for the next try.
void play_all(transport over, std::vector<shortage_of> const& all, sum& total)
{
    for (std::size_t from = 0; from < all.size() && total.finding.empty(); from += side_by_side) {
        std::size_t const to = std::min(all.size(), from + side_by_side);
        std::vector<sum> results(to - from);
        std::size_t const before = testing::live_allocations();
        {
            std::vector<std::thread> threads;
            threads.reserve(to - from);
            for (std::size_t i = from; i != to; ++i) {
                threads.emplace_back([over, s = all[i], &r = results[i - from]] {
                    try {
                        play p(over, s);
                        std::string const finding = p.run();
                        if (!finding.empty())
                            r.finding = finding + ", over " + std::string(to_string(over)) + ", allocation " +
                                        std::to_string(s.first) + " and " + std::to_string(s.count - 1) +
                                        " more failing";
                        r.struck = p.struck() ? 1 : 0;
                        r.judged = p.judged();
                        r.excused = p.excused();
                        r.ended = p.ended();
                        r.reconnects = p.reconnects();
                        r.allocations = p.allocations();
                    } catch (std::exception const& e) {
                        testing::fail_allocation(0, false);
                        r.finding = e.what();
                    }
                });
            }
            for (std::thread& t : threads)
                t.join();
        }
        for (sum& r : results) {
            ++total.plays;
            total.struck += r.struck;
            total.judged += r.judged;
            total.excused += r.excused;
            total.ended += r.ended;
            total.reconnects += r.reconnects;
            total.allocations = std::max(total.allocations, r.allocations);
            if (total.finding.empty())
                total.finding = std::move(r.finding);
        }
        results = {};
        if (total.finding.empty() && from != 0 && testing::live_allocations() > before)
            total.finding = std::to_string(testing::live_allocations() - before) + " allocations are leaked";
    }
}

} // namespace

TEST_CASE("a feed that runs out of memory goes on and tells whole lives, or ends with that error for every subscriber")
{
    bool const is_long = std::getenv("PLEX_TEST_LONG") != nullptr;
    std::uint32_t const seed = chosen_seed();
    std::mt19937 random(seed);
    INFO("PLEX_TEST_SEED=" << seed);
    for (transport const over : {transport::websocket, transport::eventsource, transport::polling}) {
        sum plenty;
        play_all(over, {{0, 0}, {0, 0}}, plenty);
        REQUIRE(plenty.finding == "");
        CHECK(plenty.reconnects == 0);
        REQUIRE(plenty.allocations > 100);
        // The first ones, of which the opening takes most, and some of the rest.
        std::vector<shortage_of> all;
        std::size_t const step = is_long ? 1 : std::max<std::size_t>(plenty.allocations / 24, 1);
        std::size_t const offset = random() % step;
        for (std::size_t n = 1 + offset; n <= plenty.allocations; n += step) {
            all.push_back({n, 1});
            constexpr std::size_t counts[] = {2, 3, 5, 10, 30, 100, 1000, 1000000};
            all.push_back({n, counts[random() % std::size(counts)]});
        }
        sum total;
        play_all(over, all, total);
        INFO(to_string(over));
        CHECK(total.finding == "");
        CHECK(total.struck > total.plays / 2);
        WARN(to_string(over) << ": " << plenty.allocations << " allocations, " << total.plays
                             << " plays, memory ran out in " << total.struck << "; " << total.reconnects
                             << " reconnects, " << total.ended << " subscribers ended; " << total.judged
                             << " lives judged, " << total.excused << " inside gaps");
    }
}
