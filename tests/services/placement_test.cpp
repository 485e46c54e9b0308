#include "relay/placement.hpp"

#include "catch.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

using plex::relay::followers_of;

namespace {

std::vector<std::string> const four = {"a.1.11", "b.1.12", "c.1.13", "d.1.14"};

} // namespace

TEST_CASE("servers are spread evenly over the relays, and one that goes moves no server of the others")
{
    std::vector<std::string> const three = {four[0], four[1], four[2]};
    std::map<std::string, int> with_four;
    for (int i = 0; i != 1'000; ++i) {
        std::string const server = "server " + std::to_string(i);
        std::string const before = followers_of(server, four, 1).front();
        std::string const after = followers_of(server, three, 1).front();
        ++with_four[before];
        CHECK((before == after || before == four[3]));
    }
    for (std::string const& relay : four) {
        CHECK(with_four[relay] > 200);
        CHECK(with_four[relay] < 300);
    }
}

TEST_CASE("each relay finds the same followers, in whatever order it knows the relays")
{
    std::vector<std::string> reversed(four.rbegin(), four.rend());
    for (int i = 0; i != 100; ++i) {
        std::string const server = std::to_string(i);
        std::vector<std::string> const two = followers_of(server, four, 2);
        CHECK(two == followers_of(server, reversed, 2));
        CHECK(two.size() == 2);
        CHECK(two[0] != two[1]);
        CHECK(two[0] == followers_of(server, four, 1).front());
    }
}

TEST_CASE("of fewer relays than followers all follow, and of none nobody")
{
    CHECK(followers_of("s", {"a"}, 2) == std::vector<std::string>{"a"});
    CHECK(followers_of("s", {}, 2).empty());
}
