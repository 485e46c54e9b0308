#pragma once

#include "event_output.hpp"

#include <plex/client.hpp>

#include <memory>

namespace plex::command {

/// From now on tells people when the feed is lost and back: where bars are drawn above them, else on the standard error
/// output. Nothing is told once the output has gone.
void tell_outages(plex::client&, format, std::weak_ptr<event_output>);

} // namespace plex::command
