#include "session.hpp"

#include "options.hpp"
#include "protocol/utf8.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

#include <unistd.h>

namespace plex::command {

namespace asio = boost::asio;

status status_of(error_code code) noexcept
{
    if (code == errc::unauthorized || code == errc::forbidden)
        return refused;
    if (code == errc::timeout)
        return timed_out;
    if (code == errc::invalid_argument)
        return usage;
    return failed;
}

plex::config make_config(options const& o)
{
    plex::config config;
    config.url = o.server;
    config.token = o.token;
    config.transport = o.transport;
    config.tls = o.tls;
    config.address = o.address;
    config.unix_socket = o.unix_socket;
    config.proxy = o.proxy;
    config.executor_is_strand = true; // one thread runs all of it
    config.identity.product = "plex-activities";
    config.identity.version = PLEX_COMMAND_VERSION;
    // A server remembers each identifier as a device: one a machine, not one a call.
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) == 0 && host.front() != '\0')
        config.identity.client_identifier = std::string("plex-activities-") + host.data();
    return config;
}

status run(asio::io_context& io, asio::awaitable<void> command, asio::awaitable<void> goodbye)
{
    asio::signal_set signals(io, SIGINT, SIGTERM);
    asio::cancellation_signal cancel;
    bool by_signal = false;
    signals.async_wait([&](error_code ec, int) {
        if (ec)
            return;
        by_signal = true;
        cancel.emit(asio::cancellation_type::terminal);
        signals.clear(); // a second one ends us at once
    });

    bool finished = false;
    std::optional<status> result;
    auto const after_goodbye = [&](std::exception_ptr const&) { finished = true; };
    auto const after_command = [&](std::exception_ptr const& failure) {
        result = done;
        try {
            if (failure)
                std::rethrow_exception(failure);
        } catch (std::exception const& e) {
            if (!by_signal)
                result = report(e);
        }
        if (by_signal)
            result = interrupted;
        asio::co_spawn(io, std::move(goodbye), after_goodbye);
    };
    asio::co_spawn(io, std::move(command), asio::bind_cancellation_slot(cancel.slot(), after_command));
    while (!finished && io.run_one() != 0) {
    }
    signals.cancel();
    return result.value_or(failed);
}

void remark(std::string_view line)
{
    std::fprintf(stderr, "plex-activities: %s\n", protocol::terminal_safe(line).c_str());
}

status report(std::exception const& e)
{
    remark(e.what());
    if (dynamic_cast<usage_error const*>(&e))
        return usage;
    if (auto const* const known = dynamic_cast<boost::system::system_error const*>(&e))
        return status_of(known->code());
    return failed;
}

} // namespace plex::command
