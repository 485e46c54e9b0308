#include "catch.hpp"

#include "sync/idleness.hpp"
#include "sync_scene.hpp"

#include <string>

// Whether nothing that matches has run for long enough (design: "Operations", wait_until_idle).

namespace plex::testing {

namespace {

constexpr auto section_3 = R"({"librarySectionID":"3"})";
constexpr auto section_4 = R"({"librarySectionID":"4"})";

struct quiet_watch : scene {
    explicit quiet_watch(filter wanted, std::chrono::steady_clock::duration quiet = 5s)
        : idleness(std::move(wanted), quiet)
    {
        live();
    }

    void hear(activity_update const& n)
    {
        heard(n);
        tell();
    }
    void tell()
    {
        for (sync::mail const& m : last)
            idleness.told(m, now.steady);
        last.clear();
    }
    void list(std::initializer_list<activity_update> entries = {})
    {
        request();
        auto const requested = now.steady;
        reply(entries);
        tell();
        idleness.listed(requested, now.steady);
    }
    /// Seconds until it is quiet for long enough; -1 while that cannot be said.
    int left() const
    {
        auto const at = idleness.quiet_at();
        return at ? static_cast<int>(std::chrono::ceil<std::chrono::seconds>(*at - now.steady).count()) : -1;
    }

    sync::idleness idleness;
};

filter scans()
{
    return filter().type("library.update.section");
}

filter scans_of_3()
{
    return scans().context("librarySectionID", "3");
}

} // namespace

TEST_CASE("it is idle when nothing ran for the quiet time and a list agrees", "[idleness]")
{
    quiet_watch w(scans());
    CHECK(w.left() == -1); // what runs is not known
    w.list();
    CHECK(w.left() == 5);
    w.after(4s);
    w.list();
    CHECK_FALSE(w.idleness.reached());
    w.after(1s);
    CHECK_FALSE(w.idleness.reached());
    w.list();
    CHECK(w.idleness.reached());
}

TEST_CASE("what runs keeps it waiting, and the quiet time begins at the last end", "[idleness]")
{
    quiet_watch w(scans());
    w.list({news("a")});
    CHECK(w.left() == -1);
    w.after(60s);
    w.hear(news("started", "b"));
    w.hear(news("ended", "a"));
    CHECK(w.left() == -1);
    w.after(3s);
    w.hear(news("ended", "b"));
    CHECK(w.left() == 5);
    w.after(3s);
    w.hear(news("started", "queued")); // between two queued scans there is a moment without any
    CHECK(w.left() == -1);
    w.after(3s);
    w.hear(news("ended", "queued"));
    CHECK(w.left() == 5);
}

TEST_CASE("a list that shows what the feed did not tell keeps it waiting", "[idleness]")
{
    quiet_watch w(scans());
    w.list();
    w.after(5s);
    w.list({news("a")});
    CHECK_FALSE(w.idleness.reached());
    CHECK(w.left() == -1);
}

TEST_CASE("other types, and another library's scan, are no reason to wait", "[idleness]")
{
    quiet_watch w(scans_of_3());
    w.list();
    w.after(2s);
    w.hear(news("started", "a").type("media.download"));
    w.hear(news("started", "b").context(section_4));
    CHECK(w.left() == 3);
    w.hear(news("ended", "a"));
    w.hear(news("ended", "b"));
    CHECK(w.left() == 3);
}

TEST_CASE("what may match counts as running for five seconds", "[idleness]")
{
    quiet_watch w(scans_of_3(), 2s);
    w.list();
    w.after(10s);
    w.hear(news("started", "a"));
    CHECK(w.left() == 7);
    SECTION("its Context says yes")
    {
        w.hear(news("updated", "a").context(section_3));
        CHECK(w.left() == -1);
        w.hear(news("updated", "a").context(section_4)); // a filter's yes is sticky
        CHECK(w.left() == -1);
        w.hear(news("ended", "a"));
        CHECK(w.left() == 2);
    }
    SECTION("its Context says no")
    {
        w.after(1s);
        w.hear(news("updated", "a").context(section_4));
        CHECK(w.left() == 2);
    }
    SECTION("its Context never comes")
    {
        w.after(20s);
        CHECK(w.left() == -13);
        w.list({news("a")});
        CHECK(w.idleness.reached());
    }
    SECTION("it ends without, long after")
    {
        w.after(20s);
        w.hear(news("ended", "a"));
        CHECK(w.left() == -13);
    }
    SECTION("its Context comes late")
    {
        w.after(20s);
        w.hear(news("updated", "a").context(section_3));
        CHECK(w.left() == -1);
    }
}

TEST_CASE("time without a feed is not quiet", "[idleness]")
{
    quiet_watch w(scans());
    w.list();
    w.after(4s);
    w.idleness.interrupted();
    w.ledger.disconnected();
    CHECK(w.left() == -1);
    w.after(60s);
    w.list();
    CHECK_FALSE(w.idleness.reached());
    CHECK(w.left() == 5);
}

TEST_CASE("a quiet time of nothing still takes a list, and one without end never comes", "[idleness]")
{
    quiet_watch none(scans(), 0s);
    none.list();
    CHECK(none.left() == 0);
    CHECK_FALSE(none.idleness.reached());
    none.list();
    CHECK(none.idleness.reached());

    quiet_watch for_ever(scans(), std::chrono::steady_clock::duration::max());
    for_ever.list();
    for_ever.after(1h);
    for_ever.list();
    CHECK_FALSE(for_ever.idleness.reached());
}

TEST_CASE("what keeps it waiting is said, without titles", "[idleness]")
{
    quiet_watch w(scans());
    CHECK(w.idleness.awaited() == "the feed to be live");
    w.list({news("a").title("Secret"), news("b")});
    CHECK(w.idleness.awaited() == "the end of library.update.section (2)");
    w.hear(news("ended", "a"));
    w.hear(news("ended", "b"));
    CHECK(w.idleness.awaited() == "the quiet time to pass");
}

} // namespace plex::testing
