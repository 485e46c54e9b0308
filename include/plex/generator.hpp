#pragma once

/// @file
/// Events as an asynchronous generator, which can be filtered, mapped and yielded from in a generator of one's own.

#include <plex/error.hpp>
#include <plex/feed.hpp>

#include <boost/asio/awaitable.hpp>

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace plex {

/// A coroutine that awaits (`asio::awaitable`) and yields. Its body runs inside its consumer's `next()`: what the body
/// awaits is awaited there, so it runs on the consumer's executor, is cancelled with it, and no frame outlives its
/// owner.
///
/// Not thread-safe, and the one owner of its body: it can be moved, not copied. It may be destroyed at any time, while
/// a `next()` is suspended too: the body then lives until that `next()` ends. One `next()` at a time.
template <class T>
class generator
{
    /// @cond
    struct awaited {
        virtual boost::asio::awaitable<void> run() = 0;

    protected:
        ~awaited() = default;
    };

    template <class U>
    struct bridge final : awaited {
        explicit bridge(boost::asio::awaitable<U> o) : operation(std::move(o)) {}

        bool await_ready() const noexcept { return false; }
        template <class Promise>
        void await_suspend(std::coroutine_handle<Promise> body) noexcept
        {
            body.promise().awaiting = this;
        }
        U await_resume()
        {
            if (failure)
                std::rethrow_exception(failure);
            if constexpr (!std::is_void_v<U>)
                return std::move(*result);
        }
        boost::asio::awaitable<void> run() override
        {
            try {
                if constexpr (std::is_void_v<U>)
                    co_await std::move(operation);
                else
                    result.emplace(co_await std::move(operation));
            } catch (...) {
                failure = std::current_exception();
            }
        }

        boost::asio::awaitable<U> operation;
        std::optional<std::conditional_t<std::is_void_v<U>, std::monostate, U>> result;
        std::exception_ptr failure;
    };

public:
    struct promise_type {
        generator get_return_object() { return generator(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(T v)
        {
            value.emplace(std::move(v));
            return {};
        }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { failure = std::current_exception(); }
        template <class U>
        bridge<U> await_transform(boost::asio::awaitable<U> operation)
        {
            return bridge<U>(std::move(operation));
        }

        std::optional<T> value;
        std::exception_ptr failure;
        awaited* awaiting = nullptr;
    };
    /// @endcond

    /// One without a body: it has ended.
    generator() noexcept = default;
    /// What was moved from has ended. A `next()` that is suspended goes on.
    generator(generator&&) noexcept = default;
    /// What it had is destroyed; else as the move.
    generator& operator=(generator&&) noexcept = default;
    generator(generator const&) = delete;
    generator& operator=(generator const&) = delete;
    ~generator() = default;

    /// The next value; empty once the body has returned.
    /// @throws error what left the body, of whatever type; `operation_in_progress` beside another `next()`;
    /// `operation_aborted` when cancelled
    /// @par Cancellation
    /// Cancels what the body awaits: `operation_aborted` is thrown there, and what lets it pass, as `events()` does,
    /// ends.
    /// @par Threads
    /// To be awaited where the body belongs: for `events()` the client's executor.
    /// @par Lifetime
    /// The generator may be destroyed meanwhile.
    boost::asio::awaitable<std::optional<T>> next() { return advance(body_); }

private:
    struct body {
        explicit body(std::coroutine_handle<promise_type> h) : handle(h) {}
        body(body const&) = delete;
        body& operator=(body const&) = delete;
        ~body() { handle.destroy(); }

        std::coroutine_handle<promise_type> handle;
        bool busy = false;
    };

    explicit generator(std::coroutine_handle<promise_type> handle) : body_(std::make_shared<body>(handle)) {}

    static boost::asio::awaitable<std::optional<T>> advance(std::shared_ptr<body> b)
    {
        if (!b || b->handle.done())
            co_return std::nullopt;
        if (b->busy)
            throw error(errc::operation_in_progress, "waiting for a generator's next value");
        struct turn {
            bool& busy;
            explicit turn(bool& flag) : busy(flag) { busy = true; }
            ~turn() { busy = false; }
        } const mine(b->busy);

        promise_type& promise = b->handle.promise();
        for (;;) {
            if (promise.awaiting) { // also what a cancelled next() has left unawaited
                co_await promise.awaiting->run();
                promise.awaiting = nullptr;
            }
            b->handle.resume();
            if (promise.value) {
                std::optional<T> result = std::exchange(promise.value, std::nullopt);
                co_return result;
            }
            if (b->handle.done()) {
                if (promise.failure)
                    std::rethrow_exception(promise.failure);
                co_return std::nullopt;
            }
        }
    }

    std::shared_ptr<body> body_;
};

/// The events of a feed, until it is stopped. The generator owns the feed; what ends that is thrown by `next()`, once.
/// @param source whose `next()` nobody else awaits
inline generator<activity_event> events(feed source)
{
    for (;;) {
        std::optional<activity_event> event = co_await source.next();
        if (!event)
            co_return;
        co_yield std::move(*event);
    }
}

} // namespace plex
