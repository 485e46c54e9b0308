// Schedules that the random model has found, as scenes: what the ledger tells of them reaches a pursuit or an idleness.

#include "catch.hpp"
#include "sync/idleness.hpp"
#include "sync/pursuit.hpp"
#include "sync_scene.hpp"

using namespace plex;
using namespace plex::testing;

namespace {

constexpr std::string_view section_1 = R"({"librarySectionID":"1"})";
constexpr std::string_view section_2 = R"({"librarySectionID":"2"})";

filter scan_of_1()
{
    return filter().type("library.update.section").context("librarySectionID", "1");
}

/// Tells on what the ledger told last.
template <class Onlooker, class... Time>
void pass_on(scene const& s, Onlooker& to, Time... now)
{
    for (sync::mail const& m : s.last)
        to.told(m, now...);
}

sync::pursuit pursuit_of(filter wanted)
{
    sync::pursuit_terms terms;
    terms.wanted = std::move(wanted);
    return sync::pursuit(std::move(terms));
}

} // namespace

TEST_CASE("what ran before the request is not new when it goes on after its end was concluded", "[pursuit]")
{
    scene s;
    auto p = pursuit_of(scan_of_1());
    s.heard(news("started", "a").context(section_1));
    pass_on(s, p);

    SECTION("the end is concluded after the send")
    {
        p.sending();
        p.replied("", s.now.steady);
    }
    s.ledger.disconnected();
    p.interrupted();
    s.after(10s);
    CHECK(s.snapshot({}) == "ended? a");
    pass_on(s, p);
    SECTION("the end is concluded before the send")
    {
        p.sending();
        p.replied("", s.now.steady);
    }
    CHECK(s.heard(news("updated", "a").progress(50)) == "started? a 50");
    pass_on(s, p);
    CHECK(p.found().uuid().empty());

    s.heard(news("started", "b").context(section_1));
    pass_on(s, p);
    CHECK(p.found().uuid() == "b");
}

TEST_CASE("a uuid that the server gives again is new, though its last bearer's end was concluded", "[pursuit]")
{
    scene s;
    auto p = pursuit_of(scan_of_1());
    s.heard(news("started", "a").context(section_1));
    pass_on(s, p);
    s.ledger.disconnected();
    s.after(10s);
    s.snapshot({});
    pass_on(s, p);
    s.heard(news("ended", "a")); // late
    s.after(1s);
    s.snapshot({});
    p.sending();
    p.replied("", s.now.steady);
    CHECK(s.heard(news("started", "a").context(section_1)) == "started a");
    pass_on(s, p);
    CHECK(p.found().uuid() == "a");
}

TEST_CASE("an end that brings the Context is the end of what was waited for", "[idleness]")
{
    scene s;
    s.live();
    sync::idleness i(scan_of_1(), 3s);
    i.listed(s.now.steady, s.now.steady);
    s.heard(news("started", "a"));
    pass_on(s, i, s.now.steady);
    s.after(1min); // it is no longer taken for busy
    s.heard(news("ended", "a").context(section_1));
    pass_on(s, i, s.now.steady);
    CHECK(i.quiet_at() == s.now.steady + 3s);

    SECTION("another library's is not")
    {
        s.after(1min);
        s.heard(news("started", "b"));
        pass_on(s, i, s.now.steady);
        s.after(1min);
        auto const before = i.quiet_at();
        s.heard(news("ended", "b").context(section_2));
        pass_on(s, i, s.now.steady);
        CHECK(i.quiet_at() == before);
    }
}
