#include "catch.hpp"

#include "sync/hash_table.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace plex;

TEST_CASE("uuids that differ in their last digits alone do not collide", "[hash_table]")
{
    std::vector<std::size_t> buckets(4096);
    for (int i = 0; i < 4096; ++i) {
        std::string id = "7c9e6679-7425-40de-944b-e07fc1f90000";
        for (int digit = 0, rest = i; digit < 3; ++digit, rest /= 16)
            id[id.size() - 1 - static_cast<std::size_t>(digit)] = "0123456789abcdef"[rest % 16];
        ++buckets[sync::hash_of(id) % buckets.size()];
    }
    CHECK(*std::max_element(buckets.begin(), buckets.end()) < 12);
    CHECK(sync::hash_of("a") != sync::hash_of("b"));
    CHECK(sync::hash_of("") != sync::hash_of(std::string_view("\0", 1)));
    CHECK(sync::hash_of("aaaaaaaabbbbbbbb") != sync::hash_of("bbbbbbbbaaaaaaaa"));
}

TEST_CASE("a table keeps what it was given through growth and removal", "[hash_table]")
{
    sync::hash_table<int> table;
    CHECK(table.find(1) == nullptr);
    // Few distinct homes, so that runs are long and wrap around.
    for (int i = 0; i < 500; ++i)
        table.insert(static_cast<std::uint64_t>(i % 50), i);
    for (int i = 0; i < 500; i += 3)
        table.erase(table.find(static_cast<std::uint64_t>(i % 50), [&](int v) { return v == i; }));
    for (int i = 0; i < 500; ++i) {
        auto const* const found = table.find(static_cast<std::uint64_t>(i % 50), [&](int v) { return v == i; });
        CHECK((found != nullptr) == (i % 3 != 0));
    }
    CHECK(table.size() == 333);
}
