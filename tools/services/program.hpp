#pragma once

#include "services/lifecycle.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace plex::service {

/// A service as a program.
struct program {
    std::string name;
    std::string about; ///< for `--help`, in a line
    /// Makes the service of the configuration file of that path. What `duties` hold lives until all is over.
    std::function<duties(boost::asio::io_context&, std::string config)> make;
    /// Adds options to `--config`, where there are any.
    std::function<void(CLI::App&)> add_options;
};

/// For `main` to return: 0 after SIGTERM, 1 for a failure, 2 for arguments or a configuration that no restart mends.
int run(program const&, int argc, char** argv) noexcept;

} // namespace plex::service
