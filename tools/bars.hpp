#pragma once

#include "palette.hpp"

#include <plex/activity.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

namespace plex::command {

struct screen_size {
    std::size_t columns = 80;
    std::size_t rows = 24;
};

/// A line with a progress bar for each activity that runs, given as its latest event; each line with its break. No line
/// is wider than the screen, and there are fewer than the screen has rows: the last one says how many are not shown.
std::string bars(std::span<activity_event const> running, screen_size, std::chrono::system_clock::time_point now,
                 palette const& = {});

} // namespace plex::command
