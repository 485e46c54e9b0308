#pragma once

#include "services/config_file.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <vector>

namespace plex::dashboard {

/// The section "dashboard" of the configuration.
struct dashboard_settings {
    boost::asio::ip::tcp::endpoint listen;
    std::string cancel_token;       ///< empty: nobody may cancel
    std::vector<std::string> hosts; ///< names that the page may be asked for by, beside those of this machine itself
};

/// @throws service::config_error
dashboard_settings settings_of(service::config_file const&);

} // namespace plex::dashboard
