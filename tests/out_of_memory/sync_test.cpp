#include "failing_allocator.hpp"

#include "unit/sync_scene.hpp"

#include "sync/filter_match.hpp"
#include "sync/hash_table.hpp"
#include "sync/idleness.hpp"
#include "sync/merge.hpp"
#include "sync/patience.hpp"
#include "sync/pursuit.hpp"
#include "sync/reconnect_plan.hpp"
#include "sync/wording.hpp"

#include <array>
#include <map>
#include <stdexcept>

namespace plex::testing {
namespace {

using namespace sync;

std::string const long_text(300, 'x');

// Rule 1 of what the ledger tells, and that it knows the same to run.
class whole_lives
{
public:
    void hear(std::vector<mail>& told)
    {
        for (mail const& m : told) {
            bool const runs = runs_.contains(m.life);
            if ((m.event.kind == event_kind::started) == runs)
                throw std::logic_error("an impossible life: " + text_of(m.event));
            if (m.event.kind == event_kind::ended)
                runs_.erase(m.life);
            else
                runs_[m.life] = m.event.activity.uuid();
        }
        told.clear();
    }
    void compare(ledger const& l) const
    {
        std::map<std::uint64_t, std::string> running;
        l.for_each_running(
            [&](activity const& a, auto const&, std::uint64_t life) { running[life] = std::string(a.uuid()); });
        must(running == runs_);
        must(l.running() == runs_.size());
    }

private:
    std::map<std::uint64_t, std::string> runs_;
};

// A ledger and whoever hears it, with memory running out in one of its steps. What is told is heard at once, also of a
// step that failed.
class short_scene
{
public:
    explicit short_scene(ledger_limits limits = {}) : ledger_(limits) {}

    template <class Step>
    bool survives(shortage& s, Step step)
    {
        bool const done = s.survives(step);
        lives_.hear(out_);
        lives_.compare(ledger_);
        return done;
    }
    void heard(activity_update const& n) { ledger_.heard(n, now_, out_); }
    void request(bool closes_gap = true) { ledger_.snapshot_requested(now_, closes_gap); }
    void list(std::vector<activity_update> const& entries) { ledger_.snapshot_arrived(entries, now_, out_); }
    void poll(std::vector<activity_update> const& entries) { ledger_.polled(entries, now_.steady, now_, out_); }
    void lose() { ledger_.disconnected(); }
    void settle()
    {
        if (auto const number = ledger_.awaiting_confirmation())
            ledger_.peer_confirmed(*number);
        pass(3s);
        ledger_.settle(now_, out_);
    }
    void pass(std::chrono::steady_clock::duration d) { now_.steady += d; }

