#include "options.hpp"

#include "protocol/utf8.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace plex::command {
namespace {

// As the user typed them, before they are checked.
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

std::map<std::string, plex::transport> const& transports()
{
    static std::map<std::string, plex::transport> const all = {{"auto", plex::transport::automatic},
                                                               {"websocket", plex::transport::websocket},
                                                               {"eventsource", plex::transport::eventsource},
                                                               {"polling", plex::transport::polling}};
    return all;
}

std::string environment(char const* name)
{
    char const* const value = std::getenv(name);
    return value ? value : "";
}

void hide_secrets(int argc, char** argv)
{
    for (std::string_view const option : {"--token", "--proxy"})
        for (int i = 1; i < argc; ++i) {
            std::string_view const argument = argv[i];
            if (argument == option && i + 1 < argc)
                std::memset(argv[i + 1], '*', std::strlen(argv[i + 1]));
            else if (argument.starts_with(option) && argument.substr(option.size()).starts_with('='))
                std::memset(argv[i] + option.size() + 1, '*', argument.size() - option.size() - 1);
        }
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
    CLI::Option* const address =
        app.add_option("--connect-to", o.address, "Where to connect, instead of resolving the URL's host")
            ->type_name("ADDRESS[:PORT]")
            ->take_last();
    CLI::Option* const unix_socket =
        app.add_option("--unix-socket", o.unix_socket, "Connect to this Unix socket")->type_name("PATH")->take_last();
    CLI::Option* const proxy =
        app.add_option("--proxy", o.proxy, "Through this HTTP proxy, else PLEX_PROXY: http://[user:password@]host:port")
            ->type_name("URL")
            ->take_last();
    address->excludes(unix_socket)->excludes(proxy);
    unix_socket->excludes(proxy);
}

// Arguments that nobody expected may be a token whose option was mistyped: names of options are repeated, values not.
std::string unexpected(std::vector<std::string> const& arguments)
{
    for (std::string const& a : arguments)
        if (a.starts_with("--") && a.size() > 2)
            return "unknown option " + protocol::terminal_safe(a.substr(0, a.find('=')));
    return "an argument that does not belong here";
}

// CLI11's own ranges let "nan" pass, and spell out the largest number there is.
std::string positive_seconds(std::string const& typed)
{
    double value = 0;
    bool const good = CLI::detail::lexical_cast(typed, value) && value >= 0.001 && value <= 1e9;
    return good ? "" : "wants a number of seconds above 0";
}

std::string positive_count(std::string const& typed)
{
    std::uint64_t value = 0;
    bool const good = CLI::detail::lexical_cast(typed, value) && value != 0 && !typed.starts_with('-');
    return good ? "" : "wants a number above 0";
}

void add_filter(CLI::App& command, typed& t)
{
    command.add_option("--type", t.types, "Only this type; a prefix of types when it ends with a dot: library.")
        ->type_name("TYPE")
        ->allow_extra_args(false);
    command.add_option("--match", t.matches, "Only with this member in its Context: librarySectionID=3")
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
    command.add_option("--transport", t.transport, "How to listen: auto, websocket, eventsource or polling")
        ->type_name("NAME")
        ->check(CLI::IsMember(transports()))
        ->take_last();
}

plex::filter make_filter(typed const& t)
{
    plex::filter filter;
    for (std::string const& type : t.types) {
        if (type.empty())
            throw usage_error("--type wants a type, such as library.update.section or library.");
        filter.type(type);
    }
    for (std::string const& match : t.matches) {
        std::size_t const equals = match.find('=');
        if (equals == 0 || equals == std::string::npos)
            throw usage_error("--match wants KEY=VALUE");
        filter.context(match.substr(0, equals), match.substr(equals + 1));
    }
    return filter;
}

std::chrono::steady_clock::duration in_clock_ticks(double seconds)
{
    return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

void add_timeout(CLI::App& command, typed& t)
{
    command.add_option("--timeout", t.timeout, "Give up after so long, with status 4")
        ->type_name("SECONDS")
        ->check(positive_seconds)
        ->take_last();
}

void parse(CLI::App& app, int argc, char** argv, options& result)
{
    try {
        app.parse(argc, argv);
    } catch (CLI::CallForHelp const&) {
        result.help = app.help();
    } catch (CLI::CallForVersion const& version) {
        result.help = version.what() + std::string("\n");
    } catch (CLI::ExtrasError const&) {
        throw usage_error(unexpected(app.remaining(true)));
    } catch (CLI::ParseError const& e) {
        throw usage_error(protocol::terminal_safe(e.what()));
    }
}

} // namespace

options parse_arguments(int argc, char** argv)
{
    typed t;
    options& o = t.result;
    CLI::App app("Follows and cancels the activities of a Plex Media Server.", "plex-activities");
    app.set_version_flag("--version", PLEX_COMMAND_VERSION, "Print the version and exit");
    app.require_subcommand(1);
    app.fallthrough(); // options of all commands stand before or after the command's name
    app.add_option("--server", o.server, "The server's URL, else PLEX_URL: http://host:32400")
        ->type_name("URL")
        ->take_last();
    CLI::Option* const token =
        app.add_option("--token", o.token, "The X-Plex-Token, else PLEX_TOKEN")->type_name("TOKEN")->take_last();
    CLI::Option* const token_file =
        app.add_option("--token-file", t.token_file, "A file with the token, which only you may read")
            ->type_name("FILE")
            ->take_last()
            ->excludes(token);
    app.add_flag("--json", o.json, "Print a JSON object a line");
    add_connecting(app, o);

    CLI::App* const list = app.add_subcommand("list", "Lists what runs now");
    add_filter(*list, t);
    CLI::App* const watch = app.add_subcommand("watch", "Shows what starts, goes on and ends, until interrupted");
    add_filter(*watch, t);
    add_listening(*watch, t);
    CLI::App* const cancel = app.add_subcommand("cancel", "Asks the server to cancel an activity");
    cancel->add_option("uuid", o.uuid, "Which, as list shows it")->type_name("UUID")->required();
    CLI::App* const scan = app.add_subcommand("scan", "Scans a library section, and follows that to its end");
    scan->add_option("section", o.section, "Its number, as /library/sections shows it")
        ->type_name("SECTION")
        ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max(), "SECTION"))
        ->required();
    scan->add_option("--path", o.path, "Only this folder of it, as the server names it")
        ->type_name("FOLDER")
        ->take_last();
    CLI::App* const run = app.add_subcommand("run", "Sends a request, and follows what it starts to its end");
    run->add_option("method", o.method, "GET, POST, PUT or DELETE")->type_name("METHOD")->required();
    run->add_option("target", o.target, "Path and query: /livetv/dvrs/5/reloadGuide")->type_name("TARGET")->required();
    add_filter(*run, t);
    CLI::App* const wait = app.add_subcommand("wait", "Waits until nothing that matches is running");
    add_filter(*wait, t);
    for (CLI::App* const command : {scan, run, wait})
        add_timeout(*command, t);
    CLI::App* const doctor = app.add_subcommand("doctor", "Finds out why a client sees nothing");
    CLI::App* const record =
        app.add_subcommand("record", "Writes a session to a file, without titles and identities, until interrupted");
    record->add_option("file", o.file, "A new file; - is the standard output")->type_name("FILE")->required();
    add_listening(*record, t);
    CLI::App* const demo = app.add_subcommand("demo", "Shows all this with a server made up for it");
    CLI::Option* const serve =
        demo->add_flag("--serve", o.serve, "Run that server alone, until interrupted; print its URL");
    demo->add_option("--replay", o.replay, "Show a session that record has written")
        ->type_name("FILE")
        ->take_last()
        ->excludes(serve);

    // CLI11's words may repeat what was typed, so nothing of its answers is shown before the secrets are hidden.
    try {
        parse(app, argc, argv, o);
    } catch (...) {
        hide_secrets(argc, argv);
        throw;
    }
    hide_secrets(argc, argv);
    if (!o.help.empty())
        return o;

    o.what = list->parsed()     ? subcommand::list
             : watch->parsed()  ? subcommand::watch
             : cancel->parsed() ? subcommand::cancel
             : scan->parsed()   ? subcommand::scan
             : run->parsed()    ? subcommand::run
             : wait->parsed()   ? subcommand::wait
             : doctor->parsed() ? subcommand::doctor
             : record->parsed() ? subcommand::record
                                : subcommand::demo;
    o.filter = make_filter(t);
    o.transport = transports().at(t.transport);
    if (t.seconds > 0)
        o.limit = in_clock_ticks(t.seconds);
    if (t.timeout > 0)
        o.deadline = in_clock_ticks(t.timeout);
    if (t.count > 0)
        o.count = t.count;
    if (token_file->count() > 0)
        o.token = read_token_file(t.token_file);
    else if (token->count() == 0)
        o.token = environment("PLEX_TOKEN");
    if (o.what == subcommand::demo)
        return o;
    if (o.server.empty())
        o.server = environment("PLEX_URL");
    if (o.proxy.empty() && o.address.empty() && o.unix_socket.empty())
        o.proxy = environment("PLEX_PROXY");
    if (o.server.empty())
        throw usage_error("no server: give --server URL, or set PLEX_URL");
    return o;
}

std::string read_token_file(std::string const& path)
{
    std::string const name = "the token file " + protocol::terminal_safe(path);
    int const file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        throw usage_error(name + " cannot be opened: " + std::strerror(errno));
    struct closer {
        int file;
        ~closer() { close(file); }
    } const closed{file};
    struct stat about{};
    if (fstat(file, &about) != 0)
        throw usage_error(name + " cannot be looked at: " + std::strerror(errno));
    if ((about.st_mode & 077) != 0)
        throw usage_error(name + " is open to others: chmod 600 it");
    std::string text(16 << 10, '\0');
    std::size_t size = 0;
    while (size != text.size()) {
        ssize_t const got = read(file, text.data() + size, text.size() - size);
        if (got < 0)
            throw usage_error(name + " cannot be read: " + std::strerror(errno));
        if (got == 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    if (size == text.size())
        throw usage_error(name + " is too long for a token");
    text.resize(size);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.pop_back();
    if (text.empty())
        throw usage_error(name + " is empty");
    return text;
}

} // namespace plex::command
