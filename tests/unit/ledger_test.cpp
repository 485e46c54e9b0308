#include "catch.hpp"
#include "sync_scene.hpp"

#include <string>

using namespace plex;
using namespace plex::testing;

// ---- rule 1: whole lives

TEST_CASE("a life is told as the server tells it", "[ledger]")
{
    scene s;
    CHECK(s.heard(news("started", "a").progress(0)) == "started a 0");
    auto const started_at = s.now.system;
    CHECK(s.last.at(0).event.started_at == started_at);
    s.after(1s);
    CHECK(s.heard(news("updated", "a").progress(40)) == "updated a 40");
    CHECK(s.last.at(0).event.at == s.now.system);
    CHECK(s.last.at(0).event.started_at == started_at);
    CHECK(s.heard(news("updated", "a").progress(40)) == "updated a 40");
    CHECK(s.heard(news("ended", "a")) == "ended a 40");
    CHECK(s.last.at(0).event.started_at == started_at);
    CHECK(s.ledger.running() == 0);
}

TEST_CASE("100 per cent is not the end", "[ledger]")
{
    scene s;
    s.heard(news("started", "a"));
    CHECK(s.heard(news("updated", "a").progress(100)) == "updated a 100");
    CHECK(s.ledger.running() == 1);
}

TEST_CASE("an update of an unknown activity opens its life, inferred, with that update's state", "[ledger]")
{
    scene s;
    CHECK(s.heard(news("updated", "a").progress(7)) == "started? a 7");
    CHECK_FALSE(s.last.at(0).event.started_at);
    CHECK(s.heard(news("updated", "a").progress(8)) == "updated a 8");
}

TEST_CASE("the end of an unknown activity is told as a whole life", "[ledger]")
{
    scene s;
    CHECK(s.heard(news("ended", "a").progress(100)) == "started? a 100, ended a 100");
    CHECK(s.last.at(0).life == s.last.at(1).life);
    CHECK(s.ledger.running() == 0);
}

TEST_CASE("started for a life that is known is an update if it changes anything, and tells when it started", "[ledger]")
{
    scene s;
    s.heard(news("updated", "a").progress(3));
    s.after(1s);
    CHECK(s.heard(news("started", "a").progress(3)) == "");
    CHECK(s.heard(news("started", "a").progress(4)) == "updated a 4");
    CHECK(s.last.at(0).event.started_at == s.now.system);
}

TEST_CASE("events after an end that was seen are stale", "[ledger]")
{
    scene s;
    s.heard(news("started", "a"));
    s.heard(news("ended", "a"));
    s.after(24h);
    CHECK(s.heard(news("updated", "a")) == "");
    CHECK(s.heard(news("started", "a")) == "");
    CHECK(s.heard(news("ended", "a")) == "");
    CHECK(s.ledger.running() == 0);
}

