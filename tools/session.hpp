#pragma once

#include <plex/config.hpp>
#include <plex/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <string_view>

namespace plex::command {

struct options;

/// What the command tells the shell.
enum status : int {
    done = 0,
    failed = 1, ///< server, TLS, network
    usage = 2,
    refused = 3, ///< unauthorized, forbidden
    timed_out = 4,
    vanished = 5,    ///< its end was inferred
    not_started = 6, ///< nothing was seen to start
    interrupted = 130,
};

status status_of(error_code) noexcept;

/// How to reach the server that the user means.
plex::config make_config(options const&);

/// Runs `command` until it is done, fails, or is interrupted by a signal, which cancels it; then `goodbye`. A failure
/// is one line on the standard error output.
status run(boost::asio::io_context&, boost::asio::awaitable<void> command, boost::asio::awaitable<void> goodbye);

/// One line for people on the standard error output, made safe for a terminal.
void remark(std::string_view line);

/// Prints a failure in one line, and gives its status.
status report(std::exception const&);

} // namespace plex::command
