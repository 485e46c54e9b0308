#pragma once

#include "catch.hpp"

#include <cstddef>
#include <exception>
#include <new>
#include <source_location>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

// The whole program's operator new, which fails when a test says so.
namespace plex::testing {

// The n-th allocation of this thread from now on fails, and perhaps all that follow; never while n is 0.
void fail_allocation(std::size_t n, bool and_all_that_follow) noexcept;
// The n-th of this thread and so many that follow fail, and then there is memory again.
void fail_allocations(std::size_t n, std::size_t count) noexcept;
// How many this thread has made or tried since then.
std::size_t allocations() noexcept;
// Whether one has failed since.
bool allocation_failed() noexcept;
// Blocks that are allocated and not freed, of all threads.
std::size_t live_allocations() noexcept;

// Within it this thread's allocations neither fail nor count: what a test keeps for itself.
class spared
{
public:
    spared() noexcept;
    ~spared();
    spared(spared const&) = delete;
    spared& operator=(spared const&) = delete;

private:
    bool before_;
};

// Memory that runs out at one place: of each step, at its n-th allocation.
class shortage
{
public:
    shortage(std::size_t n, bool lasting) : n_(n), lasting_(lasting) {}

    // Whether it was done: else memory ran out in between, and it has thrown `std::bad_alloc`.
    template <class Step>
    bool survives(Step step)
    {
        fail_allocation(n_, lasting_);
        bool threw = false;
        try {
            step();
        } catch (std::bad_alloc const&) {
            threw = true;
        } catch (...) {
            fail_allocation(0, false);
            throw;
        }
        struck_ = struck_ || allocation_failed();
        fail_allocation(0, false);
        return !threw;
    }
    bool struck() const { return struck_; }

private:
    std::size_t n_;
    bool lasting_;
    bool struck_ = false;
};

// For what is played below, as Catch2 keeps memory for what it is told.
inline void must(bool is_so, std::source_location where = std::source_location::current())
{
    if (!is_so)
        throw std::logic_error(std::string(where.file_name()) + ":" + std::to_string(where.line()));
}

// Calls `play(shortage&)` with the first allocation of its step failing, then with the second, and so on, until none of
// them is left to fail; then the same with all that follow failing, too. Each on a thread of its own, so that none
// finds memory that an earlier one has left for reuse (block_recycler.hpp). What is allocated within must be freed
// within.
template <class Play>
void at_every_allocation(Play play, std::size_t at_least = 1)
{
    std::size_t places = 0;
    for (bool const lasting : {false, true}) {
        for (std::size_t n = 1;; ++n) {
            must(n < 100000);
            shortage s(n, lasting);
            std::string broken;
            std::size_t const before = live_allocations();
            std::thread([&] {
                try {
                    play(s);
                } catch (std::exception const& e) {
                    broken = e.what();
                }
            }).join();
            if (!broken.empty())
                FAIL(broken << ", with allocation " << n << (lasting ? " and all that follow" : "") << " failing");
            if (live_allocations() != before)
                FAIL("memory is leaked, with allocation " << n << (lasting ? " and all that follow" : "")
                                                          << " failing");
            if (!s.struck())
                break;
            ++places;
        }
    }
    CHECK(places >= at_least);
}

} // namespace plex::testing