TEST_CASE("an end that was seen is forgotten once a later snapshot no longer lists it and the grace has passed",
          "[ledger]")
{
    scene s;
    s.live();
    s.heard(news("started", "a"));
    s.request();
    s.after(1s);
    s.heard(news("ended", "a"));
    s.after(1s);

    SECTION("a snapshot requested before the end does not count")
    {
        s.reply({});
        s.after(1h);
        CHECK(s.heard(news("updated", "a")) == "");
    }
    SECTION("nor one requested in the same moment")
    {
        s.heard(news("updated", "b"));
        s.heard(news("ended", "b"));
        s.snapshot({});
        s.after(1h);
        CHECK(s.heard(news("updated", "b")) == "");
        CHECK(s.heard(news("updated", "a")) == "started? a");
    }
    SECTION("one that still lists it does not resurrect it, and it is not forgotten")
    {
        s.reply({});
        s.after(1s);
        s.request();
        CHECK(s.reply({news("a")}) == "");
        s.after(1h);
        CHECK(s.heard(news("updated", "a")) == "");
    }
    SECTION("within the grace after the reply its events are still stale, then it may live again")
    {
        s.reply({});
        s.after(1s);
        s.request();
        s.after(1s);
        s.reply({});
        s.after(1999ms);
        CHECK(s.heard(news("updated", "a")) == "");
        s.after(1ms);
        CHECK(s.heard(news("updated", "a")) == "started? a");
        CHECK(s.ledger.revived() == 0);
    }
    SECTION("a later snapshot within the grace that lists it again keeps it remembered")
    {
        s.reply({});
        s.after(1s);
        s.request();
        s.reply({});
        s.after(1s);
        s.request();
        s.reply({news("a")});
        s.after(1h);
        CHECK(s.heard(news("updated", "a")) == "");
    }
    SECTION("a later snapshot that lacks it too does not prolong the grace")
    {
        s.reply({});
        s.after(1s);
        s.request();
        s.reply({});
        s.after(1s);
        s.request();
        s.reply({});
        s.after(1s);
        CHECK(s.heard(news("updated", "a")) == "started? a");
    }
    SECTION("the very next snapshot requested after the grace may show that it lives anew")
    {
        s.reply({});
        s.after(1s);
        s.snapshot({}); // lacks it, and the grace passes
        s.request();
        CHECK(s.reply({news("a").progress(5)}) == "started? a 5");
        CHECK(s.heard(news("updated", "a").progress(6)) == "updated a 6");
    }
    SECTION("but not one that was requested within the grace")
    {
        s.reply({});
        s.after(1s);
        s.request();
        s.reply({});
        s.after(1999ms);
        s.request();
        s.after(1s);
        CHECK(s.reply({news("a")}) == "");
        CHECK(s.heard(news("updated", "a")) == "");
    }
    SECTION("a snapshot may show that new life too")
    {
        s.reply({});
        s.after(1s);
        s.snapshot({});
        s.request();
        s.reply({}); // here it is forgotten
        CHECK(s.ledger.remembered_ends() == 0);
        s.request();
        CHECK(s.reply({news("a")}) == "started? a");
    }
}

TEST_CASE("a late end of what was inferred to have ended is swallowed, and from then on it was seen", "[ledger]")
{
    scene s;
    REQUIRE(end_by_absence(s, {"a", "b"}) == "ended? a, ended? b");
    CHECK(s.heard(news("ended", "a")) == "");
    CHECK(s.heard(news("updated", "a")) == "");
    CHECK(s.ledger.revived() == 0);
    CHECK_FALSE(s.ledger.list_is_partial());
}

TEST_CASE("what goes on after its end was inferred lives again, inferred, and is counted", "[ledger]")
{
    scene s;
    REQUIRE(end_by_absence(s, {"a", "b"}) == "ended? a, ended? b");
    CHECK(s.heard(news("updated", "a").progress(5)) == "started? a 5");
    CHECK_FALSE(s.last.at(0).event.started_at);
    CHECK(s.heard(news("started", "b")) == "started? b");
    CHECK(s.ledger.revived() == 2);
    CHECK(s.ledger.remembered_ends() == 0);
    CHECK(s.heard(news("ended", "a")) == "ended a 5");
    CHECK(s.heard(news("updated", "a")) == "");
}

TEST_CASE("a snapshot that lists what was inferred to have ended lets it live again, and counts it", "[ledger]")
{
    scene s;
    REQUIRE(end_by_absence(s, {"a", "b"}) == "ended? a, ended? b");
    s.request();
    CHECK(s.reply({news("b").progress(9)}) == "started? b 9");
    CHECK(s.ledger.revived() == 1);
    CHECK_FALSE(s.ledger.list_is_partial());
}

TEST_CASE("an event that revives a life need not repeat its type", "[ledger]")
{
    scene s;
    REQUIRE(end_by_absence(s, {"a", "b"}) == "ended? a, ended? b");
    CHECK(s.heard(news("updated", "a").type("")) == "started? a");
    CHECK(s.last.at(0).event.activity.type() == "library.update.section");
}

TEST_CASE("each life has a number of its own", "[ledger]")
{
    scene s;
    s.heard(news("started", "a"));
    auto const first = s.last.at(0).life;
    s.ledger.disconnected();
    s.after(10s);
    s.snapshot({});
    s.heard(news("updated", "a"));
    CHECK(s.last.at(0).life != first);
}

