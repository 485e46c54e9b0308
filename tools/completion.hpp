#pragma once

#include <CLI/App.hpp>

#include <string>

// What shells read to complete a command line. It asks no server, so no uuid is completed: what a server sends never
// reaches a shell.
namespace plex::command {

std::string bash_completion(CLI::App const&);
std::string zsh_completion(CLI::App const&);

} // namespace plex::command
