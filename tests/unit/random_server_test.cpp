// A server, its feed and its list in virtual time, and subscribers of every kind.

#include "catch.hpp"
#include "sync_scene.hpp"

#include "sync/merge.hpp"

#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace plex;
using namespace plex::testing;

namespace {

/// Checks what one subscriber is told: whole lives, and ends only of what has ended.
struct listener {
    sync::mailbox box;
    std::size_t appetite; // events taken at a time
    bool filtered;
    bool from_the_start;
    std::map<std::string, activity> running = {};
    std::map<std::string, int> lives = {};
    std::uint64_t taken = 0;
};

/// Activities that start, go on and end; a feed that keeps its order, may be delayed and cut; a list that is true at a
/// moment between request and reply, or shows a part of that alone. All of it drawn from one seed.
class world
{
public:
    world(unsigned seed, bool list_is_whole) : random_(seed), list_is_whole_(list_is_whole) { connect(); }

    void run()
    {
        subscribe(filter(), {}, 1000, 1'000'000);
        subscribe(filter().context("section", "1"), {}, 1000, 1'000'000);
        for (; clock_ < 200'000; ++clock_) {
            if (one_in(150))
                start();
            if (one_in(20))
                change();
            if (one_in(15'000))
                disconnect();
            if (one_in(10'000))
                subscribe_later();
            step();
        }
        // All ends, and the connection holds: then whatever was missed has to come out.
        while (!truth_.empty())
            end(truth_.begin()->first);
        for (auto& l : listeners_)
            l->appetite = 1000;
        for (int const last = clock_ + 120'000; clock_ < last; ++clock_)
            step();
        check_end();
    }

private:
    struct fact {
        int progress = 0;
        std::string context;
        int updates = 0;
    };
    struct message {
        int at;
        event_kind kind;
        std::string uuid;
        fact state;
        std::uint32_t pong = 0; // the snapshot it confirms
    };

    bool one_in(int n) { return std::uniform_int_distribution<>(1, n)(random_) == 1; }
    int between(int a, int b) { return std::uniform_int_distribution<>(a, b)(random_); }
    sync::instant now() const
    {
        auto const since = std::chrono::milliseconds(clock_);
        return {std::chrono::steady_clock::time_point(1h + since), std::chrono::system_clock::time_point(1h + since)};
    }

    // the server

    void send(event_kind kind, std::string const& uuid, std::uint32_t pong = 0)
    {
        if (pong == 0 && (!connected_ || clock_ < listens_from_))
            return;
        int const last = feed_.empty() ? 0 : feed_.back().at;
        // Mostly prompt, now and then late beyond the grace.
        int const delay = one_in(30) ? between(0, 4000) : between(0, 30);
        feed_.push_back({std::max(last, clock_ + delay), kind, uuid, pong != 0 ? fact() : truth_[uuid], pong});
    }
    void start()
    {
        std::string const uuid = "u" + std::to_string(++named_);
        truth_[uuid];
        send(event_kind::started, uuid);
    }
    void change()
    {
        if (truth_.empty())
            return;
        auto it = truth_.begin();
        std::advance(it, between(0, static_cast<int>(truth_.size()) - 1));
        if (one_in(8)) {
            end(std::string(it->first));
            return;
        }
        it->second.progress = ++it->second.updates;
        if (it->second.updates == 2)
            it->second.context = R"({"section":)" + std::to_string(between(1, 2)) + "}";
        send(event_kind::updated, it->first);
    }
    void end(std::string const& uuid)
    {
        send(event_kind::ended, uuid);
        last_progress_[uuid] = truth_[uuid].progress;
        truth_.erase(uuid);
    }
    static activity_update update_of(std::string_view uuid, fact const& f, event_kind kind)
    {
        activity_update u = news(uuid).progress(f.progress);
        u.kind = kind;
        if (!f.context.empty())
            u.context = f.context;
        return u;
    }

    // the connection

    void connect()
    {
        connected_ = true;
        connected_at_ = clock_;
        listens_from_ = clock_ + between(0, 3000);
        closed_gap_ = false;
        next_snapshot_ = clock_;
    }
    void disconnect()
    {
        if (!connected_)
            return;
        connected_ = false;
        feed_.clear();
        listed_at_ = replied_at_ = none_;
        ledger_.disconnected();
        reconnect_at_ = clock_ + between(500, 20'000);
    }
    void step()
    {
        if (!connected_ && clock_ >= reconnect_at_)
            connect();
        snapshots();
        std::vector<sync::mail> out;
        while (!feed_.empty() && feed_.front().at <= clock_) {
            message const m = feed_.front();
            feed_.erase(feed_.begin());
            if (m.pong != 0)
                ledger_.peer_confirmed(m.pong);
            else
                ledger_.heard(update_of(m.uuid, m.state, m.kind), now(), out);
        }
        if (auto const due = ledger_.next_settle(); due && *due <= now().steady)
            ledger_.settle(now(), out);
        tell(out);
        if (ledger_.settled())
            for (auto& l : listeners_)
                l->box.settled(*ledger_.settled(), now());
        for (auto& l : listeners_)
            if (l->filtered || l->from_the_start || clock_ % 500 == 0)
                take(*l);
    }
    void snapshots()
    {
        if (!connected_)
            return;
        if (listed_at_ == none_ && replied_at_ == none_ && clock_ >= next_snapshot_) {
            bool const closes = !closed_gap_ && clock_ >= connected_at_ + 5000;
            ledger_.snapshot_requested(now(), closes);
            closed_gap_ = closed_gap_ || closes;
            next_snapshot_ = closed_gap_ ? clock_ + 20'000 : connected_at_ + 5000;
            listed_at_ = clock_ + between(0, 200);
        }
        if (clock_ == listed_at_) {
            list_ = truth_;
            if (!list_is_whole_)
                std::erase_if(list_, [](auto const& entry) { return entry.first.back() < '5'; });
            listed_at_ = none_;
            replied_at_ = clock_ + between(0, one_in(10) ? 4000 : 200);
        }
        if (clock_ == replied_at_) {
            replied_at_ = none_;
            std::vector<activity_update> entries;
            for (auto const& [uuid, state] : list_)
                entries.push_back(update_of(uuid, state, event_kind::updated));
            std::vector<sync::mail> out;
            if (one_in(20)) {
                ledger_.snapshot_failed();
                return;
            }
            ledger_.snapshot_arrived(entries, now(), out);
            tell(out);
            send(event_kind::updated, "", *ledger_.awaiting_confirmation());
        }
    }

    // the subscribers

    void subscribe(filter f, std::vector<activity> known, std::size_t appetite, std::size_t conflate_after)
    {
        bool const filtered = !f.empty();
        sync::mailbox_limits limits;
        limits.conflate_after = conflate_after;
        listeners_.push_back(
            std::make_unique<listener>(listener{sync::mailbox(std::move(f), limits), appetite, filtered, clock_ == 0}));
        listener& l = *listeners_.back();
        for (auto const& a : known) {
            l.running.emplace(a.uuid(), a);
            ++l.lives[std::string(a.uuid())];
        }
        l.box.remember(std::move(known), now());
        std::vector<sync::mail> out;
        ledger_.introduce(now(), out);
        for (auto const& m : out)
            l.box.post(m);
    }
    void subscribe_later()
    {
        std::vector<activity> known;
        if (one_in(2)) {
            for (auto const& [uuid, state] : truth_)
                if (one_in(2))
                    known.push_back(sync::merge({}, update_of(uuid, state, event_kind::updated), true));
            known.push_back(sync::merge({}, news("ended long ago"), true));
        }
        auto f = one_in(2) ? filter() : filter().context("section", std::to_string(between(1, 2)));
        subscribe(std::move(f), std::move(known), static_cast<std::size_t>(between(1, 20)),
                  static_cast<std::size_t>(between(1, 60)));
    }
    void tell(std::vector<sync::mail> const& out)
    {
        for (auto const& m : out)
            for (auto& l : listeners_)
                l->box.post(m);
    }
    void take(listener& l)
    {
        for (std::size_t n = 0; n < l.appetite; ++n) {
            auto const event = l.box.take();
            if (!event)
                return;
            ++l.taken;
            std::string const uuid(event->activity.uuid());
            INFO("at " << clock_ << " ms: " << text_of(*event));
            bool const runs = l.running.contains(uuid);
            if (event->kind == event_kind::started) {
                REQUIRE_FALSE(runs);
                ++l.lives[uuid];
                if (list_is_whole_)
                    REQUIRE(l.lives[uuid] == 1); // no end is wrong, and none is undone
            } else {
                REQUIRE(runs);
            }
            if (event->kind == event_kind::ended) {
                if (list_is_whole_)
                    REQUIRE_FALSE(truth_.contains(uuid));
                if (!event->inferred)
                    REQUIRE(event->activity.progress() == last_progress_[uuid]);
                l.running.erase(uuid);
            } else {
                l.running[uuid] = event->activity;
            }
        }
    }
    void check_end()
    {
        if (list_is_whole_) {
            CHECK(ledger_.running() == 0);
            CHECK(ledger_.revived() == 0);
            CHECK_FALSE(ledger_.list_is_partial());
        }
        for (auto& l : listeners_) {
            CHECK(l->box.empty());
            CHECK_FALSE(l->box.overflowed());
            if (list_is_whole_)
                CHECK(l->running.empty());
            conflated += l->box.conflated();
        }
        taken = listeners_.front()->taken;
        CHECK(listeners_.front()->box.conflated() == 0);
    }

public:
    std::uint64_t conflated = 0;
    std::uint64_t taken = 0;

private:
    static constexpr int none_ = -1;

    std::mt19937 random_;
    bool list_is_whole_;
    int clock_ = 0;
    std::map<std::string, fact> truth_;
    std::map<std::string, fact> list_;
    std::map<std::string, int> last_progress_; // of what has ended
    int named_ = 0;
    std::vector<message> feed_;
    bool connected_ = false;
    bool closed_gap_ = false;
    int connected_at_ = 0;
    int listens_from_ = 0;
    int reconnect_at_ = 0;
    int next_snapshot_ = 0;
    int listed_at_ = none_;
    int replied_at_ = none_;
    sync::ledger ledger_;
    std::vector<std::unique_ptr<listener>> listeners_;
};

} // namespace

TEST_CASE("subscribers of every kind hear whole lives of a random server, all of them to their end", "[mailbox]")
{
    // PLEX_SEED repeats a run.
    char const* const given = std::getenv("PLEX_SEED");
    unsigned const first = given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
    std::uint64_t conflated = 0;
    std::uint64_t taken = 0;
    for (unsigned seed = first; seed != first + (given ? 1 : 6); ++seed) {
        INFO("PLEX_SEED=" << seed);
        world w(seed, seed % 3 != 0);
        w.run();
        conflated += w.conflated;
        taken += w.taken;
    }
    CHECK(taken > 1000);
    CHECK(conflated > 0);
}
