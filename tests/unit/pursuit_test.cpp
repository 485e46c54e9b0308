#include "catch.hpp"

#include "sync/pursuit.hpp"
#include "sync/wording.hpp"
#include "sync_scene.hpp"

#include <string>

// Which activity a request has started, and how it came out (design: "Operations").

namespace plex::testing {

namespace {

constexpr auto section_3 = R"({"librarySectionID":"3"})";
constexpr auto section_4 = R"({"librarySectionID":"4"})";

filter scan_of_3()
{
    return filter().type("library.update.section").context("librarySectionID", "3");
}

/// A pursuit beside a ledger.
struct chase : scene {
    explicit chase(filter wanted = scan_of_3(), bool or_running = false) : pursuit(terms(std::move(wanted), or_running))
    {
        live();
    }

    static sync::pursuit_terms terms(filter wanted, bool or_running)
    {
        sync::pursuit_terms t;
        t.wanted = std::move(wanted);
        t.or_running = or_running;
        return t;
    }

    void hear(activity_update const& n)
    {
        heard(n);
        tell();
    }
    void tell()
    {
        for (sync::mail const& m : last)
            pursuit.told(m);
        last.clear();
    }
    /// A scan of that section, its Context as late as it is in recordings.
    void starts(std::string_view uuid, std::string_view context = {})
    {
        hear(news("started", uuid));
        if (!context.empty())
            hear(news("updated", uuid).context(context));
    }
    void ends(std::string_view uuid) { hear(news("ended", uuid)); }
    void replied(std::string named = {}) { pursuit.replied(std::move(named), now.steady); }
    void list(std::initializer_list<activity_update> entries, bool polled = false)
    {
        request();
        auto const requested = now.steady;
        reply(entries);
        tell();
        pursuit.listed(requested, polled);
    }
    /// The time to appear is over, and a list has said what runs.
    void too_late(std::initializer_list<activity_update> entries = {}, bool polled = false)
    {
        after(16s);
        list(entries, polled);
    }

    std::string events()
    {
        std::string all;
        while (auto const event = pursuit.take())
            add(all, *event);
        return all;
    }
    std::string outcome()
    {
        auto const& o = pursuit.result();
        if (!o)
            return "open";
        static constexpr char const* names[] = {"ended", "vanished", "not started"};
        std::string text = names[static_cast<int>(o->kind)];
        if (!o->activity.uuid().empty())
            text += ' ' + std::string(o->activity.uuid());
        return text + (o->weak ? " weak" : "");
    }

