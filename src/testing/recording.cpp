#include "plex/testing/recording.hpp"

#include "protocol/json_text.hpp"
#include "testing/recorded_line.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <istream>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace plex::testing {

namespace json = boost::json;

namespace {

using sort = recorded_line::sort;
using transport = recorded_line::transport;

constexpr std::size_t longest_message = 16u << 20;

/// What is wrong with a line, in words of ours.
struct unreadable {
    char const* why;
};

json::value const* find(json::object const& object, std::string_view name)
{
    return object.if_contains(json::string_view(name.data(), name.size()));
}

json::object const* find_object(json::object const& object, std::string_view name)
{
    json::value const* const found = find(object, name);
    return found ? found->if_object() : nullptr;
}

std::string text_of(json::object const& object, std::string_view name)
{
    json::value const* const found = find(object, name);
    json::string const* const text = found ? found->if_string() : nullptr;
    return text ? std::string(text->data(), text->size()) : std::string();
}

/// A whole number from 0 to `most`.
std::int64_t number_of(json::object const& object, std::string_view name, std::int64_t most)
{
    json::value const* const found = find(object, name);
    std::int64_t const* const number = found ? found->if_int64() : nullptr;
    if (!number || *number < 0 || *number > most)
        throw unreadable{"a number is missing or out of range"};
    return *number;
}

/// One object or an array of them: the two transports differ in that (protocol.md 2.13).
template <class Function>
void for_each_object(json::value const& of, Function function)
{
    if (json::object const* const one = of.if_object())
        function(*one);
    else if (json::array const* const several = of.if_array())
        for (json::value const& each : *several)
            if (json::object const* const object = each.if_object())
                function(*object);
}

/// Members of a kind that a `fake_activity` does not have are sent as they were, among what is added.
fake_activity activity_of(json::object const& from, std::string const& uuid_around)
{
    fake_activity made("", "");
    made.progress.reset();
    made.user_id.reset();
    made.uuid = uuid_around;
    json::object others;
    for (auto const& [name, value] : from) {
        json::string const* const text = value.if_string();
        std::string* const field = name == "uuid"       ? &made.uuid
                                   : name == "type"     ? &made.type
                                   : name == "title"    ? &made.title
                                   : name == "subtitle" ? &made.subtitle
                                                        : nullptr;
        std::string* const structure = name == "Context"    ? &made.context_json
                                       : name == "Response" ? &made.response_json
                                                            : nullptr;
        if (text && field)
            field->assign(text->data(), text->size());
        else if (structure && value.is_object())
            *structure = json::serialize(value);
        else if (name == "cancellable" && value.is_bool())
            made.cancellable = value.get_bool();
        else if (name == "progress" && value.is_number())
            made.progress = value.to_number<double>();
        else if (name == "userID" && value.is_int64())
            made.user_id = value.get_int64();
        else
            others.insert_or_assign(name, value);
    }
    if (!uuid_around.empty())
        made.uuid = uuid_around;
    if (!others.empty())
        made.extra_json = json::serialize(others);
    return made;
}

void read_list(recorded_line& line, json::object const& list)
{
    json::object const* const container = find_object(list, "MediaContainer");
    if (!container)
        throw unreadable{"a list without a MediaContainer"};
    if (json::value const* const activities = find(*container, "Activity"))
        for_each_object(*activities, [&](json::object const& each) {
            fake_activity made = activity_of(each, {});
            if (!made.uuid.empty())
                line.activities.push_back(std::move(made));
        });
}

void read_notification(recorded_line& line, json::object const& message)
{
    json::object const* const container = find_object(message, "NotificationContainer");
    line.type = container ? text_of(*container, "type") : std::string();
    if (line.type.empty())
        line.type = "activity"; // the one event that is asked for (protocol.md 1.3)
    for (auto const& [key, value] : container ? *container : message) {
        std::string const name(key.data(), key.size());
        for_each_object(value, [&](json::object const& each) {
            line.objects.emplace_back(name, json::serialize(each));
            json::object const* const activity = find_object(each, "Activity");
            if (name != "ActivityNotification" || !activity)
                return;
            fake_activity made = activity_of(*activity, text_of(each, "uuid"));
            if (made.uuid.empty())
                return;
            line.activities.push_back(std::move(made));
            line.events.push_back(text_of(each, "event"));
        });
    }
}

std::optional<transport> transport_named(std::string_view name)
{
    if (name == "websocket")
        return transport::websocket;
    if (name == "eventsource")
        return transport::eventsource;
    if (name == "polling")
        return transport::polling;
    return std::nullopt;
}

json::object parsed(std::string const& text)
{
    boost::system::error_code failure;
    json::value value = json::parse(text, failure);
    if (failure || !value.is_object())
        throw unreadable{"it is no JSON object"};
    return std::move(value.get_object());
}

/// Nothing where it says something that later versions may say.
std::optional<recorded_line> line_of(std::string const& text, transport& over)
{
    json::object const object = parsed(text);
    recorded_line line;
    line.at = std::chrono::milliseconds(number_of(object, "ms", std::int64_t(1) << 40));
    std::string const connection = text_of(object, "connection");
    if (json::object const* const list = find_object(object, "list")) {
        line.what = sort::list;
        read_list(line, *list);
    } else if (json::object const* const message = find_object(object, "notification")) {
        line.what = sort::notification;
        line.text = protocol::member_text(text, "notification").value_or("");
        read_notification(line, *message);
    } else if (find(object, "malformed")) {
        line.what = sort::malformed;
        line.bytes = static_cast<std::size_t>(number_of(object, "bytes", longest_message));
        if (text_of(object, "malformed") != "notification")
            return std::nullopt;
    } else if (connection == "connected") {
        std::optional<transport> const named = transport_named(text_of(object, "transport"));
        if (!named)
            throw unreadable{"an unknown transport"};
        line.what = sort::connected;
        over = *named;
    } else if (connection == "interrupted") {
        line.what = sort::interrupted;
    } else {
        return std::nullopt;
    }
    line.over = over;
    return line;
}

void check_head(std::string const& text)
{
    json::object const object = parsed(text);
    if (text_of(object, "recording") != "plex-activities")
        throw unreadable{"it is no recording of plex-activities"};
    if (number_of(object, "version", 1u << 20) != 1)
        throw unreadable{"it is of a version that is not known here"};
}

} // namespace

recording::recording() : lines_(std::make_shared<std::vector<recorded_line> const>()) {}

recording::recording(std::vector<recorded_line> lines)
    : lines_(std::make_shared<std::vector<recorded_line> const>(std::move(lines)))
{
}

std::size_t recording::size() const noexcept
{
    return lines_->size();
}

std::chrono::milliseconds recording::duration() const noexcept
{
    return lines_->empty() ? std::chrono::milliseconds(0) : lines_->back().at;
}

recording read_recording(std::istream& from)
{
    std::vector<recorded_line> lines;
    transport over = transport::websocket;
    std::size_t number = 0;
    std::string text;
    try {
        while (std::getline(from, text)) {
            if (++number == 1)
                check_head(text);
            else if (std::optional<recorded_line> line = line_of(text, over)) {
                if (!lines.empty() && line->at < lines.back().at)
                    throw unreadable{"it is older than the one before it"};
                lines.push_back(std::move(*line));
            }
        }
        if (number == 0)
            throw unreadable{"there is none"};
    } catch (unreadable const& e) {
        throw std::runtime_error("line " + std::to_string(number == 0 ? 1 : number) + " of the recording: " + e.why);
    }
    return recording(std::move(lines));
}

} // namespace plex::testing
