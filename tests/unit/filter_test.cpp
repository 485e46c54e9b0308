#include "catch.hpp"
#include "sync_scene.hpp"

#include "sync/filter_match.hpp"
#include "sync/merge.hpp"

#include <string>

using namespace plex;
using namespace plex::testing;
using sync::answer;
using sync::match;

namespace Catch {
template <>
struct StringMaker<answer> {
    static std::string convert(answer a) { return a == answer::yes ? "yes" : a == answer::no ? "no" : "not yet known"; }
};
} // namespace Catch

namespace {

activity seen(news const& n)
{
    return sync::merge({}, n, true);
}

activity seen_with(std::string_view context)
{
    return seen(news("updated", "a").context(context));
}

activity of_type(std::string_view type)
{
    return seen(news("updated", "a").type(type));
}

} // namespace

TEST_CASE("an empty filter matches all", "[filter]")
{
    CHECK(match(filter(), of_type("butler")) == answer::yes);
}

TEST_CASE("a type matches whole, or by prefix when it ends with a dot", "[filter]")
{
    auto const exact = filter().type("library.update");
    CHECK(match(exact, of_type("library.update")) == answer::yes);
    CHECK(match(exact, of_type("library.update.section")) == answer::no);
    CHECK(match(exact, of_type("library")) == answer::no);
    auto const prefix = filter().type("library.");
    CHECK(match(prefix, of_type("library.update.section")) == answer::yes);
    CHECK(match(prefix, of_type("library")) == answer::no);
    CHECK(match(prefix, of_type("media.library.")) == answer::no);
}

TEST_CASE("an empty type is that of an activity without one", "[filter]")
{
    CHECK(match(filter().type(""), seen(news("started", "a").type(""))) == answer::yes);
    CHECK(match(filter().type(""), seen(news("started", "a").type("library.update.section"))) == answer::no);
}

TEST_CASE("one of several types or uuids is enough, and both kinds must match", "[filter]")
{
    auto const f = filter().type("butler").type("media.").uuid("a").uuid("b");
    CHECK(match(f, seen(news("updated", "a").type("media.optimize"))) == answer::yes);
    CHECK(match(f, seen(news("updated", "b").type("butler"))) == answer::yes);
    CHECK(match(f, seen(news("updated", "c").type("butler"))) == answer::no);
    CHECK(match(f, seen(news("updated", "a").type("library.optimize"))) == answer::no);
    CHECK(match(filter().uuid("a"), seen(news("updated", "A"))) == answer::no);
}

TEST_CASE("a Context member is compared as text", "[filter]")
{
    auto const f = filter().context("librarySectionID", "3");
    CHECK(match(f, seen_with(R"({"librarySectionID":"3"})")) == answer::yes);
    CHECK(match(f, seen_with(R"({"librarySectionID":3})")) == answer::yes);
    CHECK(match(f, seen_with(R"({"librarySectionID":"30"})")) == answer::no);
    CHECK(match(filter().context("exists", "true"), seen_with(R"({"exists":true})")) == answer::yes);
}

TEST_CASE("a Context, or a key in it, that has not come is not yet known", "[filter]")
{
    auto const f = filter().context("librarySectionID", "3");
    CHECK(match(f, of_type("library.update.section")) == answer::not_yet_known);
    CHECK(match(f, seen_with("{}")) == answer::not_yet_known);
    CHECK(match(f, seen_with(R"({"key":"/x"})")) == answer::not_yet_known);
    CHECK(match(f, seen_with(R"({"librarySectionID":null})")) == answer::not_yet_known);
    auto too_large = news("updated", "a");
    too_large.context_left_out = true;
    CHECK(match(f, seen(too_large)) == answer::not_yet_known);
}

TEST_CASE("every Context pair must match, and one that differs decides at once", "[filter]")
{
    auto const f = filter().context("a", "1").context("b", "2");
    CHECK(match(f, seen_with(R"({"a":1,"b":2})")) == answer::yes);
    CHECK(match(f, seen_with(R"({"a":1})")) == answer::not_yet_known);
    CHECK(match(f, seen_with(R"({"b":3})")) == answer::no);
    CHECK(match(f, seen_with(R"({"a":3})")) == answer::no);
    CHECK(match(f, seen_with(R"({"a":1,"b":3})")) == answer::no);
}

