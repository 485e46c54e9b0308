#include "catch.hpp"
#include "sync_scene.hpp"

using namespace plex;
using namespace plex::testing;

TEST_CASE("a snapshot adds what is unknown, inferred", "[ledger]")
{
    scene s;
    s.request();
    CHECK(s.reply({news("a").progress(1), news("b").progress(-1)}) == "started? a 1, started? b");
    CHECK_FALSE(s.last.at(0).event.started_at);
    s.after(1s);
    CHECK(s.heard(news("started", "a").progress(1)) == "");
    CHECK(s.heard(news("updated", "b").progress(2)) == "updated b 2");
}

TEST_CASE("a snapshot changes a life only if its last event is older than the request by the grace", "[ledger]")
{
    scene s;
    s.live();
    s.heard(news("started", "a").progress(50));
    s.after(1999ms);
    s.request();
    s.after(1s);
    CHECK(s.reply({news("a").progress(40)}) == "");
    s.after(1h);
    s.heard(news("updated", "a").progress(50));
    s.after(2s);
    s.request();
    CHECK(s.reply({news("a").progress(60)}) == "updated? a 60");
    s.request();
    CHECK(s.reply({news("a").progress(60)}) == "");
}

TEST_CASE("a list that does not mention a field changes nothing, unknown fields included", "[ledger]")
{
    scene s;
    s.heard(news("updated", "a").extra(R"({"event":"paused"})").context(R"({"k":1})").progress(3));
    s.after(1h);
    s.request();
    CHECK(s.reply({news("a").progress(3)}) == "");
    s.request();
    CHECK(s.reply({news("a").extra(R"({"userStopped":true})")}) == "updated? a 3");
}

TEST_CASE("after a gap one snapshot suffices to end what it lacks", "[ledger]")
{
    scene s;
    s.live();
    s.heard(news("started", "a").title("kept"));
    auto const started_at = s.now.system;
    s.heard(news("started", "b"));
    s.ledger.disconnected();
    s.after(10s);
    CHECK(s.snapshot({news("b")}) == "ended? a");
    CHECK(s.last.at(0).event.activity.title() == "kept");
    CHECK(s.last.at(0).event.started_at == started_at);
    CHECK(s.ledger.running() == 1);
}

TEST_CASE("the time from the connect to the request of the 5 s snapshot counts as a gap", "[ledger]")
{
    scene s;
    CHECK(s.snapshot({}) == "");
    s.heard(news("started", "a")); // and its end was missed, as the server did not listen for us yet
    s.after(2s);
    CHECK(s.snapshot({}, true) == "ended? a");
}

TEST_CASE("what the first snapshot listed and the 5 s snapshot lacks has ended", "[ledger]")
{
    scene s;
    CHECK(s.snapshot({news("a")}) == "");
    CHECK(s.snapshot({}, true) == "ended? a");
}

TEST_CASE("without a gap only what was listed once and is missing twice in a row has ended", "[ledger]")
{
    scene s;
    s.live();
    s.heard(news("started", "a"));
    s.heard(news("started", "never listed"));
    s.after(5s);
    CHECK(s.snapshot({news("a")}) == "");
    CHECK(s.snapshot({}) == "");
    SECTION("missing twice")
    {
        CHECK(s.snapshot({}) == "ended? a");
    }
    SECTION("not in a row")
    {
        CHECK(s.snapshot({news("a")}) == "");
        CHECK(s.snapshot({}) == "");
        CHECK(s.snapshot({}) == "ended? a");
    }
    for (int i = 0; i < 10; ++i)
        CHECK(s.snapshot({}) == "");
    CHECK(s.ledger.running() == 1);
}

TEST_CASE("a snapshot that listed a life after the gap was closed ends its gap", "[ledger]")
{
    scene s;
    s.live();
    s.heard(news("started", "a"));
    s.ledger.disconnected();
    s.after(10s);
    s.snapshot({news("a")});
    s.snapshot({news("a")}, true);
    CHECK(s.snapshot({}) == "");
    CHECK(s.snapshot({}) == "ended? a");
}

