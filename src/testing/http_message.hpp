#pragma once
#include "plex/testing/fake_server.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plex::testing {

/// What the server answers, before it is bytes.
struct reply {
    enum class feed { none, websocket, event_stream };

    unsigned status = 200;
    std::string content_type = "text/html";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    /// The connection becomes a live feed.
    feed becomes = feed::none;
    /// An activity whose end was asked for: it ends once the reply is on its way.
    std::string cancelled;
};

reply error_reply(unsigned status);
std::string unauthorized_page(bool with_script);
std::string to_bytes(reply const& answer, bool keep_alive);

/// Fills path and query from the target. False if it is not under the base path.
bool read_target(seen_request& request, std::string_view base_path);

} // namespace plex::testing
