#include <plex/async.hpp>

#include "client_state.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/system_executor.hpp>

namespace plex::detail {

namespace {

error_code code_of(std::exception_ptr e, diagnostics& d)
{
    if (!e)
        return {};
    try {
        std::rethrow_exception(e);
    } catch (error const& failure) {
        d = failure.diagnostics();
        return failure.code();
    } catch (std::exception const& failure) { // a user's token function
        diagnostics::content content;
        content.message = failure.what();
        d = diagnostics(std::move(content));
        auto const* const of_asio = dynamic_cast<boost::system::system_error const*>(&failure);
        return of_asio ? of_asio->code() : make_error_code(errc::unauthorized);
    }
}

template <class Operation, class... T>
void start(shared_client const& s, diagnostics& d, Operation operation, any_handler<T...> handler)
{
    if (s->at->gone()) {
        auto const executor =
            asio::get_associated_executor(handler, asio::any_completion_executor(asio::system_executor()));
        asio::dispatch(executor, [handler = std::move(handler)]() mutable {
            std::move(handler)(make_error_code(errc::stopped), T()...);
        });
        return;
    }
    auto const slot = asio::get_associated_cancellation_slot(handler);
    auto const executor = asio::get_associated_executor(handler, s->at->executor());
    auto complete = [to = &d, handler = std::move(handler)](std::exception_ptr e, T... value) mutable {
        error_code const ec = code_of(e, *to);
        std::move(handler)(ec, std::move(value)...);
    };
    launch(s->at, std::move(operation),
           asio::bind_cancellation_slot(slot, asio::bind_executor(executor, std::move(complete))));
}

} // namespace

shared_client share(client const& c)
{
    return client_access::state(c);
}

void start_list(shared_client s, diagnostics& d, any_handler<std::vector<activity>> handler)
{
    start(s, d, list(s), std::move(handler));
}

void start_cancel(shared_client s, diagnostics& d, std::string uuid, any_handler<> handler)
{
    start(s, d, cancel(s, std::move(uuid)), std::move(handler));
}

void start_send(shared_client s, diagnostics& d, request asked, any_handler<reply> handler)
{
    start(s, d, send(s, std::move(asked)), std::move(handler));
}

void start_ready(shared_client s, diagnostics& d, std::optional<client::duration> deadline, any_handler<> handler)
{
    start(s, d, ready(s, deadline), std::move(handler));
}

void start_operation(shared_client s, diagnostics& d, activity_request asked, std::optional<client::duration> deadline,
                     any_handler<operation> handler)
{
    start(s, d, start(s, std::move(asked), deadline), std::move(handler));
}

void start_idle_wait(shared_client s, diagnostics& d, filter wanted, client::duration quiet,
                     std::optional<client::duration> deadline, any_handler<> handler)
{
    start(s, d, wait_until_idle(s, std::move(wanted), quiet, deadline), std::move(handler));
}

void start_close(shared_client s, diagnostics& d, client::duration timeout, any_handler<> handler)
{
    start(s, d, close(s, timeout), std::move(handler));
}

} // namespace plex::detail
