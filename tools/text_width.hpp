#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// How much room text takes on a terminal. `text` is valid UTF-8 without control characters (protocol::terminal_safe).
namespace plex::command {

/// Columns that `text` takes, or a few more: where terminals differ, the wider answer is given.
std::size_t columns(std::string_view text) noexcept;

/// The beginning of `text` in at most `width` columns, with `…` at its end where something is left out.
std::string fitted(std::string_view text, std::size_t width);

/// `text` and as many spaces as make it `width` columns wide.
std::string padded(std::string_view text, std::size_t width);

} // namespace plex::command
