#pragma once

/// @file
/// Context, Response and extra fields as Boost.JSON values; a header of its own, as Boost.JSON costs compile time. A
/// value is a copy, made on whatever thread; nothing but `std::bad_alloc` is thrown, as the text is valid JSON.

#include <plex/activity.hpp>

#include <boost/json/object.hpp>

namespace plex {

/// The object's members; an empty object where the server sent none.
PLEX_API boost::json::object to_json(attributes const&);

} // namespace plex
