#pragma once

#include "finding.hpp"
#include "net/live_link.hpp"
#include "protocol/request_target.hpp"

#include <plex/activity.hpp>
#include <plex/error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

// What the checks of `doctor` mean, and what to do about it: what was seen goes in, words come out. Nothing here does
// anything.
namespace plex::command {

using duration = std::chrono::steady_clock::duration;

/// What TLS's own look at a port gave.
struct encryption_seen {
    error_code handshake;          ///< of https
    std::optional<int> plain_http; ///< the status of the reply to a plain HTTP request
    bool unverified = false;       ///< of https: the user wants no verification
    bool speaks_tls = false;       ///< of http: whether TLS would have been answered
    std::vector<std::string> certificate_names;
    std::string certificate_end; ///< until when it is valid
};

/// What an attempt to listen came to.
struct listening_seen {
    std::optional<error> refusal; ///< not opened
    duration opened_after{};
    std::optional<duration> sign_after; ///< a WebSocket's pong after its ping, an event stream's first event
    duration waited{};                  ///< for that sign
    net::live_link::end ended = net::live_link::end::none;
    std::uint16_t close_code = 0; ///< 0 where there is none
};

/// @param waited the limit
finding judge_reaching(protocol::base_url const&, error_code, duration took, duration limit);
finding judge_encryption(protocol::base_url const&, encryption_seen const&, duration limit);
/// @param failure of the list, if it failed
finding judge_token(bool token_given, error const* failure);
finding judge_list(protocol::base_url const&, error const* failure, std::span<activity const>);
/// Whether the server answered as a Plex server does, so that the transports are worth trying.
bool is_worth_listening(error const* failure_of_list);
finding judge_websocket(listening_seen const&);
finding judge_ping(listening_seen const&);
finding judge_event_stream(listening_seen const&);
/// What a client makes of all that.
finding judge_feed(finding const& ping, finding const& event_stream, finding const& list);

} // namespace plex::command
