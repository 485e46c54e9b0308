#pragma once
#include "plex/testing/fake_server.hpp"

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace plex::testing {

struct server_state;

boost::asio::awaitable<void> play_recording(std::shared_ptr<server_state> state, scan_options options);

} // namespace plex::testing