TEST_CASE("of remembered ends the oldest is forgotten first", "[ledger]")
{
    sync::ledger_limits limits;
    limits.remembered_ends = 3;
    scene s(limits);
    for (auto const* id : {"a", "b", "c", "d"})
        s.heard(news("ended", id));
    CHECK(s.ledger.remembered_ends() == 3);
    CHECK(s.heard(news("updated", "b")) == "");
    CHECK(s.heard(news("updated", "d")) == "");
    CHECK(s.heard(news("updated", "a")) == "started? a");
    s.heard(news("ended", "a")); // and now b is
    CHECK(s.heard(news("updated", "c")) == "");
    CHECK(s.heard(news("updated", "b")) == "started? b");
}

TEST_CASE("8,192 ends are remembered, whatever their number", "[ledger]")
{
    scene s;
    for (int i = 0; i < 20'000; ++i) {
        std::string const id = "7c9e6679-7425-40de-944b-e07fc1f9" + std::to_string(10'000 + i);
        s.heard(news("started", id));
        s.heard(news("ended", id));
    }
    CHECK(s.ledger.remembered_ends() == 8192);
    CHECK_FALSE(s.ledger.full());
    CHECK(s.heard(news("updated", "7c9e6679-7425-40de-944b-e07fc1f929999")) == "");
    CHECK(s.heard(news("updated", "7c9e6679-7425-40de-944b-e07fc1f921808")) == "");
    CHECK(s.heard(news("updated", "7c9e6679-7425-40de-944b-e07fc1f921807")) != "");
}

TEST_CASE("an entry about an unknown activity that lacks a type is counted and ignored", "[ledger]")
{
    scene s;
    CHECK(s.heard(news("updated", "a").type("")) == "");
    s.request();
    CHECK(s.reply({news("b").type("")}) == "");
    CHECK(s.ledger.malformed() == 2);
    CHECK(s.ledger.running() == 0);
    s.heard(news("started", "a"));
    CHECK(s.heard(news("updated", "a").type("").progress(1)) == "updated a 1");
    CHECK(s.ledger.malformed() == 2);
}

// ---- bounds, late subscribers

TEST_CASE("a full ledger says so and takes nothing more", "[ledger]")
{
    sync::ledger_limits limits;
    limits.bytes = 4000;
    scene s(limits);
    int lives = 0;
    for (; !s.ledger.full(); ++lives) {
        REQUIRE(lives < 20);
        s.heard(news("started", "id " + std::to_string(lives)));
    }
    CHECK(lives > 5);
    CHECK(s.heard(news("updated", "id 1")) == "");
    CHECK(s.heard(news("ended", "id 1")) == "");
    s.request();
    CHECK(s.reply({news("new")}) == "");
}

TEST_CASE("what has ended and been forgotten takes no memory from the bound", "[ledger]")
{
    sync::ledger_limits limits;
    limits.remembered_ends = 0;
    scene s(limits);
    s.heard(news("started", "a").context(R"({"k":"v"})"));
    CHECK(s.ledger.bytes() > 0);
    s.heard(news("updated", "a").context("{}"));
    s.heard(news("ended", "a"));
    CHECK(s.ledger.bytes() == 0);
}

TEST_CASE("a late subscriber is introduced to what runs, oldest first", "[ledger]")
{
    sync::ledger_limits limits;
    limits.remembered_ends = 0; // so that "a" takes the place of "gone"
    scene s(limits);
    s.heard(news("started", "gone"));
    s.heard(news("started", "b").progress(1));
    auto const started_at = s.now.system;
    auto const life = s.last.at(0).life;
    s.heard(news("ended", "gone"));
    s.heard(news("started", "a"));
    s.heard(news("updated", "b").progress(2));
    s.after(1s);
    s.last.clear();
    s.ledger.introduce(s.now, s.last);
    CHECK(s.told() == "started? b 2, started? a");
    CHECK(s.last.at(0).life == life);
    CHECK(s.last.at(0).event.started_at == started_at);
    CHECK(s.last.at(0).event.at == s.now.system);
}
