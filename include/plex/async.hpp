#pragma once

/// @file
/// What can be awaited of clients, feeds and operations, for every completion token: callbacks, `use_future`,
/// `deferred`, `as_tuple`, awaitables of other executors; and an adaptor for code that wants no exceptions. A header of
/// its own, as templates cost compile time.
///
/// Each completes with `void(error_code, T)` on the executor associated with its handler, by default the client's, and
/// never from within the call. Failures fill the `diagnostics` given, which must live until then; success leaves them
/// as they are. Any type of cancellation of the handler's slot completes it with `operation_aborted`. Each may be
/// called on any thread, while none changes the object that it is called for, and keeps what it needs: that object
/// may be moved or destroyed meanwhile, and before a `deferred` is started. For a client that is destroyed
/// all but `async_close` fail with `errc::stopped`; feeds and operations tell below what they do.
///
/// Where there is no memory to begin one, the call throws `std::bad_alloc` and its handler is not called; where memory
/// runs out later, it completes with `boost::system::errc::not_enough_memory`.
///
/// Of all of them: `d` is filled by a failure, `token` is Asio's, and the other parameters are those of what each
/// refers to.
///
/// An execution context that is destroyed destroys the handlers unused, which makes a future a broken promise. Called
/// after that they complete as for a client that is destroyed, from within the call where the handler has no executor.

#include <plex/client.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/result.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace plex {

/// @cond
namespace detail {

template <class... T>
using any_handler = boost::asio::any_completion_handler<void(error_code, T...)>;
using shared_client = std::shared_ptr<client_state>;
using shared_subscriber = std::shared_ptr<subscriber>;
using shared_followed = std::shared_ptr<followed>;

PLEX_API shared_client share(client const&);
PLEX_API shared_subscriber share(feed const&);
PLEX_API shared_followed share(operation const&);
PLEX_API void start_list(shared_client, diagnostics&, any_handler<std::vector<activity>>);
PLEX_API void start_cancel(shared_client, diagnostics&, std::string, any_handler<>);
PLEX_API void start_send(shared_client, diagnostics&, request, any_handler<reply>);
PLEX_API void start_ready(shared_client, diagnostics&, std::optional<client::duration>, any_handler<>);
PLEX_API void start_operation(shared_client, diagnostics&, activity_request, std::optional<client::duration>,
                              any_handler<operation>);
PLEX_API void start_idle_wait(shared_client, diagnostics&, filter, client::duration, std::optional<client::duration>,
                              any_handler<>);
PLEX_API void start_close(shared_client, diagnostics&, client::duration, any_handler<>);
PLEX_API void start_feed_wait(shared_subscriber, diagnostics&, any_handler<>);
PLEX_API void start_feed_next(shared_subscriber, diagnostics&, any_handler<std::optional<activity_event>>);
PLEX_API void start_operation_next(shared_followed, diagnostics&, std::optional<client::duration>,
                                   any_handler<std::optional<activity_event>>);
PLEX_API void start_operation_result(shared_followed, diagnostics&, std::optional<client::duration>,
                                     any_handler<outcome>);
PLEX_API void start_operation_cancel(shared_followed, diagnostics&, std::optional<client::duration>, any_handler<>);

} // namespace detail
/// @endcond

/// @see client::get_server_activities
template <class Token>
auto async_get_server_activities(client const& c, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code, std::vector<activity>)>(
        [](auto handler, detail::shared_client s, diagnostics* to) {
            detail::start_list(std::move(s), *to, detail::any_handler<std::vector<activity>>(std::move(handler)));
        },
        token, detail::share(c), &d);
}

/// @see client::cancel_server_activities
template <class Token>
auto async_cancel_server_activities(client const& c, std::string uuid, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, detail::shared_client s, diagnostics* to, std::string id) {
            detail::start_cancel(std::move(s), *to, std::move(id), detail::any_handler<>(std::move(handler)));
        },
        token, detail::share(c), &d, std::move(uuid));
}

/// @see client::send
template <class Token>
auto async_send(client const& c, request asked, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code, reply)>(
        [](auto handler, detail::shared_client s, diagnostics* to, request r) {
            detail::start_send(std::move(s), *to, std::move(r), detail::any_handler<reply>(std::move(handler)));
        },
        token, detail::share(c), &d, std::move(asked));
}

/// @see client::ready
template <class Token>
auto async_ready(client const& c, std::optional<client::duration> deadline, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, detail::shared_client s, diagnostics* to, std::optional<client::duration> by) {
            detail::start_ready(std::move(s), *to, by, detail::any_handler<>(std::move(handler)));
        },
        token, detail::share(c), &d, deadline);
}

/// The operation that it gives belongs on the client's executor, as any other.
/// @see client::start
template <class Token>
auto async_start(client const& c, activity_request asked, std::optional<client::duration> deadline, diagnostics& d,
                 Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code, operation)>(
        [](auto handler, detail::shared_client s, diagnostics* to, activity_request r,
           std::optional<client::duration> by) {
            detail::start_operation(std::move(s), *to, std::move(r), by,
                                    detail::any_handler<operation>(std::move(handler)));
        },
        token, detail::share(c), &d, std::move(asked), deadline);
}