TEST_CASE("a type or uuid that differs decides without a Context", "[filter]")
{
    CHECK(match(filter().type("butler").context("a", "1"), of_type("media.optimize")) == answer::no);
    CHECK(match(filter().uuid("z").context("a", "1"), of_type("media.optimize")) == answer::no);
}

// ---- what a subscriber with a filter hears

namespace {

struct subscriber : scene {
    sync::mailbox box;
    explicit subscriber(filter f) : box(std::move(f)) {}

    std::string hears(activity_update const& n)
    {
        heard(n);
        for (auto const& m : last)
            box.post(m);
        return drained(box);
    }
};

char const* const section_3 = R"({"librarySectionID":"3"})";
char const* const section_4 = R"({"librarySectionID":"4"})";

} // namespace

TEST_CASE("a subscriber hears the server's own start when its filter says yes at once", "[filter]")
{
    subscriber s(filter().type("library."));
    CHECK(s.hears(news("started", "other").type("butler")) == "");
    CHECK(s.hears(news("started", "a").progress(0)) == "started a 0");
    CHECK(s.hears(news("updated", "other").type("butler")) == "");
    CHECK(s.hears(news("updated", "a")) == "updated a 0");
    CHECK(s.hears(news("ended", "a")) == "ended a 0");
    CHECK(s.hears(news("ended", "other").type("butler")) == "");
}

TEST_CASE("a life is told from the first event on which the filter says yes, as started, inferred", "[filter]")
{
    subscriber s(filter().context("librarySectionID", "3"));
    CHECK(s.hears(news("started", "a").progress(0)) == "");
    CHECK(s.hears(news("updated", "a").progress(1)) == "");
    CHECK(s.hears(news("updated", "a").progress(2).context(section_3)) == "started? a 2");
    CHECK(s.hears(news("updated", "a").progress(3)) == "updated a 3");
    CHECK(s.hears(news("ended", "a")) == "ended a 3");
}

TEST_CASE("a yes holds until the end, whatever the Context says later", "[filter]")
{
    subscriber s(filter().context("librarySectionID", "3"));
    CHECK(s.hears(news("started", "a").context(section_3)) == "started a");
    CHECK(s.hears(news("updated", "a").context(section_4)) == "updated a");
    CHECK(s.hears(news("ended", "a").context(section_4)) == "ended a");
}

TEST_CASE("a no can still become a yes", "[filter]")
{
    subscriber s(filter().context("librarySectionID", "3"));
    CHECK(s.hears(news("started", "a").context(section_4)) == "");
    CHECK(s.hears(news("updated", "a").context(section_3)) == "started? a");
}

TEST_CASE("a life that ends undecided is not told", "[filter]")
{
    subscriber s(filter().context("librarySectionID", "3"));
    CHECK(s.hears(news("started", "a")) == "");
    CHECK(s.hears(news("ended", "a")) == "");
}

TEST_CASE("a filter that says yes on the end tells a whole life", "[filter]")
{
    subscriber s(filter().context("librarySectionID", "3"));
    CHECK(s.hears(news("started", "a")) == "");
    CHECK(s.hears(news("ended", "a").context(section_3)) == "started? a, ended a");
}

TEST_CASE("a yes to one life is none to the next of the same uuid", "[filter]")
{
    subscriber s(filter().context("librarySectionID", "3"));
    s.hears(news("started", "a").context(section_3));
    s.ledger.disconnected();
    s.after(10s);
    s.snapshot({});
    for (auto const& m : s.last)
        s.box.post(m);
    REQUIRE(drained(s.box) == "ended? a");
    CHECK(s.hears(news("updated", "a").context(section_4)) == "");
    CHECK(s.hears(news("ended", "a")) == "");
}
