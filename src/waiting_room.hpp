#pragma once

#include "net/wait_list.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace plex::detail {

namespace asio = boost::asio;

class waiting_room;

/// The one coroutine that waits for news of a feed, without a deadline. In the place of a `net::wait_list`, whose
/// timers are too dear for a thousand subscribers: all that a batch wakes is resumed by one handler.
class waiter : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
{
public:
    explicit waiter(waiting_room& r) noexcept : room_(r) {}
    waiter(waiter const&) = delete;
    waiter& operator=(waiter const&) = delete;

    bool empty() const noexcept { return !finish_; }
    /// Until `wake` or a cancellation. Precondition: empty.
    auto async_wait()
    {
        auto initiation = [this](auto handler) { this->park(std::move(handler)); };
        return asio::async_initiate<asio::deferred_t const, void(net::woken)>(std::move(initiation), asio::deferred);
    }
    void wake() noexcept { leave(net::woken::by_wake); }

private:
    friend class waiting_room;

    template <class Handler>
    void park(Handler handler);
    template <class Handler>
    static void finish(waiter&, bool resumes);
    void leave(net::woken) noexcept;

    waiting_room& room_;
    void (*finish_)(waiter&, bool resumes) = nullptr;
    net::woken why_ = net::woken::by_wake;
    bool is_leaving_ = false;
    // What resumes the coroutine. It owns the coroutine, which holds us: whoever ends an execution context breaks this.
    alignas(void*) std::byte handler_[3 * sizeof(void*)];
};

/// Where those wait who wait for one client's feeds.
class waiting_room : public std::enable_shared_from_this<waiting_room>
{
public:
    explicit waiting_room(asio::any_io_executor e) : executor_(std::move(e)) {}

    asio::any_io_executor const& executor() const noexcept { return executor_; }
    /// Those whom there was no memory to resume when they left: to be called now and then.
    void resume_forgotten() noexcept { resume_soon(); }
    /// The execution context goes: who waits is destroyed.
    void release() noexcept;

private:
    friend class waiter;
    using waiters = boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>>;
    struct resumption;

    void enter(waiter& w) noexcept { waiting_.push_back(w); }
    void leave(waiter&) noexcept;
    void resume_soon() noexcept;
    void resume_all();
    static void drop(waiters&) noexcept;

    asio::any_io_executor executor_;
    waiters waiting_;
    waiters leaving_; // a handler that resumes them is on its way, if there was memory for it
    bool is_posting_ = false;
    bool on_its_way_ = false;
};

template <class Handler>
void waiter::park(Handler handler)
{
    static_assert(sizeof(Handler) <= sizeof(handler_) && alignof(Handler) <= alignof(void*));
    static_assert(std::is_nothrow_move_constructible_v<Handler>);
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
        slot.assign([this](asio::cancellation_type) { leave(net::woken::by_cancellation); });
    ::new (static_cast<void*>(handler_)) Handler(std::move(handler));
    finish_ = &waiter::finish<Handler>;
    is_leaving_ = false;
    room_.enter(*this);
}

template <class Handler>
void waiter::finish(waiter& w, bool resumes)
{
    auto* const kept = std::launder(reinterpret_cast<Handler*>(w.handler_));
    Handler handler(std::move(*kept));
    kept->~Handler();
    w.finish_ = nullptr;
    if (!resumes)
        return;
    if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
        slot.clear();
    net::woken const why = w.why_;
    asio::any_io_executor const& here = w.room_.executor();
    asio::any_io_executor const its_own = asio::get_associated_executor(handler, here);
    if (its_own == here)
        std::move(handler)(why);
    else
        asio::dispatch(its_own, [handler = std::move(handler), why]() mutable { std::move(handler)(why); });
}

} // namespace plex::detail
