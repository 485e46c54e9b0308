#include "options.hpp"

#include "command_line.hpp"
#include "protocol/utf8.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace plex::command {
namespace {

plex::transport transport_of(std::string_view name)
{
    for (auto const& [known, transport] : transports())
        if (known == name)
            return transport;
    return plex::transport::automatic; // never: the parser lets the known ones alone through
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

// Arguments that nobody expected may be a token whose option was mistyped: names of options are repeated, values not.
std::string unexpected(std::vector<std::string> const& arguments)
{
    for (std::string const& a : arguments)
        if (a.starts_with("--") && a.size() > 2)
            return "unknown option " + protocol::terminal_safe(a.substr(0, a.find('=')));
    return "an argument that does not belong here";
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
    std::unique_ptr<CLI::App> const app = command_line(t);

    // CLI11's words may repeat what was typed, so nothing of its answers is shown before the secrets are hidden.
    try {
        parse(*app, argc, argv, o);
    } catch (...) {
        hide_secrets(argc, argv);
        throw;
    }
    hide_secrets(argc, argv);
    if (!o.help.empty())
        return o;

    o.filter = make_filter(t);
    o.transport = transport_of(t.transport);
    if (t.seconds > 0)
        o.limit = in_clock_ticks(t.seconds);
    if (t.timeout > 0)
        o.deadline = in_clock_ticks(t.timeout);
    if (t.count > 0)
        o.count = t.count;
    if (app->count("--token-file") > 0)
        o.token = read_token_file(t.token_file);
    else if (app->count("--token") == 0)
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
