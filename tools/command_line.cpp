#include "command_line.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <limits>
#include <sstream>

namespace plex::command {
namespace {

constexpr std::size_t text_begins = 30; // of a line of --help
constexpr std::size_t line_ends = 80;

std::string wrapped(std::string_view text, std::size_t width)
{
    std::string lines;
    while (text.size() > width) {
        std::size_t const blank = text.rfind(' ', width);
        std::size_t const end = std::min(blank != text.npos ? blank : text.find(' '), text.size());
        lines += std::string(text.substr(0, end)) + '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines += text;
}

// CLI11's, but it names values alone, wraps lines, and shows what a command needs beside its name.
class help_formatter final : public CLI::Formatter
{
public:
    help_formatter() { column_width(text_begins); }

    std::string make_option_opts(CLI::Option const* o) const override
    {
        return o->get_positional() || o->get_type_name().empty() ? "" : ' ' + o->get_type_name();
    }
    std::string make_option_desc(CLI::Option const* o) const override { return in_column(o->get_description()); }
    std::string make_subcommand(CLI::App const* command) const override
    {
        std::ostringstream out;
        CLI::detail::format_help(out, call_of(*command), in_column(command->get_description()), text_begins);
        return out.str();
    }
    std::string make_usage(CLI::App const* app, std::string name) const override
    {
        return '\n' + CLI::Formatter::make_usage(app, name);
    }

private:
    static std::string in_column(std::string_view text) { return wrapped(text, line_ends - text_begins); }
};

constexpr std::string_view example_heading = "Example:\n";

std::string example_footer(std::string_view lines)
{
    return std::string(example_heading) + "  " + std::string(lines);
}

std::string entries_text(std::string_view heading, std::span<entry const> entries)
{
    std::ostringstream out;
    out << "\n\n" << heading << ':';
    for (entry const& e : entries) {
        out << "\n  " << e.name << std::string(e.name.size() < 12 ? 12 - e.name.size() : 1, ' ') << e.meaning;
    }
    return out.str();
}

// CLI11's own ranges let "nan" pass, and spell out the largest number there is.
std::string positive_seconds(std::string const& given)
{
    double value = 0;
    bool const good = CLI::detail::lexical_cast(given, value) && value >= 0.001 && value <= 1e9;
    return good ? "" : "wants a number of seconds above 0";
}

std::string positive_count(std::string const& given)
{
    std::uint64_t value = 0;
    bool const good = CLI::detail::lexical_cast(given, value) && value != 0 && !given.starts_with('-');
    return good ? "" : "wants a number above 0";
}

void add_connecting(CLI::App& app, options& o)
{
    app.add_option("--ca-file", o.tls.ca_file, "PEM certificates to trust instead of the system's")
        ->type_name("FILE")
        ->take_last();
    app.add_option("--cert", o.tls.certificate_file, "Our own certificate, for a proxy that asks for one")
        ->type_name("FILE")
        ->take_last();
    app.add_option("--key", o.tls.key_file, "Its key, where that is not in the same file")
        ->type_name("FILE")
        ->take_last();
    app.add_flag("--insecure", o.tls.insecure, "Do not verify the server: the token goes to whoever answers");
    CLI::Option* const address = app.add_option("--connect-to", o.address,
                                                "Where to connect, instead of resolving the URL's host; not with "
                                                "--unix-socket or --proxy")
                                     ->type_name("ADDRESS[:PORT]")
                                     ->take_last();
    CLI::Option* const unix_socket =
        app.add_option("--unix-socket", o.unix_socket, "Connect to this Unix socket; not with --proxy")
            ->type_name("PATH")
            ->take_last();
    CLI::Option* const proxy =
        app.add_option("--proxy", o.proxy, "Through this HTTP proxy, else PLEX_PROXY: http://[user:password@]host:port")
            ->type_name("URL")
            ->take_last();
    address->excludes(unix_socket)->excludes(proxy);
    unix_socket->excludes(proxy);
}

void add_everywhere(CLI::App& app, typed& t)
{
    options& o = t.result;
    app.set_version_flag("--version", PLEX_COMMAND_VERSION, "Print the version and exit");
    app.add_option("--server", o.server, "The server's URL, else PLEX_URL: http://host:32400")
        ->type_name("URL")
        ->take_last();
    CLI::Option* const token =
        app.add_option("--token", o.token, "The X-Plex-Token, else PLEX_TOKEN")->type_name("TOKEN")->take_last();
    app.add_option("--token-file", t.token_file, "A file with the token, which only you may read; not with --token")
        ->type_name("FILE")
        ->take_last()
        ->excludes(token);
    app.add_flag("--json", o.json, "Print a JSON object a line");
    add_connecting(app, o);
}

CLI::App& add_command(CLI::App& app, typed& t, subcommand what, char const* name, char const* description,
                      std::string_view example)
{
    CLI::App& command = *app.add_subcommand(name, description);
    command.callback([&t, what] { t.result.what = what; });
    command.footer(example_footer(example) + "\n\nOptions of all commands, such as --server: plex-activities --help");
    return command;
}

void add_filter(CLI::App& command, typed& t)
{
    command
        .add_option("--type", t.types,
                    "Only this type, repeated for others; a prefix of types when it ends with a dot: library.")
        ->type_name("TYPE")
        ->allow_extra_args(false);
    command
        .add_option("--match", t.matches, "Only with this member in its Context, repeated for more: librarySectionID=3")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
}

void add_listening(CLI::App& command, typed& t)
{
    command.add_option("--for", t.seconds, "End after so long")
        ->type_name("SECONDS")
        ->check(positive_seconds)
        ->take_last();
    command.add_option("--count", t.count, "End after so many events")
        ->type_name("N")
        ->check(positive_count)
        ->take_last();
    std::vector<std::string> names;
    for (auto const& [name, transport] : transports())
        names.emplace_back(name);
    command.add_option("--transport", t.transport, "How to listen")
        ->type_name(CLI::detail::join(names, "|"))
        ->check(CLI::IsMember(names).description(""))
        ->take_last();
}

void add_timeout(CLI::App& command, typed& t)
{
    command.add_option("--timeout", t.timeout, "Give up after so long, with status 4")
        ->type_name("SECONDS")
        ->check(positive_seconds)
        ->take_last();
}

void add_commands(CLI::App& app, typed& t)
{
    options& o = t.result;
    auto const add = [&](subcommand what, char const* name, char const* description, std::string_view example) {
        return &add_command(app, t, what, name, description, example);
    };

    CLI::App* const list = add(subcommand::list, "list", "Lists what runs now", "plex-activities list --type library.");
    add_filter(*list, t);

    CLI::App* const watch = add(subcommand::watch, "watch", "Shows what starts, goes on and ends, until interrupted",
                                "plex-activities watch --json --match librarySectionID=3 --for 60");
    add_filter(*watch, t);
    add_listening(*watch, t);

    CLI::App* const cancel = add(subcommand::cancel, "cancel", "Asks the server to cancel an activity",
                                 "plex-activities cancel 7251fc2d-8df0-4713-a7f1-f1373f6db8e9");
    cancel->add_option("UUID", o.uuid, "Which, as list shows it")->required();

    CLI::App* const scan = add(subcommand::scan, "scan", "Scans a library section, and follows that to its end",
                               "plex-activities scan 3 --path /films/new --timeout 600");
    scan->add_option("SECTION", o.section, "Its number, as /library/sections shows it")
        ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()).description(""))
        ->required();
    scan->add_option("--path", o.path, "Only this folder of it, as the server names it")
        ->type_name("FOLDER")
        ->take_last();
    add_timeout(*scan, t);

