#include "catch.hpp"
#include "sync_scene.hpp"

#include "sync/merge.hpp"

using namespace plex;
using namespace plex::testing;

TEST_CASE("what an update does not mention stays known", "[ledger]")
{
    scene s;
    s.heard(news("started", "a")
                .title("Scanning")
                .subtitle("x")
                .progress(3)
                .cancellable(true)
                .user(7)
                .context(R"({"k":1})")
                .response(R"({"r":2})"));
    s.heard(news("updated", "a").type(""));
    activity const a = s.last.at(0).event.activity;
    CHECK(a.type() == "library.update.section");
    CHECK(a.title() == "Scanning");
    CHECK(a.subtitle() == "x");
    CHECK(a.progress() == 3);
    CHECK(a.cancellable());
    CHECK(a.user_id() == 7);
    CHECK(a.context().json() == R"({"k":1})");
    CHECK(a.response().json() == R"({"r":2})");
}

TEST_CASE("the end carries the last state, merged", "[ledger]")
{
    scene s;
    s.heard(news("started", "a").title("Scanning"));
    s.heard(news("updated", "a").context(R"({"librarySectionID":"3"})"));
    s.heard(news("ended", "a").progress(100));
    activity const a = s.last.at(0).event.activity;
    CHECK(a.title() == "Scanning");
    CHECK(a.context().json() == R"({"librarySectionID":"3"})");
    CHECK(a.progress() == 100);
}

TEST_CASE("a Context or Response that is there replaces the known one whole", "[ledger]")
{
    scene s;
    s.heard(news("started", "a").context(R"({"conflicts":true,"k":1})").response(R"({"r":1,"q":2})"));
    s.heard(news("updated", "a").context(R"({"k":1})").response(R"({"r":1})"));
    activity a = s.last.at(0).event.activity;
    CHECK(a.context().json() == R"({"k":1})");
    CHECK(a.response().json() == R"({"r":1})");

    auto too_large = news("updated", "a");
    too_large.context_left_out = true;
    too_large.response_left_out = true;
    s.heard(too_large);
    a = s.last.at(0).event.activity;
    CHECK(a.context().empty());
    CHECK(a.context().left_out());
    CHECK(a.response().left_out());

    s.heard(news("updated", "a").context("{}"));
    a = s.last.at(0).event.activity;
    CHECK(a.context().json() == "{}");
    CHECK_FALSE(a.context().left_out());
    CHECK(a.response().left_out());
}

TEST_CASE("progress -1 is indeterminate and not the same as none sent", "[ledger]")
{
    scene s;
    s.heard(news("started", "a").progress(50));
    CHECK(s.heard(news("updated", "a")) == "updated a 50");
    CHECK(s.heard(news("updated", "a").progress(-1)) == "updated a");
}

TEST_CASE("unknown fields are those of the event", "[ledger]")
{
    scene s;
    s.heard(news("updated", "a").extra(R"({"event":"paused"})"));
    CHECK(s.last.at(0).event.activity.extra().json() == R"({"event":"paused"})");
    s.heard(news("updated", "a"));
    CHECK(s.last.at(0).event.activity.extra().empty());
}

TEST_CASE("an update that changes nothing shares the known record", "[ledger]")
{
    scene s;
    auto const same = news("updated", "a").title("t").progress(-1).context(R"({"k":1})");
    s.heard(same);
    activity const first = s.last.at(0).event.activity;
    s.heard(same);
    CHECK(sync::same_record(first, s.last.at(0).event.activity));
    s.heard(news("updated", "a").title("u"));
    CHECK_FALSE(sync::same_record(first, s.last.at(0).event.activity));
    CHECK(first.title() == "t");
}
