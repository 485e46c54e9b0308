// Random schedules of the model: a server, a network, lists and readers, all drawn from one seed.

#include "catch.hpp"
#include "model_world.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>

using namespace plex;
using namespace plex::testing::model;

namespace {

/// What the schedules have met, so that a rule is not held only because its case never came.
struct tally {
    std::uint64_t taken = 0, left_out = 0, inferred_ends = 0, revived = 0, partial = 0, overflowed = 0, full = 0,
                  reused = 0;
};

class schedule
{
public:
    explicit schedule(std::uint64_t seed) : random_(seed), w_(drawn_terms()) {}

    void run(tally& met)
    {
        subscribe();
        subscribe();
        if (one_in(4))
            next_join_ = between(0, horizon_);
        next_jump_ = one_in(4) ? between(0, horizon_) : never;
        next_change_ = between(0, 500);
        next_cut_ = one_in(3) ? never : between(0, horizon_);
        next_request_ = between(0, 50);
        next_read_ = between(0, 3000);
        while (step() && !w_.full()) {
        }
        w_.quieten();
        count(met);
    }

    std::string story() const { return w_.story(); }

private:
    std::uint64_t draw() // splitmix64
    {
        std::uint64_t z = (random_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    moment between(moment a, moment b)
    {
        return a + static_cast<moment>(draw() % static_cast<std::uint64_t>(b - a + 1));
    }
    int one_of(int n) { return static_cast<int>(draw() % static_cast<std::uint64_t>(n)); }
    bool one_in(int n) { return one_of(n) == 0; }

    terms drawn_terms()
    {
        terms t;
        if (one_in(3))
            t.hidden = static_cast<std::uint32_t>(between(1, (1 << most) - 1));
        t.lists_context = !one_in(4);
        t.lag = one_in(2) ? 0 : between(1, grace);
        t.skewed = one_in(3);
        if (one_in(10))
            t.limits.remembered_ends = static_cast<std::size_t>(between(1, 3));
        if (one_in(50))
            t.limits.bytes = static_cast<std::size_t>(between(500, 3000));
        skewed_ = t.skewed;
        return t;
    }

    /// The earliest thing that is due; false when the schedule is over.
    bool step()
    {
        moment due = next_change_;
        auto const consider = [&due](moment at) { due = std::min(due, at); };
        consider(w_.next_arrival());
        consider(w_.next_settle());
        consider(next_cut_);
        consider(next_join_);
        consider(next_jump_);
        consider(next_read_);
        consider(next_listen_);
        consider(next_list_);
        if (w_.list() == world::list_state::none && w_.connected())
            consider(next_request_);
        if (due > horizon_)
            return false;
        w_.clock = std::max(w_.clock, due);

        bool const settles = due == w_.next_settle();
        if (due == w_.next_arrival() && !(settles && one_in(2))) {
            w_.deliver();
        } else if (settles) {
            w_.settle();
        } else if (due == next_change_) {
            change();
            next_change_ = w_.clock + (one_in(3) ? 0 : between(0, 1500));
        } else if (due == next_list_) {
            list();
        } else if (due == next_cut_) {
            cut();
        } else if (due == next_listen_) {
            w_.listen();
            next_listen_ = never;
        } else if (due == next_join_) {
            join();
            next_join_ = never;
        } else if (due == next_jump_) {
            w_.jump(between(-100'000'000, 100'000'000));
            next_jump_ = never;
        } else if (due == next_read_) {
            read();
        } else {
            request();
        }
        return true;
    }

    void change()
    {
        w_.delay =
            skewed_ ? world::on_its_way + between(0, one_in(3) ? grace - 100 : 0) : between(0, one_in(20) ? 4000 : 30);
        int const who = one_of(most);
        if (!w_.runs(who)) {
            if (w_.may_start(who)) {
                reused_ += w_.births(who) != 0 ? 1 : 0;
                w_.start(who);
            }
        } else if (one_in(4)) {
            w_.end(who, one_in(2) ? 0 : one_of(static_cast<int>(contexts.size())));
        } else if (one_in(30)) {
            w_.vanish(who);
        } else {
            payload said;
            said.progress = one_in(4) ? payload::unsaid : one_in(4) ? -1 : one_in(4) ? 100 : one_of(100);
            said.context = one_in(2) ? 0 : one_of(static_cast<int>(contexts.size()));
            w_.change(who, said);
        }
    }
    void cut()
    {
        if (w_.connected()) {
            w_.lose();
            next_list_ = next_listen_ = never;
            next_cut_ = w_.clock + between(500, 6000); // the reconnect
            if (one_in(4))                             // the server restarts, and nothing of what ran is left
                for (int who = 0; who < most; ++who)
                    if (w_.runs(who))
                        w_.end(who);
        } else {
            w_.connect(false);
            connected_at_ = w_.clock;
            next_listen_ = w_.clock + (one_in(2) ? 0 : between(0, 4900));
            next_request_ = w_.clock + between(0, 50);
            next_cut_ = one_in(2) ? never : w_.clock + between(0, 15'000);
        }
    }
    void request()
    {
        bool const after_5_s = w_.clock >= connected_at_ + 5000;
        w_.request(after_5_s && !w_.closed_gap());
        next_list_ = w_.clock + between(0, one_in(4) ? 1000 : 50);
    }
    void list()
    {
        if (w_.list() == world::list_state::requested) {
            w_.take_list();
            next_list_ = w_.clock + between(0, one_in(6) ? 4000 : 50);
            return;
        }
        next_list_ = never;
        w_.delay = one_in(10) ? between(0, 3000) : 0;
        if (one_in(12))
            w_.fail_list();
        else
            w_.reply();
        next_request_ = w_.clock + between(1, 6000); // denser than a client asks
        if (!w_.closed_gap())
            next_request_ = std::max(connected_at_ + 5000, w_.clock);
    }

    void subscribe(std::span<int const> known = {})
    {
        sync::mailbox_limits limits;
        if (!one_in(3))
            limits.conflate_after = static_cast<std::size_t>(between(1, 8));
        if (one_in(5))
            limits.bytes = static_cast<std::size_t>(between(1000, 6000));
        w_.join(one_in(2) ? 0 : 1 + one_of(2), limits, known);
    }
    void join()
    {
        std::vector<int> known;
        for (int who = 0; who < most; ++who)
            if (one_in(3))
                known.push_back(who);
        subscribe(known);
    }
    void read()
    {
        w_.read(static_cast<std::size_t>(one_of(static_cast<int>(w_.readers().size()))),
                one_in(2) ? SIZE_MAX : static_cast<std::size_t>(between(1, 4)));
        next_read_ = w_.clock + between(0, 3000);
    }
    void count(tally& met)
    {
        met.inferred_ends += w_.inferred_ends();
        met.revived += w_.ledger().revived();
        met.partial += w_.ledger().list_is_partial() ? 1 : 0;
        met.full += w_.full() ? 1 : 0;
        met.reused += reused_;
        for (reader const& r : w_.readers()) {
            met.taken += r.taken();
            met.left_out += r.left_out();
            met.overflowed += r.overflowed() ? 1 : 0;
        }
    }

    static constexpr moment horizon_ = 16'000;
    std::uint64_t random_;
    bool skewed_ = false;
    world w_;
    moment next_change_ = never, next_cut_ = never, next_request_ = never, next_list_ = never, next_listen_ = never,
           next_join_ = never, next_jump_ = never, next_read_ = never;
    moment connected_at_ = 0;
    std::uint64_t reused_ = 0;
};

} // namespace

TEST_CASE("whatever a random server, its network and its readers do, each subscriber is told what the rules promise",
          "[model]")
{
    // PLEX_SEED repeats one schedule; PLEX_TEST_LONG runs more of them.
    char const* const given = std::getenv("PLEX_SEED");
    std::uint64_t const first = given ? std::strtoull(given, nullptr, 10) : std::random_device()();
#if defined(__SANITIZE_ADDRESS__)
    std::uint64_t const usual = 20'000; // what it takes five times as long to look at
#else
    std::uint64_t const usual = 100'000;
#endif
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
              << " partial lists, " << met.overflowed << " full mailboxes, " << met.full << " full ledgers\n";
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
}
