#include <plex/async.hpp>

#include "client_state.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/system_executor.hpp>

#include <new>

namespace plex::detail {

namespace {

/// The code is told whether or not there is memory for the rest.
void describe(std::exception const& failure, diagnostics& d) noexcept
try {
    diagnostics::content content;
    content.message = failure.what();
    d = diagnostics(std::move(content));
} catch (std::bad_alloc const&) {
}

error_code code_of(std::exception_ptr e, diagnostics& d)
{
    if (!e)
        return {};
    try {
        std::rethrow_exception(e);
    } catch (error const& failure) {
        d = failure.diagnostics();
        return failure.code();
    } catch (std::bad_alloc const&) {
        return make_error_code(boost::system::errc::not_enough_memory);
    } catch (std::exception const& failure) { // a user's token function
        describe(failure, d);
        auto const* const of_asio = dynamic_cast<boost::system::system_error const*>(&failure);
        return of_asio ? of_asio->code() : make_error_code(errc::unauthorized);
    }
}

/// Of the handler. Asio 1.81 gives an empty one where it finds no memory for it, which nobody may use.
template <class... T>
asio::any_completion_executor executor_of(any_handler<T...> const& handler, asio::any_completion_executor const& other)
{
    asio::any_completion_executor executor = asio::get_associated_executor(handler, other);
    if (!executor)
        throw std::bad_alloc();
    return executor;
}

/// Where there is no executor of a client, or none any more: without one of its own the handler is called here.
template <class... T>
void complete_elsewhere(error_code ec, any_handler<T...> handler)
{
    auto const executor = executor_of(handler, asio::any_completion_executor(asio::system_executor()));
    asio::dispatch(executor, [ec, handler = std::move(handler)]() mutable { std::move(handler)(ec, T()...); });
}

template <class Operation, class... T>
void start(std::shared_ptr<home> const& at, diagnostics& d, Operation operation, any_handler<T...> handler)
{
    auto const slot = asio::get_associated_cancellation_slot(handler);
    auto const executor = executor_of(handler, asio::any_completion_executor(at->executor()));
    auto complete = [to = &d, handler = std::move(handler)](std::exception_ptr e, T... value) mutable {
        error_code const ec = code_of(e, *to);
        std::move(handler)(ec, std::move(value)...);
    };
    launch(at, std::move(operation),
           asio::bind_cancellation_slot(slot, asio::bind_executor(executor, std::move(complete))));
}

/// What fails with `stopped` once the client's execution context is gone.
template <class Operation, class... T>
void start_or_fail(std::shared_ptr<home> const& at, diagnostics& d, Operation operation, any_handler<T...> handler)
{
    if (at && !at->gone())
        return start(at, d, std::move(operation), std::move(handler));
    error const stopped(errc::stopped,
                        at ? "the client's execution context is gone" : "awaiting an operation that was never started");
    d = stopped.diagnostics();
    complete_elsewhere(stopped.code(), std::move(handler));
}

/// What ends without an error then.
template <class Operation, class... T>
void start_or_end(std::shared_ptr<home> const& at, diagnostics& d, Operation operation, any_handler<T...> handler)
{
    if (at && !at->gone())
        return start(at, d, std::move(operation), std::move(handler));
    complete_elsewhere(error_code(), std::move(handler));
}

std::shared_ptr<home> home_of(shared_subscriber const& s)
{
    return s ? s->source->at : nullptr;
}

} // namespace

shared_client share(client const& c)
{
    return client_access::state(c);
}

shared_subscriber share(feed const& f)
{
    return subscriber::of(f);
}

shared_followed share(operation const& o)
{
    return followed_by(o);
}

void start_list(shared_client s, diagnostics& d, any_handler<std::vector<activity>> handler)
{
    start_or_fail(s->at, d, list(s), std::move(handler));
}

void start_cancel(shared_client s, diagnostics& d, std::string uuid, any_handler<> handler)
{
    start_or_fail(s->at, d, cancel(s, std::move(uuid)), std::move(handler));
}

void start_send(shared_client s, diagnostics& d, request asked, any_handler<reply> handler)
{
    start_or_fail(s->at, d, send(s, std::move(asked)), std::move(handler));
}

void start_ready(shared_client s, diagnostics& d, std::optional<client::duration> deadline, any_handler<> handler)
{
    start_or_fail(s->at, d, ready(s, deadline), std::move(handler));
}

void start_operation(shared_client s, diagnostics& d, activity_request asked, std::optional<client::duration> deadline,
                     any_handler<operation> handler)
{
    start_or_fail(s->at, d, start(s, std::move(asked), deadline), std::move(handler));
}

void start_idle_wait(shared_client s, diagnostics& d, filter wanted, client::duration quiet,
                     std::optional<client::duration> deadline, any_handler<> handler)
{
    start_or_fail(s->at, d, wait_until_idle(s, std::move(wanted), quiet, deadline), std::move(handler));
}

void start_close(shared_client s, diagnostics& d, client::duration timeout, any_handler<> handler)
{
    start_or_end(s->at, d, close(s, timeout), std::move(handler));
}

void start_feed_wait(shared_subscriber s, diagnostics& d, any_handler<> handler)
{
    start_or_end(home_of(s), d, wait(s), std::move(handler));
}

void start_feed_next(shared_subscriber s, diagnostics& d, any_handler<std::optional<activity_event>> handler)
{
    start_or_end(home_of(s), d, next(s), std::move(handler));
}

void start_operation_next(shared_followed f, diagnostics& d, std::optional<client::duration> deadline,
                          any_handler<std::optional<activity_event>> handler)
{
    start_or_end(home_of(f), d, next(f, deadline), std::move(handler));
}

void start_operation_result(shared_followed f, diagnostics& d, std::optional<client::duration> deadline,
                            any_handler<outcome> handler)
{
    start_or_fail(home_of(f), d, result(f, deadline), std::move(handler));
}

void start_operation_cancel(shared_followed f, diagnostics& d, std::optional<client::duration> deadline,
                            any_handler<> handler)
{
    start_or_fail(home_of(f), d, cancel(f, deadline), std::move(handler));
}

} // namespace plex::detail