    sync::pursuit pursuit;
};

} // namespace

TEST_CASE("the activity that the reply names is followed to its end, whatever the filter says", "[pursuit]")
{
    chase c(filter().type("something.else"));
    c.pursuit.sending();
    c.replied("b");
    c.starts("a", section_3);
    c.starts("b");
    c.hear(news("updated", "b").progress(40));
    CHECK(c.outcome() == "open");
    CHECK(c.pursuit.found().uuid() == "b");
    c.ends("a");
    c.ends("b");
    CHECK(c.outcome() == "ended b");
    CHECK(c.events() == "started b, updated b 40, ended b 40");
}

TEST_CASE("an activity that ended before the reply was read is found, by name and by filter", "[pursuit]")
{
    for (bool const named : {true, false}) {
        CAPTURE(named);
        chase c;
        c.pursuit.sending();
        c.starts("a", section_3);
        c.ends("a");
        CHECK(c.outcome() == "open");
        c.replied(named ? "a" : "");
        CHECK(c.outcome() == "ended a");
        CHECK(c.events() == "started a, updated a, ended a");
    }
}

TEST_CASE("what a reply names may run already when the request is sent", "[pursuit]")
{
    chase c;
    c.starts("a");
    c.pursuit.sending();
    SECTION("it goes on")
    {
        c.replied("a");
        c.ends("a");
    }
    SECTION("it ends before the reply is read")
    {
        c.ends("a");
        c.replied("a");
    }
    CHECK(c.outcome() == "ended a");
}

TEST_CASE("without a name, the first that matches and is first seen after the request is taken", "[pursuit]")
{
    chase c;
    c.starts("older", section_3);
    c.pursuit.sending();
    c.starts("other", section_4);
    c.replied();
    c.hear(news("updated", "older").progress(50));
    CHECK(c.pursuit.found().uuid().empty());
    c.starts("mine", section_3);
    c.starts("later", section_3);
    CHECK(c.pursuit.found().uuid() == "mine");
    c.ends("older");
    c.ends("other");
    c.ends("later");
    CHECK(c.outcome() == "open");
    c.ends("mine");
    CHECK(c.outcome() == "ended mine");
}

TEST_CASE("or_running admits one that ran before, but prefers a new one", "[pursuit]")
{
    chase c(scan_of_3(), true);
    c.starts("older", section_3);
    c.pursuit.sending();
    SECTION("older")
    {
        c.replied();
        CHECK(c.pursuit.found().uuid() == "older");
    }
    SECTION("older, ended before the reply")
    {
        c.ends("older");
        c.replied();
        CHECK(c.outcome() == "ended older");
    }
    SECTION("newer")
    {
        c.starts("newer", section_3);
        c.replied();
        CHECK(c.pursuit.found().uuid() == "newer");
    }
}

TEST_CASE("one that ended before the request was sent is nobody's", "[pursuit]")
{
    chase c(scan_of_3(), true);
    c.starts("a", section_3);
    c.ends("a");
    c.pursuit.sending();
    c.replied();
    c.too_late();
    CHECK(c.outcome() == "not started");
}

TEST_CASE("nothing has started only once a list, requested after the time to appear, says so too", "[pursuit]")
{
    for (bool const named : {true, false}) {
        CAPTURE(named);
        chase c;
        c.pursuit.sending();
        c.replied(named ? "x" : "");
        auto const wanted = c.pursuit.list_wanted_at();
        REQUIRE(wanted.has_value());
        CHECK(*wanted - c.now.steady == 15s);
        c.after(14s);
        c.list({});
        CHECK(c.outcome() == "open");
        c.after(1s);
        CHECK(c.outcome() == "open");
        c.list({});
        CHECK(c.outcome() == "not started");
        CHECK_FALSE(c.pursuit.list_wanted_at().has_value());
    }
}

TEST_CASE("that list may show it after all", "[pursuit]")
{
    for (bool const named : {true, false}) {
        CAPTURE(named);
        chase c;
        c.pursuit.sending();
        c.replied(named ? "x" : "");
        c.too_late({news("x").context(section_3)});
        CHECK(c.outcome() == "open");
        CHECK(c.pursuit.found().uuid() == "x");
        CHECK(c.events() == "started? x");
    }
}

TEST_CASE("the message of not_started names the filter and what runs", "[pursuit]")
{
    chase c;
    c.starts("a", section_4);
    c.starts("b", section_4);
    c.hear(news("started", "c").type("media.download"));
    c.pursuit.sending();
    c.replied();
    c.too_late({news("a"), news("b"), news("c").type("media.download")});
    REQUIRE(c.pursuit.result().has_value());
    CHECK(c.pursuit.result()->message ==
          "nothing that matches type library.update.section with librarySectionID=3 has appeared; running: "
          "library.update.section (2), media.download");
}

TEST_CASE("with neither name nor filter it says so at once", "[pursuit]")
{
    chase c{filter()};
    c.starts("a", section_3);
    c.pursuit.sending();
    c.starts("b", section_3);
    c.replied();
    CHECK(c.outcome() == "not started");
    CHECK(c.pursuit.result()->message == "the reply names no activity, and the request has no filter to find one by");
}

TEST_CASE("a match whose Context never came is weak, and taken only when the time is over", "[pursuit]")
{
    chase c;
    c.pursuit.sending();
    c.replied();
    c.starts("a");
    c.ends("a");
    CHECK(c.outcome() == "open");
    SECTION("nothing better came")
    {
        c.too_late();
        CHECK(c.outcome() == "ended a weak");
        CHECK(c.events() == "started a, ended a");
    }
    SECTION("a better one came")
    {
        c.starts("b", section_3);
        c.ends("b");
        CHECK(c.outcome() == "ended b");
    }
}

TEST_CASE("one whose Context may still come is waited for beyond the time to appear", "[pursuit]")
{
    chase c;
    c.pursuit.sending();
    c.replied();
    c.starts("a");
    c.too_late({news("a")});
    CHECK(c.outcome() == "open");
    SECTION("it is the one")
    {
        c.hear(news("updated", "a").context(section_3));
        CHECK(c.pursuit.found().uuid() == "a");
    }
    SECTION("it is not")
    {
        c.hear(news("updated", "a").context(section_4));
        CHECK(c.outcome() == "not started");
    }
    SECTION("it ends without")
    {
        c.ends("a");
        CHECK(c.outcome() == "ended a weak");
    }
    SECTION("another such comes too late to be waited for")
    {
        c.starts("b");
        c.hear(news("updated", "a").context(section_4));
        CHECK(c.outcome() == "not started");
    }
    SECTION("a true match is taken even so")
    {
        c.starts("b", section_3);
        CHECK(c.pursuit.found().uuid() == "b");
    }
}

TEST_CASE("an end that is inferred is vanished", "[pursuit]")
{
    chase c;
    c.pursuit.sending();
    c.starts("a", section_3);
    c.replied();
    c.ledger.disconnected();
    c.pursuit.interrupted();
    c.after(10s);
    c.snapshot({});
    c.tell();
    CHECK(c.outcome() == "vanished a");
}

TEST_CASE("what was named and not seen has vanished where the feed was lost or is polled", "[pursuit]")
{
    chase c;
    bool const polled = GENERATE(true, false);
    c.pursuit.interrupted(); // before it was sent: no matter
    c.pursuit.sending();
    c.replied("x");
    SECTION("no gap")
    {
        c.too_late({}, polled);
        CHECK(c.outcome() == (polled ? "vanished" : "not started"));
    }
    SECTION("a gap")
    {
        c.pursuit.interrupted();
        c.too_late({}, polled);
        CHECK(c.outcome() == "vanished");
    }
}

TEST_CASE("of ends before the reply only so many are remembered, the latest", "[pursuit]")
{
    sync::pursuit_terms t = chase::terms(filter(), false);
    t.remembered_ends = 3;
    chase c;
    c.pursuit = sync::pursuit(t);
    c.pursuit.sending();
    for (std::string const uuid : {"a", "b", "c", "d", "e"}) {
        c.starts(uuid);
        c.ends(uuid);
    }
    SECTION("forgotten")
    {
        c.replied("b");
        CHECK(c.outcome() == "open");
    }
    SECTION("remembered")
    {
        c.replied("c");
        CHECK(c.outcome() == "ended c");
    }
}

TEST_CASE(
    "of older lives whose end was inferred only so many are remembered: what goes on of the others is taken for new",
    "[pursuit]")
{
    sync::pursuit_terms t = chase::terms(scan_of_3(), false);
    t.remembered_ends = 2;
    chase c;
    c.pursuit = sync::pursuit(t);
    for (char const* const uuid : {"a", "b", "c"})
        c.starts(uuid, section_3);
    c.ledger.disconnected();
    c.after(10s);
    c.snapshot({});
    c.tell();
    c.pursuit.sending();
    c.replied();
    SECTION("remembered")
    {
        for (char const* const uuid : {"b", "c"})
            c.hear(news("updated", uuid).context(section_3)); // it had not ended
        c.hear(news("ended", "b"));
        CHECK(c.outcome() == "open");
    }
    SECTION("forgotten")
    {
        c.hear(news("updated", "a").context(section_3));
        c.hear(news("ended", "a"));
        CHECK(c.outcome() == "ended a");
    }
}

TEST_CASE("updates of an operation are conflated for a slow reader", "[pursuit]")
{
    sync::pursuit_terms t = chase::terms(scan_of_3(), false);
    t.limits.conflate_after = 4;
    chase c;
    c.pursuit = sync::pursuit(t);
    c.pursuit.sending();
    c.starts("a", section_3);
    c.replied();
    for (int progress = 1; progress <= 50; ++progress)
        c.hear(news("updated", "a").progress(progress));
    c.ends("a");
    CHECK(c.events() == "started a, updated a 50, ended a 50");
}

TEST_CASE("what is awaited is said", "[pursuit]")
{
    chase c;
    c.pursuit.sending();
    CHECK(c.pursuit.awaited() == "type library.update.section with librarySectionID=3 to appear");
    c.replied("x");
    CHECK(c.pursuit.awaited() == "the activity x to appear");
    c.starts("x");
    CHECK(c.pursuit.awaited() == "the end of library.update.section x");
    CHECK(sync::describe(filter()) == "any activity");
    CHECK(sync::describe(filter().type("a").type("b.").uuid("u")) == "type a or b. with uuid u");
}

} // namespace plex::testing
