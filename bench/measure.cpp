#include "measure.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <new>
#include <string>

namespace plex::bench {
namespace {

// No locked increment: it would be a part of what is measured. Two threads may lose a count; the programs have one.
std::atomic<std::uint64_t> allocated = 0;

void count() noexcept
{
    allocated.store(allocated.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void* checked(void* memory)
{
    if (!memory)
        throw std::bad_alloc();
    return memory;
}

void* aligned(std::size_t alignment, std::size_t size) noexcept
{
    count();
    void* memory = nullptr;
    return posix_memalign(&memory, alignment < sizeof(void*) ? sizeof(void*) : alignment, size) == 0 ? memory : nullptr;
}

std::chrono::nanoseconds clock_of(clockid_t clock)
{
    timespec t{};
    clock_gettime(clock, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

} // namespace

reading reading::now()
{
    return {clock_of(CLOCK_PROCESS_CPUTIME_ID), clock_of(CLOCK_MONOTONIC), allocated.load(std::memory_order_relaxed)};
}

reading& reading::operator+=(reading const& more) noexcept
{
    cpu += more.cpu;
    wall += more.wall;
    allocations += more.allocations;
    return *this;
}

reading operator-(reading const& end, reading const& begin) noexcept
{
    return {end.cpu - begin.cpu, end.wall - begin.wall, end.allocations - begin.allocations};
}

std::string field(std::string_view name, double value)
{
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.10g", value);
    return ",\"" + std::string(name) + "\":" + text.data();
}

void print(std::string_view program, std::uint64_t count, reading const& spent, std::string_view more)
{
    double const n = static_cast<double>(count);
    double const wall = static_cast<double>(spent.wall.count());
    std::printf(R"({"program":"%.*s","count":%llu,"per_second":%.0f,"ns_each":%.2f,"allocs_each":%.6f%.*s})"
                "\n",
                static_cast<int>(program.size()), program.data(), static_cast<unsigned long long>(count),
                n * 1e9 / wall, static_cast<double>(spent.cpu.count()) / n, static_cast<double>(spent.allocations) / n,
                static_cast<int>(more.size()), more.data());
    std::fflush(stdout);
}

std::uint64_t resident_kib()
{
    std::ifstream figures("/proc/self/smaps_rollup");
    std::uint64_t kib = 0;
    for (std::string word; figures >> word;)
        if (word == "Rss:" && figures >> kib)
            return kib;
    return 0;
}

void expect(bool happened, char const* otherwise)
{
    if (happened)
        return;
    std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, otherwise);
    std::exit(1);
}

namespace {

[[noreturn]] void refuse(char** argv, char const* usage)
{
    std::fprintf(stderr, "usage: %s %s\n", argv[0], usage);
    std::exit(2);
}

} // namespace

std::uint64_t number(int argc, char** argv, int index, char const* usage)
{
    char* end = nullptr;
    auto const value = index < argc ? std::strtoull(argv[index], &end, 10) : 0;
    if (value == 0 || *end != '\0')
        refuse(argv, usage);
    return value;
}

bool is_word(int argc, char** argv, int index, std::string_view word, char const* usage)
{
    if (index >= argc)
        return false;
    if (word != argv[index])
        refuse(argv, usage);
    return true;
}

} // namespace plex::bench

// Every form of `new` ends in one of these, and every `delete` in `free`.
void* operator new(std::size_t size)
{
    plex::bench::count();
    return plex::bench::checked(std::malloc(size == 0 ? 1 : size));
}

void* operator new(std::size_t size, std::align_val_t alignment)
{
    return plex::bench::checked(plex::bench::aligned(static_cast<std::size_t>(alignment), size));
}

void operator delete(void* memory) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept
{
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept
{
    std::free(memory);
}

// Asio takes the frames of coroutines and its handlers from here, not from `operator new`.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept
{
    return plex::bench::aligned(alignment, size);
}
