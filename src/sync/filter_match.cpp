#include "filter_match.hpp"

#include <algorithm>

namespace plex::sync {

namespace {

bool is_or_begins(std::string_view type, std::string_view wanted) noexcept
{
    return wanted.ends_with('.') ? type.starts_with(wanted) : type == wanted;
}

} // namespace

answer match(filter const& f, activity const& a)
{
    auto const& types = f.types();
    auto const has_type = [&](std::string const& wanted) { return is_or_begins(a.type(), wanted); };
    if (!types.empty() && std::none_of(types.begin(), types.end(), has_type))
        return answer::no;

    auto const& uuids = f.uuids();
    if (!uuids.empty() && std::find(uuids.begin(), uuids.end(), a.uuid()) == uuids.end())
        return answer::no;

    answer result = answer::yes;
    for (auto const& [key, wanted] : f.contexts()) {
        auto const value = a.context().text(key);
        if (!value)
            result = answer::not_yet_known;
        else if (*value != wanted)
            return answer::no;
    }
    return result;
}

} // namespace plex::sync
