#pragma once

#include <optional>
#include <string>

namespace plex::service {

/// The configuration file that the arguments of a service name. Nothing when that was all: `--help` and `--version`
/// have been printed, and what makes no sense has been complained of; `status` is then what to exit with.
std::optional<std::string> config_named(int argc, char** argv, std::string const& name, std::string const& about,
                                        int& status);

} // namespace plex::service