    // It goes on: ends what is left, and begins anew.
    void go_on()
    {
        pass(10s);
        shortage plenty(0, false);
        must(survives(plenty, [&] {
            heard(news("updated", "a").progress(7).title(long_text));
            heard(news("ended", "b"));
            heard(news("started", "new"));
            heard(news("ended", "new"));
            lose();
            for (bool const closes_gap : {true, false}) {
                pass(10s);
                request(closes_gap);
                pass(1s);
                list({});
                settle();
                pass(10min); // whether the list is partial or not
            }
        }));
        must(ledger_.running() == 0);
        must(!(ledger_.full()));
        must(survives(plenty, [&] {
            pass(10s);
            request();
            pass(1s);
            list({});
            settle();
            pass(10s);
            heard(news("started", "a"));
            heard(news("started", "z"));
        }));
        must(ledger_.running() == 2);
    }
    ledger const& what() const { return ledger_; }

private:
    ledger ledger_;
    whole_lives lives_;
    std::vector<mail> out_;
    instant now_{std::chrono::steady_clock::time_point(1h), std::chrono::system_clock::time_point(1'000'000s)};
};

// What a subscriber takes is whole lives, whichever post failed.
struct taking {
    std::string ends; // and starts
    std::size_t updates = 0;
};
taking taken(mailbox& box)
{
    taking all;
    std::map<std::string, bool> runs;
    while (auto const event = box.take()) {
        bool& r = runs[std::string(event->activity.uuid())];
        if ((event->kind == event_kind::started) == r)
            throw std::logic_error("an impossible life: " + text_of(*event));
        r = event->kind != event_kind::ended;
        if (event->kind == event_kind::updated)
            ++all.updates;
        else
            add(all.ends, *event);
    }
    must(box.bytes() == 0);
    must(box.empty());
    return all;
}

activity made(std::string_view uuid, std::string_view context = {})
{
    detail::activity_fields f;
    f.uuid = uuid;
    f.type = "library.update.section";
    f.context = context;
    return detail::activity_access::make(f);
}

mail told(event_kind kind, std::uint64_t life, activity const& a)
{
    return {{kind, false, {}, std::nullopt, a}, life};
}

} // namespace

TEST_CASE("an event that the ledger ran out of memory for has not happened, and no life becomes impossible")
{
    auto const of_known = [](activity_update const& n) {
        at_every_allocation([&](shortage& s) {
            short_scene scene;
            shortage plenty(0, false);
            scene.survives(plenty, [&] {
                scene.heard(news("started", "a"));
                scene.heard(news("started", "b"));
            });
            std::size_t const bytes = scene.what().bytes();
            if (!scene.survives(s, [&] { scene.heard(n); }))
                must(scene.what().bytes() == bytes);
            scene.go_on();
        });
    };
    of_known(news("updated", "a").progress(3).title(long_text).context(R"({"k":1})"));
    of_known(news("ended", "a").title(long_text));
    of_known(news("started", "a").title(long_text));
    of_known(news("started", "c"));
    of_known(news("ended", "c"));
    of_known(news("updated", "c").title(long_text));
}

TEST_CASE("of ends that the ledger ran out of memory for it tells no impossible life")
{
    auto const of_ended = [](bool inferred, activity_update const& n) {
        at_every_allocation([&](shortage& s) {
            short_scene scene;
            shortage plenty(0, false);
            scene.survives(plenty, [&] {
                scene.heard(news("started", "a"));
                scene.heard(news("started", "b"));
                if (inferred)
                    scene.lose();
                else
                    scene.heard(news("ended", "a"));
                for (int i = 0; i != 2; ++i) {
                    scene.pass(10s);
                    scene.request();
                    scene.pass(1s);
                    scene.list({news("b")});
                    scene.settle();
                }
            });
            must(scene.what().running() == 1);
            scene.survives(s, [&] { scene.heard(n); });
            scene.go_on();
        });
    };
    for (bool const inferred : {false, true}) {
        of_ended(inferred, news("updated", "a").title(long_text));
        of_ended(inferred, news("started", "a").title(long_text));
    }
    of_ended(false, news("ended", "a").title(long_text));

    at_every_allocation([](shortage& s) { // one end is remembered: another takes its place
        ledger_limits limits;
        limits.remembered_ends = 1;
        short_scene scene(limits);
        shortage plenty(0, false);
        scene.survives(plenty, [&] {
            scene.heard(news("started", "a"));
            scene.heard(news("ended", "a"));
            scene.heard(news("started", "b"));
        });
        scene.survives(s, [&] { scene.heard(news("ended", "b").title(long_text)); });
        must(scene.what().remembered_ends() == 1);
        scene.go_on();
    });
}

TEST_CASE("a list that the ledger ran out of memory for is taken in as far as it is told, and ends nothing")
{
    std::vector<activity_update> list;
    for (std::string_view const id : {"b", "c", "d", "e"})
        list.push_back(news(id).title(long_text));
    auto const of_list = [&](auto take) {
        at_every_allocation([&](shortage& s) {
            short_scene scene;
            shortage plenty(0, false);
            scene.survives(plenty, [&] {
                scene.heard(news("started", "a"));
                scene.heard(news("started", "b"));
                scene.lose();
                scene.pass(10s);
                scene.request();
                scene.pass(1s);
            });
            scene.survives(s, [&] { take(scene, list); });
            scene.go_on();
        });
    };
    of_list([](short_scene& scene, auto const& l) { scene.list(l); });
    of_list([](short_scene& scene, auto const& l) { scene.poll(l); });
    of_list([](short_scene& scene, auto const&) { scene.poll({}); });

    at_every_allocation([](shortage& s) {
        short_scene scene;
        shortage plenty(0, false);
        scene.survives(plenty, [&] {
            for (std::string_view const id : {"a", "b", "c"})
                scene.heard(news("started", id));
            scene.lose();
            scene.pass(10s);
            scene.request();
            scene.pass(1s);
            scene.list({});
        });
        if (!scene.survives(s, [&] { scene.settle(); }))
            must(!(scene.what().settled()));
        must(scene.survives(plenty, [&] { scene.settle(); })); // the rest
        must(scene.what().running() == 0);
        scene.go_on();
    });
}

TEST_CASE("whoever joins late while memory runs out can join again")
{
    at_every_allocation([](shortage& s) {
        scene sc;
        for (std::string const id : {"a", "b", "c"})
            sc.heard(news("started", id));
        std::vector<mail> out;
        if (!s.survives([&] { sc.ledger.introduce(sc.now, out); })) {
            out.clear();
            sc.ledger.introduce(sc.now, out);
        }
        must(out.size() == 3);
    });
}

TEST_CASE("what a mailbox ran out of memory for was not posted, and all else is taken")
{
    activity const a = made("a", R"({"section":"3"})");
    activity const b = made("b");
    struct sort {
        filter wanted;
        std::size_t conflate_after;
    };
    std::vector<sort> const sorts = {{filter(), 100},
                                     {filter(), 3},
                                     {filter().context("section", "3"), 100},
                                     {filter().type("library."), 2},
                                     {filter().uuid("a").uuid("b"), 1}};
    std::vector<std::vector<mail>> const stories = {
        {told(event_kind::started, 1, a), told(event_kind::updated, 1, a), told(event_kind::started, 2, b),
         told(event_kind::updated, 1, a), told(event_kind::updated, 2, b), told(event_kind::updated, 2, b),
         told(event_kind::ended, 1, a), told(event_kind::ended, 2, b)},
        {told(event_kind::started, 1, b), told(event_kind::updated, 1, b), told(event_kind::ended, 1, b)},
    };
    for (sort const& each : sorts)
        for (auto const& story : stories)
            for (std::size_t failing = 0; failing != story.size(); ++failing)
                at_every_allocation(
                    [&](shortage& s) {
                        auto const limits = mailbox_limits{each.conflate_after, 1u << 20};
                        mailbox box(each.wanted, limits);
                        mailbox without_failure(each.wanted, limits);
                        for (std::size_t i = 0; i != story.size(); ++i) {
                            without_failure.post(story[i]);
                            auto const pending = box.pending();
                            auto const bytes = box.bytes();
                            if (i == failing && s.survives([&] { box.post(mail(story[i])); }))
                                continue;
                            must(box.pending() == pending);
                            must(box.bytes() == bytes);
                            box.post(story[i]);
                        }
                        taking const got = taken(box);
                        taking const expected = taken(without_failure);
                        if (got.ends != expected.ends)
                            throw std::logic_error(got.ends + " instead of " + expected.ends);
                        must(got.updates >= expected.updates); // it conflates when there is memory for that
                    },
                    0);
    // Several at once: those before the one that failed are kept.
    for (sort const& each : sorts)
        at_every_allocation([&](shortage& s) {
            auto const limits = mailbox_limits{each.conflate_after, 1u << 20};
            mailbox box(each.wanted, limits);
            mailbox beginning(each.wanted, limits);
            auto const& story = stories.front();
            bool const done = s.survives([&] { box.post(std::span<mail const>(story)); });
            std::string const got = taken(box).ends;
            bool is_beginning = got.empty();
            for (mail const& m : story) {
                beginning.post(m);
                mailbox copy = beginning;
                std::string const so_far = taken(copy).ends;
                is_beginning = is_beginning || got == so_far;
                if (done && &m == &story.back())
                    must(got == so_far);
            }
            must(is_beginning);
        });
    // An end without a Context is told with its start, or not at all.
    at_every_allocation([&](shortage& s) {
        mailbox box(filter().context("section", "3"));
        box.post(told(event_kind::started, 1, made("c")));
        bool const done = s.survives([&] { box.post(told(event_kind::ended, 1, made("c", R"({"section":3})"))); });
        must(taken(box).ends == (done ? "started? c, ended c" : ""));
    });
}

TEST_CASE("what a mailbox was to remember is told once memory is there again")
{
    for (std::size_t const conflate_after : {2u, 100u})
        at_every_allocation([&](shortage& s) {
            mailbox box(filter(), {conflate_after, 1u << 20});
            instant const now{std::chrono::steady_clock::time_point(1h), {}};
            std::vector<activity> known = {made("a"), made("b"), made("c")};
            box.remember(std::move(known), now);
            mail const first = told(event_kind::started, 1, made("b"));
            if (!s.survives([&] { box.post(first); }))
                box.post(first);
            auto const later = now.steady + 1s;
            if (!s.survives([&] { box.settled(later, now); })) {
                must(box.remembers());
                box.settled(later, now);
            }
            must(drained(box) == "updated b, ended? a, ended? c");
        });
}

TEST_CASE("a pursuit that ran out of memory can be let go, and its result is never one that was not told")
{
    std::string const context = R"({"section":"3","more":")" + long_text + "\"}";
    for (bool const named : {false, true})
        for (int failing = 0; failing != 5; ++failing)
            at_every_allocation([&](shortage& s) {
                shortage plenty(0, false);
                int step = 0;
                auto const next = [&](auto f) { (step++ == failing ? s : plenty).survives(f); };
                pursuit_terms terms;
                terms.wanted = filter().type("library.update.section").context("section", "3");
                pursuit p(std::move(terms));
                instant const now{std::chrono::steady_clock::time_point(1h), {}};
                next([&] { p.told(told(event_kind::started, 1, made("older-than-the-request"))); });
                p.sending();
                next([&] { p.told(told(event_kind::started, 2, made("this-is-the-one-that-was-asked-for"))); });
                next(
                    [&] { p.told(told(event_kind::updated, 2, made("this-is-the-one-that-was-asked-for", context))); });
                next([&] { p.replied(named ? "this-is-the-one-that-was-asked-for" : "", now.steady); });
                next([&] { p.told(told(event_kind::ended, 2, made("this-is-the-one-that-was-asked-for", context))); });
                next([&] { p.listed(now.steady + 20s, false); });
                if (auto const& result = p.result()) {
                    must((result->kind != outcome_kind::vanished || s.struck()));
                    if (result->kind == outcome_kind::ended)
                        must(result->activity.uuid() == "this-is-the-one-that-was-asked-for");
                }
                if (!s.struck())
                    must((p.result() && p.result()->kind == outcome_kind::ended));
                static_cast<void>(p.awaited());
                while (p.take()) {
                }
            });
}

