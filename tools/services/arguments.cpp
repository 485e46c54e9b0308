#include "services/arguments.hpp"

#include "protocol/utf8.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <sstream>

namespace plex::service {

std::optional<std::string> config_named(int argc, char** argv, std::string const& name, std::string const& about,
                                        int& status)
{
    CLI::App app(about, name);
    std::string file;
    app.set_version_flag("--version", PLEX_COMMAND_VERSION, "Print the version and exit");
    app.add_option("--config", file, "The configuration; SIGHUP reads it anew")->type_name("FILE")->required();
    app.footer("Example:\n  " + name + " --config /etc/plex-activities/config.json");
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        std::ostringstream out;
        std::ostringstream err;
        status = app.exit(e, out, err) == 0 ? 0 : 2;
        std::cout << out.str();
        if (status != 0) {
            std::string complaint = err.str();
            complaint.resize(complaint.find('\n') == complaint.npos ? complaint.size() : complaint.find('\n'));
            std::cerr << name << ": " << protocol::terminal_safe(complaint) << "; see --help\n";
        }
        return std::nullopt;
    }
    return file;
}

} // namespace plex::service
