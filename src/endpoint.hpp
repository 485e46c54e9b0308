#pragma once

#include "net/dial.hpp"
#include "protocol/request_target.hpp"

#include <plex/config.hpp>

#include <string>

namespace plex::detail {

/// Whom a client with these settings dials, for calls and feed alike.
/// @throws error `invalid_argument` for what cannot be used
net::endpoint_settings endpoint_of(protocol::base_url const&, config const&);

/// What stands behind a URL in messages: " by the proxy 127.0.0.1:3128"; empty where the URL says it all.
std::string way_of(net::endpoint_settings const&, config const&);

/// With the files that are named read. @throws error as `endpoint_of`
net::tls_options tls_options_of(tls_config const&);

} // namespace plex::detail
