#pragma once
#include "testing/http_message.hpp"

#include <memory>

namespace plex::testing {

struct server_state;

/// What Plex does and answers to a request (protocol.md 1), without the script's faults.
reply answer(std::shared_ptr<server_state> const& state, seen_request const& request, bool is_upgrade);

} // namespace plex::testing
