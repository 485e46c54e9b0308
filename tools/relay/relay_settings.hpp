#pragma once

#include "relay/redis.hpp"
#include "services/config_file.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace plex::relay {

/// The section "relay" of the configuration.
struct relay_settings {
    redis_address redis;
    std::string prefix = "plex";                  ///< of all keys, as their hash tag: they lie in one node of a cluster
    std::uint64_t max_length = 1'000'000;         ///< of the stream; older entries go
    std::chrono::seconds lease{10};               ///< after so long without a sign a relay's servers go to others
    boost::asio::ip::tcp::endpoint status_listen; ///< for /metrics and /healthz
};

/// @throws service::config_error
relay_settings settings_of(service::config_file const&);

} // namespace plex::relay