    CLI::App* const run = add(subcommand::run, "run", "Sends a request, and follows what it starts to its end",
                              "plex-activities run POST /livetv/dvrs/28/reloadGuide --timeout 600");
    run->add_option("METHOD", o.method, "GET, POST, PUT or DELETE")->type_name("GET|POST|PUT|DELETE")->required();
    run->add_option("TARGET", o.target, "Path and query: /livetv/dvrs/5/reloadGuide")->required();
    add_filter(*run, t);
    add_timeout(*run, t);

    CLI::App* const wait = add(subcommand::wait, "wait", "Waits until nothing that matches is running",
                               "plex-activities wait --type library. --timeout 3600 && my-job");
    add_filter(*wait, t);
    add_timeout(*wait, t);

    add(subcommand::doctor, "doctor", "Finds out why a client sees nothing",
        "plex-activities doctor --server https://plex.example:32400 --ca-file ca.pem");

    CLI::App* const record = add(subcommand::record, "record",
                                 "Writes a session to a file, without titles and identities, until interrupted",
                                 "plex-activities record session.jsonl --for 600");
    record->add_option("FILE", o.file, "A new file; - is the standard output")->type_name("FILE")->required();
    add_listening(*record, t);

    CLI::App* const demo = add(subcommand::demo, "demo", "Shows all this with a server made up for it",
                               "plex-activities demo --replay session.jsonl");
    CLI::Option* const serve =
        demo->add_flag("--serve", o.serve, "Run that server alone, until interrupted; print its URL");
    demo->add_option("--replay", o.replay, "Show a session that record has written; not with --serve")
        ->type_name("FILE")
        ->take_last()
        ->excludes(serve);
}

} // namespace

