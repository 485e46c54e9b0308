#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace plex::protocol {

/// A member of a JSON object given as text, as text: strings unescaped, numbers and booleans as they stand, objects and
/// arrays as JSON. Nothing where the member is missing or null, or the text is no object. Of members of one name the
/// last counts, as with other readers of JSON.
std::optional<std::string> member_text(std::string_view object, std::string_view key);

/// Appends `text`, which must be valid UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

/// Begins a member of the JSON object that `out` ends with and that is not closed yet. The name is taken as it is.
void append_json_name(std::string& out, std::string_view name);
/// The same, and its value: `text`, which must be valid UTF-8.
void append_json_member(std::string& out, std::string_view name, std::string_view text);

/// Appends what the text between a JSON string's quotes means, and says whether each escape is one. Halves of surrogate
/// pairs become U+FFFD and are counted: parsers refuse a whole document for one.
bool unescape(std::string_view text, std::string& out, std::size_t& repaired);

} // namespace plex::protocol
