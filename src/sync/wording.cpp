#include "wording.hpp"

#include <vector>

namespace plex::sync {

namespace {

std::string listed(std::vector<std::string> const& texts)
{
    std::string result;
    for (std::string const& text : texts)
        result += (result.empty() ? "" : " or ") + text;
    return result;
}

} // namespace

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
        add(std::string(key).append("=").append(value));
    return result;
}

std::string describe(std::map<std::string, int> const& types)
{
    std::string result;
    for (auto const& [type, count] : types) {
        result += (result.empty() ? "" : ", ") + type;
        if (count > 1)
            result += " (" + std::to_string(count) + ")";
    }
    return result;
}

} // namespace plex::sync
