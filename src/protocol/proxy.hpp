#pragma once

#include "protocol/request_target.hpp"

#include <cstdint>
#include <string>
#include <string_view>

// HTTP proxies that are asked for a tunnel. What is refused is a `plex::error` of `errc::invalid_argument` that repeats
// nothing of what was given, as a password may be in it.
namespace plex::protocol {

struct proxy {
    std::string host; // as `base_url`'s
    std::uint16_t port = 0;
    std::string authorization; // the value of `Proxy-Authorization`; empty for none
};

// `http://[user:password@]host[:port]`, user and password percent-encoded.
proxy parse_proxy(std::string_view);

// The head of a request for a tunnel to the server (RFC 9110, 9.3.6).
std::string tunnel_bytes(base_url const& to, proxy const& by);

} // namespace plex::protocol
