#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <chrono>

namespace plex::net {

namespace asio = boost::asio;
using steady_time = std::chrono::steady_clock::time_point;

enum class woken : unsigned char { by_wake, by_deadline, by_cancellation };

/// Coroutines that wait for a condition, first come first served. Each parks on a timer in its own frame: nothing of a
/// waiter is kept here, so that destroying the `io_context` first leaks nothing, and a waiter that is destroyed or
/// cancelled leaves by itself. What is waited for is looked at by the waiter once it runs, never handed to it on its
/// way.
class wait_list
{
public:
    static constexpr steady_time no_deadline = steady_time::max();

    /// A condition that has come is told as `by_wake` even when a cancellation came as well.
    asio::awaitable<woken> park(asio::any_io_executor executor, steady_time deadline = no_deadline);
    void wake_one() noexcept;
    void wake_all() noexcept;
    /// Somebody who was woken has yet to run.
    bool is_waking() const noexcept { return !woken_.empty(); }
    /// Nobody waits, and nobody who was woken has yet to run.
    bool empty() const noexcept { return waiting_.empty() && woken_.empty(); }

private:
    struct waiter : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
        explicit waiter(asio::any_io_executor const& executor) : timer(executor) {}
        asio::steady_timer timer;
        bool was_woken = false;
    };

    using waiters = boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>>;

    void wake(waiter&) noexcept;

    waiters waiting_;
    waiters woken_; // to run soon
};

} // namespace plex::net
