#pragma once

#include <plex/config.hpp>
#include <plex/filter.hpp>
#include <plex/transport.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace plex::command {

enum class subcommand { list, watch, cancel, scan, run, wait, doctor, record, demo };

/// What the user asked for.
struct options {
    subcommand what = subcommand::list;
    std::string server;
    std::string token;
    bool json = false;
    plex::tls_config tls;
    std::string address; ///< these three as in `plex::config`
    std::string unix_socket;
    std::string proxy;

    plex::filter filter;                                         ///< list, watch, run, wait
    std::optional<std::chrono::steady_clock::duration> limit;    ///< watch, record
    std::optional<std::uint64_t> count;                          ///< watch, record
    plex::transport transport = plex::transport::automatic;      ///< watch, record
    std::string uuid;                                            ///< cancel
    std::int64_t section = 0;                                    ///< scan
    std::string path;                                            ///< scan
    std::string method;                                          ///< run
    std::string target;                                          ///< run
    std::optional<std::chrono::steady_clock::duration> deadline; ///< scan, run, wait
    bool serve = false;                                          ///< demo
    std::string file;                                            ///< record
    std::string replay;                                          ///< demo: a file

    std::string help; ///< what to print instead of doing anything
};

/// The arguments make no sense. What it says holds no token.
struct usage_error : std::runtime_error {
    using runtime_error::runtime_error;
};

/// The token that is given as an argument is overwritten in `argv`: everybody may read a process's arguments.
/// @throws usage_error
options parse_arguments(int argc, char** argv);

/// The token in a file that nobody else may read or write. @throws usage_error
std::string read_token_file(std::string const& path);

} // namespace plex::command
