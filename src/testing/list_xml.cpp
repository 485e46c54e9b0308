// The list as servers give it to those who do not ask for JSON (protocol.md 2.1, 2.2).
#include "testing/notification.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace plex::testing {
namespace {

void append_attribute(std::string& out, std::string_view name, std::string_view value)
{
    out.append(" ").append(name).append("=\"");
    for (char const c : value) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            if (static_cast<unsigned char>(c) >= 0x20)
                out += c; // XML has no way to say the others.
        }
    }
    out += '"';
}

std::string number_text(double number)
{
    std::string text;
    append_number(text, number);
    return text;
}

/// Members of a JSON object as attributes; booleans are 0 and 1 there.
void append_attributes(std::string& out, std::string const& object_text)
{
    boost::system::error_code failure;
    auto const value = boost::json::parse(object_text, failure);
    if (failure || !value.is_object())
        return;
    for (auto const& member : value.get_object()) {
        if (member.value().is_string())
            append_attribute(out, member.key(), std::string_view(member.value().get_string()));
        else if (member.value().is_bool())
            append_attribute(out, member.key(), member.value().get_bool() ? "1" : "0");
        else if (member.value().is_number())
            append_attribute(out, member.key(), number_text(member.value().to_number<double>()));
    }
}

void append_child(std::string& out, std::string_view name, std::string const& object_text)
{
    if (object_text.empty())
        return;
    out.append("<").append(name);
    append_attributes(out, object_text);
    out += " />\n";
}

} // namespace

std::string list_xml(std::vector<fake_activity const*> const& activities)
{
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MediaContainer size=\"" +
                       std::to_string(activities.size()) + "\">\n";
    for (auto const* activity : activities) {
        text += "<Activity";
        append_attribute(text, "uuid", activity->uuid);
        append_attribute(text, "type", activity->type);
        append_attribute(text, "cancellable", activity->cancellable ? "1" : "0");
        if (activity->user_id)
            append_attribute(text, "userID", std::to_string(*activity->user_id));
        append_attribute(text, "title", activity->title);
        append_attribute(text, "subtitle", activity->subtitle);
        if (activity->progress)
            append_attribute(text, "progress", number_text(*activity->progress));
        append_attributes(text, activity->extra_json);
        text += ">\n";
        append_child(text, "Context", activity->context_json);
        append_child(text, "Response", activity->response_json);
        text += "</Activity>\n";
    }
    return text + "</MediaContainer>\n";
}

} // namespace plex::testing