std::unique_ptr<CLI::App> command_line(typed& values)
{
    auto app =
        std::make_unique<CLI::App>("Follows and cancels the activities of a Plex Media Server.", "plex-activities");
    app->formatter(std::make_shared<help_formatter>());
    app->require_subcommand(1);
    app->fallthrough(); // options of all commands stand before or after the command's name
    app->footer(example_footer("export PLEX_URL=http://192.168.1.2:32400 PLEX_TOKEN=xxxxxxxxxxxxxxxxxxxx\n"
                               "  plex-activities watch --type library.") +
                entries_text("Environment", environment_entries()) + entries_text("Exit status", exit_statuses()));
    add_everywhere(*app, values);
    add_commands(*app, values);
    return app;
}

std::string call_of(CLI::App const& command)
{
    std::string text = command.get_name();
    for (CLI::Option const* const o : command.get_options())
        if (o->get_positional())
            text += ' ' + o->get_name(true, false);
    return text;
}

std::string example_of(CLI::App const& command)
{
    std::istringstream footer(command.get_footer().substr(example_heading.size()));
    std::string example;
    for (std::string line; std::getline(footer, line) && !line.empty();)
        example += line.substr(2) + '\n';
    return example;
}

std::span<std::pair<std::string_view, plex::transport> const> transports()
{
    static constexpr std::pair<std::string_view, plex::transport> all[] = {
        {"auto", plex::transport::automatic},
        {"websocket", plex::transport::websocket},
        {"eventsource", plex::transport::eventsource},
        {"polling", plex::transport::polling},
    };
    return all;
}

std::span<entry const> environment_entries()
{
    static constexpr entry all[] = {
        {"PLEX_URL", "the server, where --server is not given"},
        {"PLEX_TOKEN", "the token, where neither --token nor --token-file is given"},
        {"PLEX_PROXY", "the proxy, where no other way to connect is given"},
        {"NO_COLOR", "anything but empty: no colours"},
        {"TERM", "dumb: neither colours nor bars"},
    };
    return all;
}

std::span<entry const> exit_statuses()
{
    static constexpr entry all[] = {
        {"0", "done"},
        {"1", "an error of the server, of TLS or of the network"},
        {"2", "arguments that make no sense"},
        {"3", "the token is missing or wrong, or has not the right"},
        {"4", "timed out"},
        {"5", "vanished: the activity is gone, and its end was not heard"},
        {"6", "not started: no activity appeared"},
        {"130", "interrupted"},
    };
    return all;
}

} // namespace plex::command
