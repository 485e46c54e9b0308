#pragma once

#include <plex/activity.hpp>

#include <chrono>
#include <string>

namespace plex::command {

/// `2026-11-24T05:00:00.123Z`
std::string utc(std::chrono::system_clock::time_point);

/// An event as a JSON object in one line, with its line break.
std::string json_line(activity_event const&);

/// An activity of a list as the same, without what only events have.
std::string json_line(activity const&);

} // namespace plex::command
