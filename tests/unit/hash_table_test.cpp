#include "catch.hpp"

#include "sync/hash_table.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace plex;

namespace {

constexpr sync::hash_key some_key{0x0123456789abcdefU, 0xfedcba9876543210U};
constexpr sync::hash_key other_key{0x13198a2e03707344U, 0x243f6a8885a308d3U};

} // namespace

TEST_CASE("uuids that differ in their last digits alone do not collide", "[hash_table]")
{
    std::vector<std::size_t> buckets(4096);
    for (int i = 0; i < 4096; ++i) {
        std::string id = "7c9e6679-7425-40de-944b-e07fc1f90000";
        for (int digit = 0, rest = i; digit < 3; ++digit, rest /= 16)
            id[id.size() - 1 - static_cast<std::size_t>(digit)] = "0123456789abcdef"[rest % 16];
        ++buckets[sync::hash_of(id, some_key) % buckets.size()];
    }
    CHECK(*std::max_element(buckets.begin(), buckets.end()) < 12);
    auto const differ = [](std::string_view a, std::string_view b) {
        return sync::hash_of(a, some_key) != sync::hash_of(b, some_key);
    };
    CHECK(differ("a", "b"));
    CHECK(differ("", std::string_view("\0", 1)));
    CHECK(differ("aaaaaaaabbbbbbbb", "bbbbbbbbaaaaaaaa"));
    CHECK(differ("aaaaaaaabbbbbbbbc", "bbbbbbbbaaaaaaaac"));
    CHECK(differ("aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb", "bbbbbbbbbbbbbbbbaaaaaaaaaaaaaaaa"));
}

TEST_CASE("what collides under one key does not under another, which nobody else knows", "[hash_table]")
{
    constexpr std::size_t buckets = 4096;
    // Of every length that is hashed in another way.
    for (std::size_t const length : {7u, 12u, 16u, 20u, 36u}) {
        std::vector<std::size_t> elsewhere(buckets);
        std::size_t chosen = 0;
        for (int i = 0; chosen != 64; ++i) {
            std::string id = std::to_string(i);
            id.insert(0, length - id.size(), 'x');
            if (sync::hash_of(id, some_key) % buckets != 0)
                continue;
            ++chosen;
            ++elsewhere[sync::hash_of(id, other_key) % buckets];
        }
        INFO(length);
        CHECK(*std::max_element(elsewhere.begin(), elsewhere.end()) < 6);
    }
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
