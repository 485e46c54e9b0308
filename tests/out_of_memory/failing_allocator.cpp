#include "failing_allocator.hpp"

#include <atomic>
#include <cstdlib>

namespace {

constinit thread_local std::size_t until_failure = 0; // 0: never
constinit thread_local bool lasting = false;
constinit thread_local bool failed = false;
std::atomic<std::size_t> live{0};

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

} // namespace

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

// All forms but the aligned ones, as a sanitizer that keeps one of its own sees memory come from one kind and go by
// another.
void* operator new(std::size_t size, std::nothrow_t const&) noexcept
{
    return allocate(size);
}
void* operator new(std::size_t size)
{
    if (void* const memory = allocate(size))
        return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size)
{
    return operator new(size);
}
void* operator new[](std::size_t size, std::nothrow_t const&) noexcept
{
    return allocate(size);
}
void operator delete(void* memory) noexcept
{
    release(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    release(memory);
}
void operator delete(void* memory, std::nothrow_t const&) noexcept
{
    release(memory);
}
void operator delete[](void* memory) noexcept
{
    release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept
{
    release(memory);
}
void operator delete[](void* memory, std::nothrow_t const&) noexcept
{
    release(memory);
}
