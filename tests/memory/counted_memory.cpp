#include "counted_memory.hpp"

#include "replaced_new.hpp"

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

#include <malloc.h>

namespace {

std::atomic<std::size_t> held{0};
std::atomic<std::size_t> most{0};

void* count(void* memory) noexcept
{
    if (!memory)
        return nullptr;
    std::size_t const now = held += malloc_usable_size(memory);
    std::size_t before = most.load();
    while (before < now && !most.compare_exchange_weak(before, now))
        ;
    return memory;
}

} // namespace

namespace plex::test {

void* allocate(std::size_t size) noexcept
{
    return count(std::malloc(size != 0 ? size : 1));
}

void release(void* memory) noexcept
{
    if (memory)
        held -= malloc_usable_size(memory);
    std::free(memory);
}

} // namespace plex::test

// The aligned ones too, which some of what is held is made by.
void* operator new(std::size_t size, std::align_val_t alignment)
{
    auto const to = static_cast<std::size_t>(alignment);
    if (void* const memory = count(std::aligned_alloc(to, (size + to - 1) / to * to)))
        return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t size, std::align_val_t alignment)
{
    return operator new(size, alignment);
}
void operator delete(void* memory, std::align_val_t) noexcept
{
    plex::test::release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept
{
    plex::test::release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept
{
    plex::test::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept
{
    plex::test::release(memory);
}

namespace plex::test {

std::size_t held_bytes() noexcept
{
    return held;
}

std::size_t most_held_bytes() noexcept
{
    return most.exchange(held.load());
}

static std::size_t status_bytes(std::string const& field)
{
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == field) {
            std::size_t kib = 0;
            status >> kib;
            return kib << 10;
        }
    return 0;
}

std::size_t resident_bytes()
{
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << 5; // the most is what it is now
    return status_bytes("VmRSS:");
}

std::size_t most_resident_bytes()
{
    return status_bytes("VmHWM:");
}

} // namespace plex::test
