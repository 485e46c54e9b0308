#include "failing_allocator.hpp"

#include "replaced_new.hpp"

#include <atomic>
#include <cstdlib>

namespace {

constinit thread_local std::size_t until_failure = 0; // 0: never
constinit thread_local bool lasting = false;
constinit thread_local bool failed = false;
std::atomic<std::size_t> live{0};

} // namespace

namespace plex::test {

void* allocate(std::size_t size) noexcept
{
    if (until_failure != 0 && --until_failure == 0) {
        failed = true;
        if (lasting)
            until_failure = 1;
        return nullptr;
    }
    void* const memory = std::malloc(size != 0 ? size : 1);
    live += memory ? 1 : 0;
    return memory;
}

void release(void* memory) noexcept
{
    live -= memory ? 1 : 0;
    std::free(memory);
}

} // namespace plex::test

namespace plex::testing {

void fail_allocation(std::size_t n, bool and_all_that_follow) noexcept
{
    until_failure = n;
    lasting = and_all_that_follow;
    if (n != 0)
        failed = false;
}

bool allocation_failed() noexcept
{
    return failed;
}

std::size_t live_allocations() noexcept
{
    return live;
}

} // namespace plex::testing
