#pragma once

/// @file
/// Context, Response and extra fields as Boost.JSON values; a header of its own, as Boost.JSON costs compile time.

#include <plex/activity.hpp>

#include <boost/json/object.hpp>

namespace plex {

/// The object's members, copied; an empty object where the server sent none. Allocates; on any thread.
/// @throws std::bad_alloc alone, as the text is valid JSON
boost::json::object to_json(attributes const&);

} // namespace plex