TEST_CASE("a failed snapshot infers nothing and does not count as missing", "[ledger]")
{
    scene s;
    s.live();
    s.snapshot({news("a")});
    s.snapshot({});
    s.request();
    s.ledger.snapshot_failed();
    s.confirm();
    s.after(1h);
    CHECK(s.settle() == "");
    CHECK(s.reply({news("z")}) == ""); // nobody asked for it
    CHECK(s.snapshot({}) == "ended? a");
}

namespace {

/// `a` ran before a gap; now its absence stands in a reply, one second after the request.
void lack(scene& s)
{
    s.live();
    s.heard(news("started", "a"));
    s.ledger.disconnected();
    s.after(10s);
    s.request();
    s.after(1s);
    s.reply({});
}

} // namespace

TEST_CASE("absence ends a life when the grace after the reply has passed and the peer has confirmed", "[ledger]")
{
    scene s;
    lack(s);
    CHECK(s.ledger.awaiting_confirmation());
    CHECK_FALSE(s.ledger.next_settle());

    SECTION("not before the grace has passed")
    {
        s.after(100ms);
        s.confirm();
        CHECK_FALSE(s.ledger.awaiting_confirmation());
        CHECK(s.ledger.next_settle() == s.now.steady + 1900ms);
        s.after(1899ms);
        CHECK(s.settle() == "");
        s.after(1ms);
        CHECK(s.settle() == "ended? a");
    }
    SECTION("not on the confirmation of an earlier snapshot")
    {
        auto const first = *s.ledger.awaiting_confirmation();
        s.after(5s);
        s.request(true);
        s.reply({});
        s.after(1s);
        s.ledger.peer_confirmed(first);
        s.after(1h);
        CHECK(s.settle() == "");
        s.confirm();
        CHECK(s.settle() == "ended? a");
    }
    SECTION("not before the peer has confirmed, however late")
    {
        s.after(1h);
        CHECK(s.settle() == "");
        s.confirm();
        CHECK(s.settle() == "ended? a");
    }
    CHECK_FALSE(s.ledger.next_settle());
    CHECK(s.ledger.settled());
}

TEST_CASE("an event since the request keeps a life from ending by absence", "[ledger]")
{
    scene s;
    SECTION("between request and reply")
    {
        s.live();
        s.heard(news("started", "a"));
        s.ledger.disconnected();
        s.after(10s);
        s.request();
        s.heard(news("updated", "a"));
        s.after(1s);
        s.reply({});
    }
    SECTION("within the grace")
    {
        lack(s);
        s.after(1999ms);
        s.heard(news("updated", "a"));
    }
    SECTION("before the late confirmation")
    {
        lack(s);
        s.after(20s);
        s.heard(news("updated", "a"));
    }
    s.confirm();
    s.after(2s);
    CHECK(s.settle() == "");
    CHECK(s.ledger.running() == 1);
    CHECK_FALSE(s.ledger.list_is_partial());
}

TEST_CASE("a life that began after the request is not missing", "[ledger]")
{
    scene s;
    s.live();
    s.request();
    s.after(10ms);
    s.heard(news("started", "a"));
    s.after(10ms);
    s.reply({});
    s.confirm();
    s.after(10s);
    CHECK(s.settle() == "");
    CHECK(s.heard(news("updated", "a")) == "updated a");
    CHECK_FALSE(s.ledger.list_is_partial());
}

TEST_CASE("a disconnect voids the snapshot in flight and the conclusions that wait", "[ledger]")
{
    scene s;
    SECTION("in flight")
    {
        s.heard(news("started", "a"));
        s.request();
        s.ledger.disconnected();
        CHECK(s.reply({news("b")}) == "");
    }
    SECTION("waiting")
    {
        lack(s);
        s.ledger.disconnected();
    }
    s.confirm();
    s.after(1h);
    CHECK(s.settle() == "");
    CHECK(s.ledger.running() == 1);
    CHECK(s.snapshot({}) == "ended? a");
}

