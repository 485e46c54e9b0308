#include "services/program.hpp"

#include "protocol/utf8.hpp"
#include "services/config_value.hpp"
#include "services/log.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <exception>
#include <iostream>
#include <optional>
#include <sstream>

namespace plex::service {

namespace {

constexpr int failed = 1;
constexpr int bad_configuration = 2; // which no restart mends

/// The configuration file that the arguments name. Nothing when that was all: `--help` and `--version` have been
/// printed, and what makes no sense has been complained of; `status` is then what to exit with.
std::optional<std::string> config_named(program const& p, int argc, char** argv, int& status)
{
    CLI::App app(p.about, p.name);
    std::string file;
    app.set_version_flag("--version", PLEX_COMMAND_VERSION, "Print the version and exit");
    app.add_option("--config", file, "The configuration; SIGHUP reads it anew")->type_name("FILE")->required();
    if (p.add_options)
        p.add_options(app);
    app.footer("Example:\n  " + p.name + " --config /etc/plex-activities/config.json");
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        std::ostringstream out;
        std::ostringstream err;
        status = app.exit(e, out, err) == 0 ? 0 : bad_configuration;
        std::cout << out.str();
        if (status != 0) {
            std::string complaint = err.str();
            complaint.resize(complaint.find('\n') == complaint.npos ? complaint.size() : complaint.find('\n'));
            std::cerr << p.name << ": " << protocol::terminal_safe(complaint) << "; see --help\n";
        }
        return std::nullopt;
    }
    return file;
}

void serve(program const& p, std::string config)
{
    boost::asio::io_context io(1);
    duties const service = p.make(io, std::move(config));
    run_until_stopped(io, service_manager::of_environment(), service);
    io.restart();
    io.poll(); // connections that were dropped let go of what they hold
}

} // namespace

int run(program const& p, int argc, char** argv) noexcept
{
    try {
        int status = 0;
        if (std::optional<std::string> config = config_named(p, argc, argv, status))
            serve(p, std::move(*config));
        return status;
    } catch (config_error const& e) {
        log(log_level::error, e.what());
        return bad_configuration;
    } catch (std::exception const& e) {
        log(log_level::error, e.what());
        return failed;
    }
}

} // namespace plex::service