/// @see client::wait_until_idle
template <class Token>
auto async_wait_until_idle(client const& c, filter wanted, client::duration quiet,
                           std::optional<client::duration> deadline, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, detail::shared_client s, diagnostics* to, filter f, client::duration q,
           std::optional<client::duration> by) {
            detail::start_idle_wait(std::move(s), *to, std::move(f), q, by, detail::any_handler<>(std::move(handler)));
        },
        token, detail::share(c), &d, std::move(wanted), quiet, deadline);
}

/// @see client::close
template <class Token>
auto async_close(client const& c, client::duration timeout, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, detail::shared_client s, diagnostics* to, client::duration t) {
            detail::start_close(std::move(s), *to, t, detail::any_handler<>(std::move(handler)));
        },
        token, detail::share(c), &d, timeout);
}

/// Completes when there is something to take from the feed. Take it, with `try_next()`, on the client's executor, where
/// the handler is called by default.
/// @see feed::wait
/// @par Lifetime
/// Where the feed is stopped or destroyed meanwhile, or its client, it completes without an error.
template <class Token>
auto async_wait(feed const& f, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, detail::shared_subscriber s, diagnostics* to) {
            detail::start_feed_wait(std::move(s), *to, detail::any_handler<>(std::move(handler)));
        },
        token, detail::share(f), &d);
}

/// The feed's next event. One call an event; where every event is to be called back, the callback form of
/// `client::subscribe` is simpler and many times as fast.
/// @see feed::next
/// @par Lifetime
/// Where the feed is stopped or destroyed meanwhile, or its client, it gives an empty event and no error.
template <class Token>
auto async_next(feed const& f, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code, std::optional<activity_event>)>(
        [](auto handler, detail::shared_subscriber s, diagnostics* to) {
            detail::start_feed_next(std::move(s), *to,
                                    detail::any_handler<std::optional<activity_event>>(std::move(handler)));
        },
        token, detail::share(f), &d);
}

/// The operation's next event.
/// @see operation::next
/// @par Lifetime
/// Where the operation is stopped or destroyed meanwhile, or its client, it gives an empty event and no error.
template <class Token>
auto async_next(operation const& o, std::optional<operation::duration> deadline, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code, std::optional<activity_event>)>(
        [](auto handler, detail::shared_followed f, diagnostics* to, std::optional<operation::duration> by) {
            detail::start_operation_next(std::move(f), *to, by,
                                         detail::any_handler<std::optional<activity_event>>(std::move(handler)));
        },
        token, detail::share(o), &d, deadline);
}

/// How the operation came out.
/// @see operation::result
/// @par Lifetime
/// Where the operation is stopped or destroyed meanwhile, or its client, it fails with `errc::stopped`.
template <class Token>
auto async_result(operation const& o, std::optional<operation::duration> deadline, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code, outcome)>(
        [](auto handler, detail::shared_followed f, diagnostics* to, std::optional<operation::duration> by) {
            detail::start_operation_result(std::move(f), *to, by, detail::any_handler<outcome>(std::move(handler)));
        },
        token, detail::share(o), &d, deadline);
}

/// Asks the server to stop what the operation follows.
/// @see operation::cancel
/// @par Lifetime
/// Where the operation is stopped or destroyed while it waits for the activity to appear it fails with `errc::stopped`;
/// a request that is under way by then is not affected. Where its client is, both fail with that.
template <class Token>
auto async_cancel(operation const& o, std::optional<operation::duration> deadline, diagnostics& d, Token&& token)
{
    return boost::asio::async_initiate<Token, void(error_code)>(
        [](auto handler, detail::shared_followed f, diagnostics* to, std::optional<operation::duration> by) {
            detail::start_operation_cancel(std::move(f), *to, by, detail::any_handler<>(std::move(handler)));
        },
        token, detail::share(o), &d, deadline);
}

/// What an operation gives, or the error it throws, as a value: `auto r = co_await
/// as_result(client.get_server_activities())`.
/// @param operation what is awaited
/// @throws error never, but what is no `plex::error` passes: `std::bad_alloc`, what a token function throws
/// @par Cancellation
/// As that of the operation; `operation_aborted` is a value too.
/// @par Threads
/// As that of the operation.
/// @par Lifetime
/// As that of the operation.
template <class T>
boost::asio::awaitable<boost::system::result<T, error>> as_result(boost::asio::awaitable<T> operation)
{
    using result = boost::system::result<T, error>;
    try {
        if constexpr (std::is_void_v<T>) {
            co_await std::move(operation);
            co_return result();
        } else {
            T value = co_await std::move(operation);
            co_return result(std::move(value));
        }
    } catch (error const& e) {
        co_return result(e);
    }
}

} // namespace plex
