#pragma once

#include "palette.hpp"

#include <plex/activity.hpp>

#include <span>
#include <string>

// What people read, where no bars can be drawn. Everything that came from the server is made safe for a terminal.
namespace plex::command {

/// `Scanning Movies · The Revenant (2015)`; the type where the activity has no title.
std::string description(activity const&);

/// `42 %`, or `…` for what does not say how far it is.
std::string progress_text(activity const&);

/// `started   Scanning Movies · The Revenant (2015)  42 %`, without a line break.
std::string event_text(activity_event const&, palette const& = {});

/// A list with a line of headings; empty for no activities.
std::string table(std::span<activity const>, palette const& = {});

} // namespace plex::command
