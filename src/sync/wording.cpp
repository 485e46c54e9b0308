#include "wording.hpp"

#include "protocol/utf8.hpp"

#include <vector>

namespace plex::sync {

namespace {

constexpr std::size_t most_types = 16;
constexpr std::size_t longest_name = 256;

std::string listed(std::vector<std::string> const& texts)
{
    std::string result;
    for (std::string const& text : texts)
        result += (result.empty() ? "" : " or ") + shown(text);
    return result;
}

} // namespace

std::string shown(std::string_view name)
{
    return protocol::terminal_safe(protocol::cut_utf8(name, longest_name));
}

std::string describe(filter const& f)
{
    if (f.empty())
        return "any activity";
    std::string result;
    auto const add = [&](std::string const& part) { result += (result.empty() ? "" : " with ") + part; };
    if (!f.types().empty())
        add("type " + listed(f.types()));
    if (!f.uuids().empty())
        add("uuid " + listed(f.uuids()));
    for (auto const& [key, value] : f.contexts())
        add(shown(key).append("=").append(shown(value)));
    return result;
}

std::string describe(std::map<std::string, int> const& types)
{
    std::string result;
    std::size_t named = 0;
    for (auto const& [type, count] : types) {
        if (named++ == most_types)
            return result + " and others";
        result += (result.empty() ? "" : ", ") + shown(type);
        if (count > 1)
            result += " (" + std::to_string(count) + ")";
    }
    return result;
}

} // namespace plex::sync
