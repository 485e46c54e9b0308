#include "catch.hpp"
#include "sync_scene.hpp"

// Rule 9: where there is no feed, each list is all there is to know.

using namespace plex;
using namespace plex::testing;

namespace {

struct polling : scene {
    using scene::scene;

    /// Asked and answered within 100 ms; the next one is due in 2 s.
    std::string poll(std::initializer_list<activity_update> list)
    {
        last.clear();
        auto const requested = now.steady;
        after(100ms);
        ledger.polled({list.begin(), list.size()}, requested, now, last);
        after(1900ms);
        return told();
    }
};

} // namespace

TEST_CASE("polling tells states: each start, change and end, all of it inferred", "[ledger]")
{
    polling s;
    CHECK(s.poll({}) == "");
    CHECK(s.poll({news("a").progress(1)}) == "started? a 1");
    CHECK(s.poll({news("a").progress(1)}) == "");
    CHECK(s.poll({news("a").progress(2), news("b")}) == "updated? a 2, started? b");
    CHECK(s.poll({news("b")}) == "ended? a 2");
    CHECK(s.poll({}) == "ended? b");
    CHECK(s.ledger.running() == 0);
    CHECK(s.ledger.settled().has_value());
}

TEST_CASE("what ended between two polls and began anew is another life", "[ledger]")
{
    polling s;
    s.poll({news("a")});
    CHECK(s.poll({}) == "ended? a");
    CHECK(s.poll({news("a")}) == "started? a");
    CHECK(s.ledger.revived() == 1);
}

TEST_CASE("polling takes over from a lost feed: what it knew goes on, and what was seen to end stays ended", "[ledger]")
{
    polling s;
    s.live();
    s.heard(news("started", "a").progress(1));
    s.heard(news("started", "b").progress(1));
    s.heard(news("started", "c").progress(1));
    s.heard(news("ended", "c").progress(100));
    s.ledger.disconnected();
    s.after(1s);
    // A list that was made before the end shows it once more.
    CHECK(s.poll({news("a").progress(1), news("c").progress(1)}) == "ended? b 1");
    s.after(5s);
    CHECK(s.poll({news("a").progress(7)}) == "updated? a 7");
}

TEST_CASE("what a partial list never showed outlives polls for ten minutes of silence", "[ledger]")
{
    polling s;
    s.live();
    s.heard(news("started", "hidden"));
    s.ledger.disconnected();
    s.after(10s);
    CHECK(s.snapshot({}) == "ended? hidden");
    s.heard(news("updated", "hidden").progress(5)); // it ran on: so the list is partial
    REQUIRE(s.ledger.list_is_partial());
    s.ledger.disconnected();
    CHECK(s.poll({}) == "");
    s.after(9min);
    CHECK(s.poll({}) == "");
    s.after(1min);
    CHECK(s.poll({}) == "ended? hidden 5");
}

TEST_CASE("a feed after polls is a feed again: its snapshots wait for confirmation and grace", "[ledger]")
{
    polling s;
    s.poll({news("a"), news("b")});
    s.ledger.disconnected();
    s.request();
    CHECK(s.reply({news("b")}) == "");
    CHECK(s.settle() == "");
    s.confirm();
    s.after(2s);
    CHECK(s.settle() == "ended? a");
}

TEST_CASE("a list that is more than the ledger has room for fills it, ends nothing, and is the last that is looked at",
          "[ledger]")
{
    sync::ledger_limits limits;
    limits.bytes = 2000;
    polling s(limits);
    CHECK(s.poll({news("a")}) == "started? a");
    std::string const long_title(1500, 't');
    s.poll({news("b").title(long_title), news("c").title(long_title)}); // in which "a" is missing
    CHECK(s.ledger.full());
    CHECK(s.told().find("ended") == std::string::npos);
    s.ledger.disconnected();
    CHECK(s.poll({news("d")}) == "");
}
