#pragma once

#include <cassert>
#ifndef NDEBUG
#include <atomic>
#include <thread>
#endif

namespace plex::detail {

/// In debug builds, finds two threads that are inside one client's feed at once: its members belong on the client's
/// executor, which none of them can enforce without a cost for each event. Nothing in other builds.
class exclusive
{
public:
#ifdef NDEBUG
    struct visit {
        explicit visit(exclusive&) noexcept {}
    };
#else
    /// Not to be held over a suspension. One thread may hold several.
    class visit
    {
    public:
        explicit visit(exclusive& e) noexcept : of_(e)
        {
            std::thread::id nobody;
            std::thread::id const me = std::this_thread::get_id();
            [[maybe_unused]] bool const alone = of_.who_.compare_exchange_strong(nobody, me) || nobody == me;
            assert(alone && "two threads use a client's feed at once: its members belong on the client's executor");
            ++of_.depth_;
        }
        ~visit()
        {
            if (--of_.depth_ == 0)
                of_.who_.store(std::thread::id());
        }
        visit(visit const&) = delete;
        visit& operator=(visit const&) = delete;

    private:
        exclusive& of_;
    };

private:
    std::atomic<std::thread::id> who_;
    int depth_ = 0;
#endif
};

} // namespace plex::detail
