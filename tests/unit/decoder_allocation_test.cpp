#include "catch.hpp"

#include "decoding.hpp"
#include "replaced_new.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

namespace {
std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> held{0}; // bytes
} // namespace

namespace plex::test {

// Counts what the whole program allocates.
void* allocate(std::size_t size) noexcept
{
    ++allocations;
    void* const memory = std::malloc(size != 0 ? size : 1);
    held += memory ? ::malloc_usable_size(memory) : 0;
    return memory;
}

void release(void* memory) noexcept
{
    held -= memory ? ::malloc_usable_size(memory) : 0;
    std::free(memory);
}

} // namespace plex::test

namespace plex::testing {

TEST_CASE("once warm a decoder allocates nothing", "[decoder]")
{
    std::string const broken = "{\"ActivityNotification\":[{\"title\":\"\\ud800\xe9\"}";
    std::string const repaired = with_members("\"title\":\"caf\xe9\",\"subtitle\":\"\\udc00 long enough to allocate\"");
    std::string const list =
        R"({"MediaContainer":{"Activity":[{"uuid":"a","x":1},{"uuid":"b","Context":{"k":"\n"}}]}})";
    protocol::decoder d;
    std::vector<char> bytes(full_message.size() + list.size() + 64);
    std::size_t updates = 0;
    auto const run = [&](std::string const& text, bool as_list) {
        std::copy(text.begin(), text.end(), bytes.begin());
        std::span<char> const message(bytes.data(), text.size());
        if (as_list)
            d.list(message);
        else
            d.notification(message);
        updates += d.updates().size();
    };
    auto const run_all = [&] {
        run(full_message, false);
        run(list, true);
        run(repaired, false);
        run(broken, false);
    };
    run_all();
    auto const before = allocations.load();
    for (int i = 0; i != 10; ++i)
        run_all();
    auto const after = allocations.load();
    CHECK(updates == 11 * 4);
    CHECK(after == before);
}

TEST_CASE("a large list's memory does not stay for small messages", "[decoder]")
{
    protocol::decoder d;
    std::string message = full_message + std::string(16, ' ');
    std::span<char> const small(message.data(), full_message.size());
    std::string entries;
    for (int i = 0; i != 5'000; ++i)
        entries += R"({"uuid":"u)" + std::to_string(i) + R"(","title":")" + std::string(200, 'x') + "\"},";
    std::string list = R"({"MediaContainer":{"Activity":[)" + entries + R"({"uuid":"last"})" + "]}}";
    std::size_t const list_size = list.size();
    list.append(16, ' ');
    auto const before = held.load();
    d.list(std::span<char>(list.data(), list_size));
    CHECK(d.updates().size() == 5'001);
    CHECK(held.load() - before > 500'000);
    d.notification(small);
    CHECK(d.updates().size() == 1);
    CHECK(held.load() - before < 16'000);
}

} // namespace plex::testing
