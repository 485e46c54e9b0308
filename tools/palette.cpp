#include "palette.hpp"

#include <cstdlib>

#include <unistd.h>

namespace plex::command {

bool is_able_terminal(int file) noexcept
{
    char const* const term = std::getenv("TERM");
    return isatty(file) != 0 && !(term && std::string_view(term) == "dumb");
}

palette palette::of(int file) noexcept
{
    char const* const unwanted = std::getenv("NO_COLOR");
    palette p;
    p.colours_ = is_able_terminal(file) && !(unwanted && *unwanted != '\0');
    return p;
}

std::string palette::coloured(std::string_view parameter, std::string_view text) const
{
    if (!colours_ || text.empty())
        return std::string(text);
    // Select Graphic Rendition of ECMA-48, and back to what is usual.
    return "\x1b[" + std::string(parameter) + 'm' + std::string(text) + "\x1b[0m";
}

} // namespace plex::command
