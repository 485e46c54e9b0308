#pragma once

#include <plex/error.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// What a refusal means, and what the server said with it (protocol.md 1.2, 1.5).
namespace plex::protocol {

using secrets = std::span<std::string_view const>; // tokens, of which one may have taken another's place meanwhile

enum class call_kind : std::uint8_t {
    list,    // GET /activities, and any other request
    cancel,  // DELETE /activities/{uuid}
    upgrade, // the live feed
};

// What a reply that is not the hoped-for one says: its status, its `errors`, and an excerpt: of an XML `<Response>` its
// title and status, of HTML its title, else the beginning of the body. The message is left to the caller. Everything is
// safe to print.
// @param hidden what was sent with the request, or one before it, and is not to be repeated
diagnostics::content describe_reply(int status, std::string_view body, secrets hidden = {});

// The condition for a status other than the hoped-for one. `errors` tell a cancel of what cannot be cancelled from one
// that the server could not read: both are 400.
errc status_to_errc(int status, call_kind, std::span<server_error_entry const> errors = {});

// The value of a Retry-After: seconds, or a date. Empty for what is neither; from 0 to 2³² - 1 s, which any clock can
// add.
std::optional<std::chrono::seconds> retry_after(std::string_view value, std::chrono::system_clock::time_point now);

// Where a redirect points, safe to print: without its query, which may hold what was asked, and without secrets.
std::string redirect_target(std::string_view location, secrets hidden = {});

} // namespace plex::protocol
