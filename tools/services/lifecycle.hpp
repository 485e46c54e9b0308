#pragma once

#include "services/service_manager.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>

namespace plex::service {

/// What a service does when it is told to.
struct duties {
    /// Begins the work; what it throws ends the service.
    std::function<void()> start;
    /// Reads the configuration anew. What it throws is logged, and what was goes on.
    std::function<void()> reload;
    /// One line about how it stands, for `systemctl status`.
    std::function<std::string()> status;
    /// Says goodbye.
    std::function<boost::asio::awaitable<void>()> stop;
};

/// Runs a service until SIGTERM or SIGINT, then `stop`; SIGHUP is `reload`. A second SIGTERM ends the process at once.
/// The service manager hears of all that, and that we are alive for as long as `io` runs.
void run_until_stopped(boost::asio::io_context& io, service_manager const&, duties const&);

} // namespace plex::service
