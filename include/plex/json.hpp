#pragma once

/// @file
/// Context, Response and extra fields as Boost.JSON values, and activities as text that outlives the process; a header
/// of its own, as Boost.JSON costs compile time. A value is a copy, made on whatever thread.

#include <plex/activity.hpp>

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace plex {

/// The object's members; an empty object where the server sent none. Nothing but `std::bad_alloc` is thrown, as the
/// text is valid JSON.
PLEX_API boost::json::object to_json(attributes const&);

/// The activity as a JSON object's text, in the form in which servers list it (docs/protocol.md 2.14), unknown fields
/// included: to be kept for another process, which gives it to `client::subscribe` as `known`. What was left out for
/// its length stays so without being named. Nothing but `std::bad_alloc` is thrown.
PLEX_API std::string to_json_text(activity const&);

/// The activity of such a text; nothing where it is none, or names no uuid. As lenient as with a server's list, but for
/// a text that holds more than one object. Nothing but `std::bad_alloc` is thrown.
PLEX_API std::optional<activity> activity_from_json_text(std::string_view);

} // namespace plex
