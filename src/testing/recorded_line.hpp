#pragma once
#include "plex/testing/fake_server.hpp"
#include "plex/testing/recording.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace plex::testing {

struct server_state;

/// A line of a recording, read.
struct recorded_line {
    enum class sort { list, notification, malformed, connected, interrupted };
    enum class transport { websocket, eventsource, polling };

    sort what = sort::list;
    std::chrono::milliseconds at{0};
    /// What was in use then.
    transport over = transport::websocket;
    /// A notification in its envelope, as it is to be sent.
    std::string text;
    std::string type;
    /// Its objects, each with the member that it is in: what the other transport makes of it.
    std::vector<std::pair<std::string, std::string>> objects;
    /// Of a malformed one.
    std::size_t bytes = 0;
    /// Of a list, or of a notification with the event of each.
    std::vector<fake_activity> activities;
    std::vector<std::string> events;
};

boost::asio::awaitable<void> play_session(std::shared_ptr<server_state> state, recording session, double speed);

} // namespace plex::testing
