#pragma once

#include <string_view>

namespace plex::bench {

/// What a request's head asks for; views into it.
struct request {
    std::string_view method;
    std::string_view scene; ///< the first segment of the path, where it is one of ours (README.md)
    std::string_view path;  ///< what follows, without a query
    std::string_view websocket_key;
};

request read_request(std::string_view head);

} // namespace plex::bench
