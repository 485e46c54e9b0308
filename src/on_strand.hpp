#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

namespace plex::detail {

namespace asio = boost::asio;

/// Where a client runs: a strand of its own, or the user's executor that is one. Held by shared pointer, and emptied
/// when its execution context is destroyed, as a strand must not outlive it.
class home
{
public:
    home(asio::any_io_executor given, bool is_strand) : io_(given), executor_(given)
    {
        if (is_strand)
            return;
        // Over a concrete executor a strand lies within an any_io_executor; over another any_io_executor it is too
        // large, and each copy, of which an operation makes several, is an allocation.
        if (auto const* const context = given.target<asio::io_context::executor_type>())
            executor_ = strand_.emplace<asio::strand<asio::io_context::executor_type>>(*context);
        else if (auto const* const pool = given.target<asio::thread_pool::executor_type>())
            executor_ = strand_.emplace<asio::strand<asio::thread_pool::executor_type>>(*pool);
        else
            executor_ = strand_.emplace<asio::strand<asio::any_io_executor>>(given);
    }

    asio::any_io_executor const& executor() const noexcept { return executor_; }
    /// Where those sockets belong whose every handler is bound to `executor()`: they need not go through the strand
    /// twice.
    asio::any_io_executor const& io_executor() const noexcept { return io_; }
    /// Whether the caller runs on it now. For a user's own strand that it was awaited from there must be enough.
    bool running_here() const noexcept
    {
        return std::visit([](auto const& s) { return runs(s); }, strand_);
    }
    bool gone() const noexcept { return gone_; }
    /// Whether a coroutine whose executor is `awaiter` may go on as it is. Where the context is gone it may: the client
    /// has stopped, which whatever it does finds by itself.
    bool is_here(asio::any_io_executor const& awaiter) const noexcept
    {
        return gone_ || (awaiter == executor_ && running_here());
    }

    void release() noexcept
    {
        gone_ = true;
        strand_ = std::monostate();
        executor_ = io_ = asio::any_io_executor();
    }

private:
    static bool runs(std::monostate) noexcept { return true; }
    template <class Executor>
    static bool runs(asio::strand<Executor> const& s) noexcept
    {
        return s.running_in_this_thread();
    }

    asio::any_io_executor io_;
    asio::any_io_executor executor_;
    std::variant<std::monostate, asio::strand<asio::io_context::executor_type>,
                 asio::strand<asio::thread_pool::executor_type>, asio::strand<asio::any_io_executor>>
        strand_;
    bool gone_ = false;
};

template <class T>
struct completion {
    using signature = void(std::exception_ptr, T);
};
template <>
struct completion<void> {
    using signature = void(std::exception_ptr);
};

/// What an operation that was launched shares with its handler, wherever that is.
struct launched {
    explicit launched(std::shared_ptr<home> h) : at(std::move(h)) {}

    std::shared_ptr<home> const at;
    asio::cancellation_signal signal;
    std::atomic<bool> broke_off = false;   // whoever sets it tells of it
    std::atomic<bool> handed_over = false; // the handler is in its own context's hands
};

/// The handler of an operation, which is owed a call. Asio destroys it unused where memory runs out on its way, or in
/// the initiation of what the operation waits for: it then gets `std::bad_alloc`. Not where an execution context goes,
/// the client's or its own.
template <class Executor, class Slot, class Handler, class... T>
class owed_call
{
public:
    owed_call(std::shared_ptr<launched> l, Executor back, Slot slot, Handler handler)
        : launched_(std::move(l)), back_(std::move(back)), slot_(std::move(slot)), handler_(std::move(handler))
    {
    }
    owed_call(owed_call&& other)
        : launched_(std::move(other.launched_)), back_(other.back_), slot_(other.slot_),
          handler_(std::move(other.handler_))
    {
    }
    owed_call& operator=(owed_call&&) = delete;
    ~owed_call()
    {
        if (launched_ && !launched_->handed_over && !launched_->at->gone())
            break_off();
    }

