#pragma once

#include "services/config_file.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <string>

namespace plex::mqtt {

/// Where the broker is, and who we are there.
struct broker_settings {
    std::string url = "mqtt://127.0.0.1:1883"; ///< or `mqtts://`
    std::string username;
    std::string password;
    std::string ca_file; ///< certificates to trust; empty for the system's
    std::string certificate_file;
    std::string key_file;
    std::string client_id = "plex-mqtt"; ///< the broker drops one that comes with the same

    bool operator==(broker_settings const&) const = default;
};

/// The section "mqtt" of the configuration.
struct mqtt_settings {
    broker_settings broker;
    std::string prefix = "plex-activities";         ///< of our topics
    std::string discovery_prefix = "homeassistant"; ///< as Home Assistant has it
    bool can_cancel = false;                        ///< whether a topic is listened to that cancels
    boost::asio::ip::tcp::endpoint status_listen;   ///< for /metrics and /healthz
};

/// @throws service::config_error
mqtt_settings settings_of(service::config_file const&);

} // namespace plex::mqtt
