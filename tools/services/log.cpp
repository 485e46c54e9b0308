#include "services/log.hpp"

#include "protocol/utf8.hpp"

#include <exception>
#include <utility>

#include <unistd.h>

namespace plex::service {

namespace {

char priority_of(plex::log_level level)
{
    switch (level) {
    case plex::log_level::error:
        return '3';
    case plex::log_level::warning:
        return '4';
    case plex::log_level::debug:
        return '7';
    case plex::log_level::off:
    case plex::log_level::info:
        break;
    }
    return '6';
}

} // namespace

std::string log_line(plex::log_level level, std::string_view line, bool with_priority)
{
    std::string text;
    if (with_priority) {
        text = "<0>";
        text[1] = priority_of(level);
    }
    return text + protocol::terminal_safe(line) + '\n';
}

void log(plex::log_level level, std::string_view line) noexcept
{
    try {
        static bool const on_terminal = isatty(STDERR_FILENO) == 1;
        std::string const text = log_line(level, line, !on_terminal);
        // In one piece, so that lines of several writers do not mix. Where nobody reads the log, the service goes on.
        [[maybe_unused]] ssize_t const written = write(STDERR_FILENO, text.data(), text.size());
    } catch (std::exception const&) {
        // No memory for a line: the next one may have it again.
    }
}

plex::logger logger_of(std::string server)
{
    plex::logger result;
    result.level = plex::log_level::info;
    result.write = [server = std::move(server)](plex::log_level level, std::string_view line) {
        log(level, server + ": " + std::string(line));
    };
    return result;
}

} // namespace plex::service
