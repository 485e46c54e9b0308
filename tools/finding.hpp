#pragma once

#include "palette.hpp"
#include "session.hpp"

#include <optional>
#include <span>
#include <string>

namespace plex::command {

/// What one check of `doctor` has found: one line of its table.
struct finding {
    std::string check;
    std::optional<bool> good; ///< empty: not tried, because of something before
    std::string text;
    std::string advice; ///< of a failure; one line or more
    bool of_rights = false;
};

finding good(std::string check, std::string text);
finding bad(std::string check, std::string text, std::string advice);
/// Bad for want of rights.
finding barred(std::string check, std::string text, std::string advice);
finding not_tried(std::string check);

/// `failed`, or `refused` where nothing but rights is missing.
status outcome(std::span<finding const>) noexcept;

/// As people read it, and as programs do; with the line break. Both are safe for a terminal.
std::string text_lines(finding const&, palette const& = {});
std::string json_line(finding const&);

} // namespace plex::command