TEST_CASE("a snapshot that lists a life again saves it from a conclusion that waits", "[ledger]")
{
    scene s;
    lack(s);
    s.after(5s);
    s.request(true);
    s.reply({news("a")});
    s.confirm();
    s.after(2s);
    CHECK(s.settle() == "");
    CHECK(s.ledger.running() == 1);
}

// ---- partial lists

TEST_CASE("a life that the feed revives shows that the list is partial", "[ledger]")
{
    scene s;
    REQUIRE(end_by_absence(s, {"a", "b"}) == "ended? a, ended? b");
    s.heard(news("updated", "a"));
    CHECK(s.ledger.list_is_partial());
}

TEST_CASE("an update after the grace of what the snapshot lacked shows that the list is partial", "[ledger]")
{
    scene s;
    s.live();
    s.heard(news("started", "a"));
    s.after(1s);
    s.request();
    s.heard(news("updated", "a")); // busy, so no candidate for an end
    s.after(1s);
    s.reply({});
    s.confirm();
    s.after(2s);
    s.heard(news("updated", "a"));
    CHECK_FALSE(s.ledger.list_is_partial());
    s.after(1ms);
    s.heard(news("updated", "a"));
    CHECK(s.ledger.list_is_partial());
}

TEST_CASE("once the list is partial, absence after a gap ends what was listed or stayed silent for 10 minutes",
          "[ledger]")
{
    scene s;
    REQUIRE(end_by_absence(s, {"a", "b"}) == "ended? a, ended? b");
    s.heard(news("updated", "a"));
    REQUIRE(s.ledger.list_is_partial());
    s.live();
    s.heard(news("started", "unlisted"));
    s.heard(news("started", "listed"));
    s.heard(news("ended", "a"));
    s.after(5s);
    s.snapshot({news("listed")});

    s.ledger.disconnected();
    s.after(10s);
    CHECK(s.snapshot({}) == "ended? listed");
    s.after(2s);
    auto const gap_closed = s.now.steady;
    CHECK(s.snapshot({}, true) == "");
    SECTION("silent")
    {
        s.after(gap_closed + 10min - 1ms - s.now.steady);
        s.request();
        s.reply({});
        s.confirm();
        s.after(1ms);
        CHECK(s.snapshot({}) == "ended? unlisted");
    }
    SECTION("not silent")
    {
        s.heard(news("updated", "unlisted"));
        s.after(1h);
        CHECK(s.snapshot({}) == "");
        CHECK(s.snapshot({}) == "");
    }
}

TEST_CASE("that an earlier life of an activity was listed says nothing about its next", "[ledger]")
{
    scene s;
    s.live();
    s.snapshot({news("a")});
    s.snapshot({});
    REQUIRE(s.snapshot({}) == "ended? a");
    REQUIRE(s.heard(news("updated", "a")) == "started? a");
    s.ledger.disconnected();
    s.after(10s);
    CHECK(s.snapshot({}) == "");
}

TEST_CASE("a life lacked by any number of snapshots still ends after a gap", "[ledger]")
{
    scene s;
    s.live();
    s.heard(news("started", "a"));
    s.after(1s);
    for (int i = 0; i < 255; ++i)
        REQUIRE(s.snapshot({}) == "");
    s.ledger.disconnected();
    s.after(10s);
    CHECK(s.snapshot({}) == "ended? a");
}

TEST_CASE("a newer list decides, even when the older one's conclusions were due", "[ledger]")
{
    scene s;
    lack(s);
    s.confirm();
    s.after(5s);
    s.request();
    CHECK(s.reply({news("a")}) == "");
    s.confirm();
    s.after(2s);
    CHECK(s.settle() == "");
}

TEST_CASE("a list found to be partial while conclusions wait ends less", "[ledger]")
{
    scene s;
    REQUIRE(end_by_absence(s, {"a", "b"}) == "ended? a, ended? b");
    s.live();
    s.heard(news("started", "c"));
    s.ledger.disconnected();
    s.after(10s);
    s.request();
    s.reply({});
    s.heard(news("updated", "a"));
    s.confirm();
    s.after(2s);
    CHECK(s.settle() == "");
}
