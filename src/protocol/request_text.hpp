#pragma once

#include "protocol/request_target.hpp"

#include <plex/config.hpp>
#include <plex/request.hpp>

#include <string>
#include <string_view>

// Requests as they go on the wire. What is refused is a `plex::error` of `errc::invalid_argument` that repeats no
// value, as a token may be in it.
namespace plex::protocol {

// The lines that say who we are: `User-Agent`, `X-Plex-Client-Identifier`, `X-Plex-Product`, `X-Plex-Version`,
// `X-Plex-Device-Name`, each where it is not empty. Constant for a client, so made once.
std::string identity_headers(identity const&);

// Refuses a token that is no header's value. An empty one is fine: no `X-Plex-Token` is sent.
void check_token(std::string_view token);

// The same, and one that is in the base URL's path or the identity's lines, which all see.
void check_place_of_token(base_url const&, std::string_view identity, std::string_view token);

// Refuses a request that has this very token in its target, a header of its own or its body.
void check_no_token_in(request const&, std::string_view token);

// Refuses a method that is no token or is CONNECT, a bad target (`check_target`), headers that are none, and headers
// that are not the user's to set: those of framing and connection, `Host`, and `X-Plex-Token`, which has one place.
void check_request(request const&);

// Head and body. `Accept: application/json` unless the request has an Accept of its own; `Content-Length` where there
// is a body or the method expects one; the request's headers last. Checks request and token.
// @param identity of `identity_headers`
std::string request_bytes(base_url const&, std::string_view identity, std::string_view token, request const&);

// The headers of every request that has none of its own: `Host`, `Accept: application/json`, the identity's, the token.
// Constant for a client and a token, so made once. Checks the token.
std::string common_headers(base_url const&, std::string_view identity, std::string_view token);

// `request_bytes` of a request without headers that `check_request` has let pass.
// @param common of `common_headers`
std::string plain_request_bytes(base_url const&, std::string_view common, request const&);

// The head of a WebSocket upgrade to a target such as `feed_target` makes. Checks target and token.
// @param key of `make_key`
std::string upgrade_bytes(base_url const&, std::string_view identity, std::string_view token, std::string_view target,
                          std::string_view key);

} // namespace plex::protocol