TEST_CASE("a wait until nothing runs that ran out of memory counts as busy what it was told")
{
    at_every_allocation([](shortage& s) {
        idleness i(filter().type("library.update.section").context("section", "3"), 1s);
        instant const now{std::chrono::steady_clock::time_point(1h), {}};
        i.listed(now.steady, now.steady);
        mail const start = told(event_kind::started, 1, made("a", R"({"section":3})"));
        if (!s.survives([&] { i.told(start, now.steady); })) {
            must(i.quiet_at() == now.steady + 1s);
            i.told(start, now.steady);
        }
        must(!(i.quiet_at()));
        must(i.awaited() == "the end of library.update.section");
        i.told(told(event_kind::ended, 1, made("a", R"({"section":3})")), now.steady + 5s);
        must(i.quiet_at() == now.steady + 6s);
    });
}

TEST_CASE("what is made of activities and filters is made whole, or not at all")
{
    at_every_allocation([](shortage& s) {
        activity const known = made("a");
        activity merged;
        bool const done = s.survives([&] { merged = merge(known, news("updated", "a").title(long_text), true); });
        must(same_record(merged, activity()) == !done);
    });
    at_every_allocation([](shortage& s) {
        activity const a = made("a", R"({"section":"a \u0033 that is rather long for a short string"})");
        filter const f = filter().context("section", "a 3 that is rather long for a short string");
        auto found = answer::no;
        if (s.survives([&] { found = match(f, a); }))
            must(found == answer::yes);
    });
    at_every_allocation([](shortage& s) {
        s.survives([] { describe(filter().type("library.update.section").uuid(long_text).context("a", "b")); });
    });
    at_every_allocation([](shortage& s) {
        std::map<std::string, int> const types = {{"library.update.section", 2}, {"media.download", 1}};
        s.survives([&] { describe(types); });
    });
    at_every_allocation([](shortage& s) {
        hash_table<int> table;
        for (std::uint64_t key = 0; key != 20; ++key) {
            auto const insert = [&] { table.insert(key, static_cast<int>(key)); };
            if (!s.survives(insert)) {
                must(table.find(key) == nullptr);
                must(table.size() == key);
                insert();
            }
        }
        for (std::uint64_t key = 0; key != 20; ++key)
            must((table.find(key) && *table.find(key) == static_cast<int>(key)));
    });
}

TEST_CASE("plans and patience take no memory at all")
{
    shortage none(1, true);
    reconnect_plan plan(transport::automatic, 10min);
    patience waits;
    auto const now = std::chrono::steady_clock::time_point(1h);
    must(none.survives([&] {
        for (setback const what : {setback::transient, setback::transient, setback::unsuitable, setback::barred}) {
            plan.opened(now);
            plan.failed(what, now + 1s);
            plan.list_answered(reconnect_plan::list_answer::good, now + 1s);
            plan.delay(0.5);
        }
        plan.wait_for(1s);
        waits.next(now, now + 1s, now);
    }));
    must(!(none.struck()));
}

} // namespace plex::testing
