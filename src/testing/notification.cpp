#include "testing/notification.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <mutex>
#include <random>

namespace plex::testing {
namespace {

feed_item other(std::string type, std::string key, std::string object)
{
    feed_item item(feed_item::kind::notification);
    item.type = std::move(type);
    item.key = std::move(key);
    item.text = std::move(object);
    return item;
}

} // namespace

void append_number(std::string& out, double number)
{
    std::array<char, 32> text;
    bool const whole = std::trunc(number) == number && std::abs(number) < 1e15;
    auto const end = whole ? std::to_chars(text.data(), text.data() + text.size(), static_cast<long long>(number)).ptr
                           : std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
}

std::string const& feed_item::websocket_text() const
{
    if (what == kind::raw_message)
        return text;
    if (websocket_text_.empty()) {
        websocket_text_.reserve(text.size() + type.size() + key.size() + 64);
        websocket_text_ = R"({"NotificationContainer":{"type":)";
        append_json_string(websocket_text_, type);
        websocket_text_ += R"(,"size":1,)";
        append_json_string(websocket_text_, key);
        websocket_text_.append(":[").append(text).append("]}}");
    }
    return websocket_text_;
}

std::string const& feed_item::event_stream_text() const
{
    if (event_stream_text_.empty()) {
        event_stream_text_.append("event: ").append(type).append("\ndata: {");
        append_json_string(event_stream_text_, key);
        event_stream_text_.append(":").append(text).append("}\n\n");
    }
    return event_stream_text_;
}

void feed_item::set_envelopes(std::string websocket, std::string event_stream)
{
    websocket_text_ = std::move(websocket);
    event_stream_text_ = std::move(event_stream);
}

feed_filter::feed_filter(std::optional<std::string> const& filters)
{
    if (!filters) {
        types_.emplace_back("log");
        return;
    }
    std::string_view rest = *filters;
    negated_ = rest.empty() || rest.front() == '-';
    if (negated_ && !rest.empty())
        rest.remove_prefix(1);
    while (!rest.empty()) {
        auto const comma = rest.find(',');
        types_.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
}

bool feed_filter::admits(std::string_view type) const
{
    bool const named = std::find(types_.begin(), types_.end(), type) != types_.end();
    return named != negated_;
}

void append_json_string(std::string& out, std::string_view text)
{
    static constexpr std::string_view digits = "0123456789abcdef";
    out += '"';
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out.append({'\\', c});
        else if (byte < 0x20)
            out.append("\\u00").append({digits[byte >> 4], digits[byte & 15]});
        else
            out += c; // Bytes that are not UTF-8 stay so: the server does not look at them either (protocol.md 5).
    }
    out += '"';
}

void append_activity(std::string& out, fake_activity const& activity)
{
    out += R"({"uuid":)";
    append_json_string(out, activity.uuid);
    out += R"(,"type":)";
    append_json_string(out, activity.type);
    out += activity.cancellable ? R"(,"cancellable":true)" : R"(,"cancellable":false)";
    if (activity.user_id)
        out.append(R"(,"userID":)").append(std::to_string(*activity.user_id));
    out += R"(,"title":)";
    append_json_string(out, activity.title);
    out += R"(,"subtitle":)";
    append_json_string(out, activity.subtitle);
    if (activity.progress) {
        out += R"(,"progress":)";
        append_number(out, *activity.progress);
    }
    if (!activity.context_json.empty())
        out.append(R"(,"Context":)").append(activity.context_json);
    if (!activity.response_json.empty())
        out.append(R"(,"Response":)").append(activity.response_json);
    auto const open = activity.extra_json.find('{');
    auto const close = activity.extra_json.rfind('}');
    if (open != std::string::npos && close != std::string::npos && close > open + 1)
        out.append(",").append(activity.extra_json, open + 1, close - open - 1);
    out += '}';
}

std::string activity_notification(std::string_view event, fake_activity const& activity)
{
    std::string text;
    text.reserve(320 + activity.subtitle.size() + activity.context_json.size() + activity.response_json.size());
    text += R"({"event":)";
    append_json_string(text, event);
    text += R"(,"uuid":)";
    append_json_string(text, activity.uuid);
    text += R"(,"Activity":)";
    append_activity(text, activity);
    text += '}';
    return text;
}

std::string list_json(std::vector<fake_activity const*> const& activities)
{
    std::string text = R"({"MediaContainer":{"size":)" + std::to_string(activities.size());
    // Not an empty array: the field is absent when nothing runs (protocol.md 1.1).
    char const* before = R"(,"Activity":[)";
    for (auto const* activity : activities) {
        text += before;
        append_activity(text, *activity);
        before = ",";
    }
    return text + (activities.empty() ? "}}" : "]}}");
}

std::vector<feed_item> other_notifications()
{
    std::vector<feed_item> all;
    all.push_back(other("playing", "PlaySessionStateNotification",
                        R"({"sessionKey":"12","key":"/library/metadata/86099","viewOffset":61000,"state":"playing"})"));
    all.push_back(other("timeline", "TimelineEntry",
                        R"({"identifier":"com.plexapp.plugins.library","sectionID":"3","itemID":"86099","type":1,)"
                        R"("title":"The Quiet Harbour","state":5})"));
    all.push_back(other("status", "StatusNotification",
                        R"({"title":"Library scan complete","description":"","notificationName":"LIBRARY_UPDATE"})"));
    // File names are bytes to the server; these are not UTF-8 (protocol.md 5).
    all.push_back(other("progress", "ProgressNotification", "{\"message\":\"Scanning L\xe9gende (1997)\"}"));
    all.push_back(other("backgroundProcessingQueue", "BackgroundProcessingQueueEventNotification",
                        R"({"queueID":4,"event":"queueRegenerated"})"));
    all.push_back(other("reachability", "ReachabilityNotification", R"({"reachability":true})"));
    all.push_back(other("preference", "Setting", R"({"id":"LogVerbose","type":"bool","default":0,"value":false})"));
    all.push_back(other("account", "AccountUpdateNotification", R"({"subscription":true})"));
    // The same fields as strings and as numbers, as servers have sent them (protocol.md 2.11).
    for (char const* type : {"transcodeSession.start", "transcodeSession.update", "transcodeSession.end"})
        all.push_back(other(type, "TranscodeSession",
                            R"({"key":"k2q7","progress":"27.5","speed":"0","duration":2665119,"complete":false})"));
    all.push_back(other("transcode.end", "TranscodeSession", R"({"key":"k2q7","progress":1.600000023841858})"));
    all.push_back(other("update.statechange", "AutoUpdateNotification",
                        R"({"key":"/updater/1","version":"1.43.4","state":"downloading"})"));
    all.push_back(other("provider.content.change", "MediaProviderContentNotification",
                        R"({"type":"home","identifier":"tv.plex.provider.epg"})"));
    all.push_back(other("log", "LogSentNotification",
                        R"({"level":3,"thread":"6536","time":"Nov 29, 2024 11:00:09.977","message":"Reading"})"));
    return all;
}

std::string random_uuid()
{
    static std::mutex mutex;
    static std::mt19937_64 source{std::random_device{}()};
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx";
    std::lock_guard const lock(mutex);
    for (char& c : text)
        if (c == 'x')
            c = digits[source() & 15];
    return text;
}

} // namespace plex::testing
