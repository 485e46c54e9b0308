#pragma once

#include "options.hpp"

#include <CLI/App.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The commands and their options, in one place: what parses them, --help, the man page and the completion of shells are
// all made from this.
namespace plex::command {

/// As the user typed them, before they are checked.
struct typed {
    options result;
    std::string token_file;
    double seconds = 0;
    double timeout = 0;
    std::uint64_t count = 0;
    std::vector<std::string> types;
    std::vector<std::string> matches;
    std::string transport = "auto";
};

/// What is typed goes to `values`, which has to live as long.
///
/// The type name of an option tells what completes it: FILE and PATH are files of this machine, `a|b` is one of these,
/// anything else is for the user alone to know.
std::unique_ptr<CLI::App> command_line(typed& values);

/// `watch`, `run METHOD TARGET`: a command with what it needs.
std::string call_of(CLI::App const& command);

/// The lines of a shell that show a command in use.
std::string example_of(CLI::App const& command);

/// The names of `--transport`.
std::span<std::pair<std::string_view, plex::transport> const> transports();

struct entry {
    std::string_view name;
    std::string_view meaning;
};

std::span<entry const> environment_entries();
std::span<entry const> exit_statuses();

} // namespace plex::command
