#include "failing_allocator.hpp"

#include "replaced_new.hpp"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <utility>

namespace {

constinit thread_local std::size_t until_failure = 0; // 0: never
constinit thread_local std::size_t failures = 0;
constinit thread_local std::size_t made = 0;
constinit thread_local bool failed = false;
constinit thread_local bool is_spared = false;
std::atomic<std::size_t> live{0};

} // namespace

namespace plex::test {

void* allocate(std::size_t size) noexcept
{
    made += is_spared ? 0 : 1;
    bool const is_one_less = !is_spared && until_failure != 0;
    until_failure -= is_one_less ? 1 : 0;
    if (is_one_less && until_failure == 0) {
        failed = true;
        --failures;
        until_failure = failures != 0 ? 1 : 0;
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
    fail_allocations(n, and_all_that_follow ? std::numeric_limits<std::size_t>::max() : 1);
}

void fail_allocations(std::size_t n, std::size_t count) noexcept
{
    until_failure = n;
    failures = count;
    if (n != 0)
        failed = false;
    made = 0;
}

std::size_t allocations() noexcept
{
    return made;
}

spared::spared() noexcept : before_(std::exchange(is_spared, true)) {}

spared::~spared()
{
    is_spared = before_;
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
