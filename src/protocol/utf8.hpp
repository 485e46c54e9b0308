#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Plex servers pass file names on as they find them, so text from the wire may be no valid UTF-8, and may hold
// whatever a file name may hold (protocol.md, "Invalid UTF-8 in text frames").
namespace plex::protocol {

bool valid_utf8(std::string_view text) noexcept;

// Appends `in` to `out` with each maximal ill-formed part (The Unicode Standard, 3.9) replaced by one U+FFFD, and
// returns how many were.
std::size_t repair_utf8(std::string_view in, std::string& out);

// How long that is.
std::size_t repaired_size(std::string_view in) noexcept;

// The longest beginning of at most `max_bytes` bytes that splits no code point.
std::string_view cut_utf8(std::string_view text, std::size_t max_bytes) noexcept;

// For a terminal or a log: valid UTF-8 on one line that cannot command the terminal or turn the order of what follows.
// Line breaks and tabs become a space each; other control characters, those that steer the direction of text and
// invisible ones are left out, but for the joiners that scripts and emoji need; ill-formed parts become U+FFFD.
std::string terminal_safe(std::string_view text);

} // namespace plex::protocol