    /// From the client's home to where the handler belongs.
    static void bring(owed_call self, std::exception_ptr e, T... value)
    {
        Executor const back = self.back_;
        std::shared_ptr<launched> const l = self.launched_;
        asio::dispatch(back, [self = std::move(self), e, ... value = std::move(value)]() mutable {
            self.call(e, std::move(value)...);
        });
        l->handed_over = true;
    }

private:
    void call(std::exception_ptr e, T... value)
    {
        launched_.reset();
        if (slot_.is_connected())
            slot_.clear();
        std::move(handler_)(e, std::move(value)...);
    }
    /// Posted, as the initiation may still be running.
    void break_off() noexcept
    {
        std::shared_ptr<launched> const l = launched_;
        if (l->broke_off.exchange(true))
            return;
        try {
            asio::post(l->at->executor(), [self = std::move(*this)]() mutable {
                bring(std::move(self), std::make_exception_ptr(std::bad_alloc()), T()...);
            });
        } catch (...) { // there is none for that either
            l->broke_off = false;
        }
        launched_.reset();
    }

    std::shared_ptr<launched> launched_; // null once it was called, or another has taken its place
    Executor back_;
    Slot slot_;
    Handler handler_;
};

/// Runs `operation` on the client's home; `handler` gets its result on the handler's own executor. A cancellation of
/// the handler's slot is carried over to the home: the slot holds weak references alone, so that a foreign coroutine
/// that is never resumed keeps no strand past its context.
/// @throws std::bad_alloc and `handler` then is not called
template <class T, class Handler>
void launch(std::shared_ptr<home> const& at, asio::awaitable<T> operation, Handler handler)
{
    auto shared = std::make_shared<launched>(at);
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto back =
        asio::prefer(asio::get_associated_executor(handler, at->executor()), asio::execution::outstanding_work.tracked);
    if (slot.is_connected()) {
        slot.assign([weak = std::weak_ptr(shared), weak_home = std::weak_ptr(at)](asio::cancellation_type) {
            auto const h = weak_home.lock();
            if (!h || h->gone() || weak.expired())
                return;
            // The awaiter's filter has let it pass; the spawned coroutine's own would stop all but the terminal one.
            asio::dispatch(h->executor(), [weak] {
                // Where Asio has destroyed the coroutine the signal would reach for what it waited on.
                if (auto const s = weak.lock(); s && !s->broke_off)
                    s->signal.emit(asio::cancellation_type::terminal);
            });
        });
    }
    // The coroutine's frames hold what is launched, as the signal has to outlive them.
    auto const start = [&]<class... V>(std::type_identity<void(std::exception_ptr, V...)>) {
        using owed = owed_call<decltype(back), decltype(slot), Handler, V...>;
        auto complete = [shared, handler = owed(shared, back, slot, std::move(handler))](std::exception_ptr e,
                                                                                         V... value) mutable {
            owed::bring(std::move(handler), e, std::move(value)...);
        };
        asio::co_spawn(at->executor(), std::move(operation),
                       asio::bind_cancellation_slot(shared->signal.slot(), std::move(complete)));
    };
    try {
        start(std::type_identity<typename completion<T>::signature>());
    } catch (std::bad_alloc const&) { // of the operation's beginning, which runs in here where this is its home
        if (!shared->broke_off.exchange(true))
            throw;
    }
}

/// Awaited from the client's home, `operation` runs inline; from elsewhere it is taken there and its result back. Never
/// by a plain `co_spawn(…, use_awaitable)`: its cancellation would be emitted from the awaiter's thread.
template <class T>
asio::awaitable<T> run_at(std::shared_ptr<home> at, asio::awaitable<T> operation)
{
    asio::any_io_executor const here = co_await asio::this_coro::executor;
    // Where the context is gone the client has stopped, which the operation finds by itself.
    if (at->gone() || here == at->executor()) {
        if (!at->gone() && !at->running_here())
            co_await asio::dispatch(here, asio::use_awaitable);
        if constexpr (std::is_void_v<T>) {
            co_await std::move(operation);
            co_return;
        } else {
            T result = co_await std::move(operation);
            co_return result;
        }
    }
    auto initiation = [&at, &operation](auto handler) { launch<T>(at, std::move(operation), std::move(handler)); };
    using use_type = asio::use_awaitable_t<>;
    use_type const use;
    if constexpr (std::is_void_v<T>) {
        co_await asio::async_initiate<use_type const, void(std::exception_ptr)>(initiation, use);
    } else {
        T result = co_await asio::async_initiate<use_type const, void(std::exception_ptr, T)>(initiation, use);
        co_return result;
    }
}

} // namespace plex::detail
