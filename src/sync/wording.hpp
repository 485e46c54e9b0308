#pragma once

#include <plex/filter.hpp>

#include <map>
#include <string>
#include <string_view>

// What messages say of filters and of what runs: on one line that a log or a terminal may show, and not at length,
// whatever the server's names are.
namespace plex::sync {

/// A uuid, a type, or a part of a filter.
std::string shown(std::string_view name);

/// "type library.update.section with librarySectionID=3"
std::string describe(filter const&);

/// "library.update.section (2), media.download"; at most 16 of them
std::string describe(std::map<std::string, int> const& types);

} // namespace plex::sync
