#include "net/wait_list.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>

#include <tuple>

namespace plex::net {

void wait_list::wake(waiter& w) noexcept
{
    w.unlink();
    woken_.push_back(w);
    w.was_woken = true;
    try {
        w.timer.cancel();
    } catch (...) { // cancelling a timer does not fail in practice; the waiter then sleeps until its deadline
    }
}

void wait_list::wake_one() noexcept
{
    if (!waiting_.empty())
        wake(waiting_.front());
}

void wait_list::wake_all() noexcept
{
    while (!waiting_.empty())
        wake(waiting_.front());
}

asio::awaitable<woken> wait_list::park(asio::any_io_executor executor, steady_time deadline)
{
    waiter self(executor);
    waiting_.push_back(self);
    self.timer.expires_at(deadline);
    // Deferred, as use_awaitable would cost a coroutine frame of its own.
    auto waiting = self.timer.async_wait(asio::as_tuple(asio::deferred));
    std::tuple<boost::system::error_code> const result = co_await std::move(waiting);
    boost::system::error_code const ec = std::get<0>(result);
    if (self.was_woken)
        co_return woken::by_wake;
    co_return ec ? woken::by_cancellation : woken::by_deadline;
}

} // namespace plex::net
