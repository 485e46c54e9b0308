#include "catch.hpp"

#include "sync/wording.hpp"

#include <plex/activity.hpp>
#include <plex/error.hpp>

namespace plex::sync {

TEST_CASE("what runs is told by its types, at most 16 of them", "[wording]")
{
    std::map<std::string, int> types{{"a", 1}, {"b", 3}};
    CHECK(describe(types) == "a, b (3)");
    types.clear();
    for (char c = 'a'; c != 'q'; ++c)
        types[std::string(1, c)] = 1;
    CHECK(describe(types) == "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p");
    types["q"] = 1;
    CHECK(describe(types) == "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p and others");
}

TEST_CASE("names of the server's are told on one line, and not at length", "[wording]")
{
    CHECK(shown("a\nb\x1b[31m") == "a b[31m");
    CHECK(shown(std::string(300, 'x')) == std::string(256, 'x'));
    CHECK(describe(std::map<std::string, int>{{"t\r\nforged", 1}}) == "t  forged");
    CHECK(describe(filter().type("t\nx").context("k\n", "v\x1b")) == "type t x with k =v");
}

TEST_CASE("what is no value of an enumeration has a name all the same", "[wording]")
{
    CHECK(plex::to_string(static_cast<event_kind>(99)) == "unknown");
    CHECK(make_error_code(static_cast<errc>(999)).message() == "unknown error");
}

} // namespace plex::sync
