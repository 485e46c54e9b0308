#pragma once

#include <plex/config.hpp>

#include <string>
#include <string_view>

namespace plex::service {

/// A line on the standard error output, for the journal: it takes `<4>` at the beginning for the priority. Without that
/// on a terminal.
void log(plex::log_level, std::string_view line) noexcept;

/// The same as text, with its line break; safe for a terminal.
std::string log_line(plex::log_level, std::string_view line, bool with_priority);

/// Logs what a client says of its connection, after the name of its server.
plex::logger logger_of(std::string server);

} // namespace plex::service
