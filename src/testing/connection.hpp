#pragma once
#include <boost/asio/awaitable.hpp>

#include <memory>

namespace plex::testing {

struct server_state;

/// Accepts connections and serves them until the server stops.
boost::asio::awaitable<void> accept_connections(std::shared_ptr<server_state> state);

} // namespace plex::testing
