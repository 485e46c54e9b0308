#pragma once

#include <CLI/App.hpp>

#include <string>

namespace plex::command {

/// The page of section 1, in the macros of man(7).
std::string man_page(CLI::App const&);

} // namespace plex::command
