#pragma once

#include <plex/filter.hpp>

#include <map>
#include <string>

// What messages say of filters and of what runs.
namespace plex::sync {

/// "type library.update.section with librarySectionID=3"
std::string describe(filter const&);

/// "library.update.section (2), media.download"
std::string describe(std::map<std::string, int> const& types);

} // namespace plex::sync
