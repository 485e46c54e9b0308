#include <plex/json.hpp>

#include "protocol/decoder.hpp"
#include "protocol/json_text.hpp"
#include "sync/merge.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <span>

namespace plex {

using protocol::append_json_member;
using protocol::append_json_name;

namespace {

void append_object(std::string& out, std::string_view name, attributes const& object)
{
    if (object.empty())
        return;
    append_json_name(out, name);
    out += object.json();
}

// The members of an object that stand between its braces.
std::string_view inner(std::string_view object)
{
    std::size_t const first = object.find('{');
    std::size_t const last = object.rfind('}');
    if (first == object.npos || last == object.npos)
        return {};
    object = object.substr(first + 1, last - first - 1);
    return object.find_first_not_of(" \t\r\n") == object.npos ? std::string_view() : object;
}

} // namespace

boost::json::object to_json(attributes const& from)
{
    boost::system::error_code ec;
    boost::json::value parsed = boost::json::parse(from.json(), ec);
    if (ec || !parsed.is_object())
        return {};
    return std::move(parsed.get_object());
}

std::string to_json_text(activity const& a)
{
    std::string out = "{";
    append_json_member(out, "uuid", a.uuid());
    append_json_member(out, "type", a.type());
    append_json_member(out, "title", a.title());
    append_json_member(out, "subtitle", a.subtitle());
    append_json_name(out, "cancellable");
    out += a.cancellable() ? "true" : "false";
    if (a.progress()) {
        append_json_name(out, "progress");
        out += std::to_string(*a.progress());
    }
    if (a.user_id()) {
        append_json_name(out, "userID");
        out += std::to_string(*a.user_id());
    }
    append_object(out, "Context", a.context());
    append_object(out, "Response", a.response());
    if (std::string_view const more = inner(a.extra().json()); !more.empty()) {
        out += ',';
        out += more;
    }
    out += '}';
    return out;
}

std::optional<activity> activity_from_json_text(std::string_view text)
{
    constexpr std::string_view before = R"({"MediaContainer":{"Activity":[)";
    constexpr std::string_view after = "]}}";
    constexpr std::size_t may_be_read = 16; // behind the text, by the decoder
    std::string list;
    list.reserve(before.size() + text.size() + after.size() + may_be_read);
    list.append(before).append(text).append(after);
    std::size_t const size = list.size();
    list.append(may_be_read, '\0');
    constexpr unsigned deepest = 64;
    protocol::decoder reads;
    if (reads.list(std::span(list.data(), size), deepest) != protocol::decoded::activities ||
        reads.updates().size() != 1 || reads.malformed_entries() != 0)
        return std::nullopt;
    return sync::merge({}, reads.updates().front(), false);
}

} // namespace plex
