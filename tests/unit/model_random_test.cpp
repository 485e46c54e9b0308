// Random schedules of the model, each drawn from one seed.

#include "catch.hpp"
#include "model_schedule.hpp"
#include "sanitizers.hpp"

#include <cstdlib>
#include <iostream>
#include <random>

using namespace plex::testing::model;

TEST_CASE("whatever a random server, its network and its readers do, each subscriber is told what the rules promise",
          "[model]")
{
    // PLEX_SEED repeats one schedule; PLEX_TEST_LONG runs more of them.
    char const* const given = std::getenv("PLEX_SEED");
    std::uint64_t const first = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
    // The address sanitizer takes five times as long to look at it.
    std::uint64_t const usual = plex::test::under_address_sanitizer ? 20'000 : 100'000;
    std::uint64_t const schedules = given ? 1 : std::getenv("PLEX_TEST_LONG") ? 1'000'000 : usual;
    tally met;
    for (std::uint64_t i = 0; i != schedules; ++i) {
        schedule s(first + i);
        try {
            s.run(met);
        } catch (broken_rule const& broken) {
            FAIL("PLEX_SEED=" << first + i << ": " << broken.what() << s.story());
        }
    }
    std::cout << "model: " << schedules << " random schedules from seed " << first << ": " << met.taken
              << " events taken, " << met.left_out << " left out, " << met.inferred_ends << " inferred ends, "
              << met.revived << " revived lives, " << met.reused << " uuids used again, " << met.partial
              << " partial lists, " << met.overflowed << " full mailboxes, " << met.full << " full ledgers\n"
              << "model: " << met.followed << " activities followed by an operation, " << met.ended << " ended ("
              << met.weak << " weak), " << met.vanished << " vanished, " << met.unseen << " vanished unseen, "
              << met.not_started << " not started, " << met.gave_up << " deadlines; " << met.idle
              << " idle waits over, " << met.gave_up_idle << " deadlines; " << met.polled
              << " schedules without a feed\n";
    if (given)
        return;
    // No rule was held only because its case never came.
    CHECK(met.taken > schedules);
    CHECK(met.left_out > schedules);
    CHECK(met.inferred_ends > schedules / 10);
    CHECK(met.revived > schedules / 100);
    CHECK(met.reused > schedules / 100);
    CHECK(met.partial > schedules / 100);
    CHECK(met.overflowed > schedules / 100);
    CHECK(met.full > schedules / 1000);
    CHECK(met.ended > schedules / 10);
    CHECK(met.vanished > schedules / 100);
    CHECK(met.unseen > schedules / 1000);
    CHECK(met.not_started > schedules / 100);
    CHECK(met.weak > schedules / 1000);
    CHECK(met.idle > schedules / 10);
    CHECK(met.polled > schedules / 100);
    CHECK(met.gave_up > schedules / 100);
    CHECK(met.gave_up_idle > schedules / 100);
}
