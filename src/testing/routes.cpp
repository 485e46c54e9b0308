#include "testing/routes.hpp"

#include "testing/scan_recording.hpp"
#include "testing/server_state.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <utility>

namespace plex::testing {
namespace {

using path_segments = std::vector<std::string_view>;

path_segments split(std::string_view path)
{
    path_segments segments;
    while (!path.empty()) {
        path.remove_prefix(1);
        auto const slash = std::min(path.find('/'), path.size());
        segments.push_back(path.substr(0, slash));
        path.remove_prefix(slash);
    }
    return segments;
}

/// "*" stands for any segment.
bool is(path_segments const& path, std::initializer_list<std::string_view> pattern)
{
    return std::equal(path.begin(), path.end(), pattern.begin(), pattern.end(),
                      [](auto segment, auto wanted) { return wanted == "*" ? !segment.empty() : segment == wanted; });
}

bool wants_json(seen_request const& request)
{
    auto const accept = request.header("Accept");
    return accept && accept->find("application/json") != std::string::npos;
}

reply document(seen_request const& request, std::string json, std::string xml)
{
    bool const as_json = wants_json(request);
    reply result;
    result.content_type = as_json ? "application/json" : "text/xml;charset=utf-8";
    result.body = as_json ? std::move(json) : std::move(xml);
    return result;
}

/// The life of an activity that a request has started: its Context comes with an update only (protocol.md 2.14).
asio::awaitable<void> run_call(std::shared_ptr<server_state> state, fake_activity activity)
{
    auto const half = *state->options.call_duration / 2;
    co_await state->sleep(half);
    activity.progress = 50;
    // False when the activity has been ended meanwhile.
    if (state->is_stopped() || !state->update(activity))
        co_return;
    co_await state->sleep(half);
    if (!state->is_stopped())
        state->end(activity.uuid, 100);
}

reply start_call(std::shared_ptr<server_state> const& state, fake_activity activity, bool header)
{
    reply result;
    if (header || state->options.activity_header_everywhere)
        result.headers.emplace_back("X-Plex-Activity", activity.uuid);
    fake_activity first = activity;
    first.context_json.clear();
    state->start(std::move(first));
    if (state->options.call_duration)
        asio::co_spawn(state->strand, run_call(state, std::move(activity)), asio::detached);
    return result;
}

fake_activity called(std::string type, std::string title, std::string context)
{
    fake_activity activity(std::move(type), std::move(title));
    activity.context_json = std::move(context);
    return activity;
}

std::string object_of(std::string_view key, std::string_view value)
{
    std::string text = "{";
    append_json_string(text, key);
    text += ':';
    append_json_string(text, value);
    return text + "}";
}

reply start_scan(std::shared_ptr<server_state> const& state, std::string_view section)
{
    if (!state->options.refresh_plays_recording)
        return start_call(state, called("library.update.section", "Scanning", object_of("librarySectionID", section)),
                          false);
    scan_options scan;
    scan.section = section;
    scan.uuid = random_uuid();
    scan.duration = state->options.call_duration.value_or(scan.duration);
    reply result;
    if (state->options.activity_header_everywhere)
        result.headers.emplace_back("X-Plex-Activity", scan.uuid);
    asio::co_spawn(state->strand, play_recording(state, std::move(scan)), asio::detached);
    return result;
}

/// Ends what runs of this type, as the cancel requests of their own do (protocol.md 1.2). A scan is told from the
/// scan of another section by its Context, once it has one.
reply stop_calls(server_state& state, std::string_view type, std::string_view section)
{
    std::vector<std::string> found;
    {
        std::lock_guard const lock(state.mutex);
        std::string const context = object_of("librarySectionID", section);
        for (auto const& known : state.running) {
            bool const same =
                section.empty() || section == "all" || known.context_json.empty() || known.context_json == context;
            if (known.type == type && same)
                found.push_back(known.uuid);
        }
    }
    for (auto const& uuid : found) {
        auto const known = state.find(uuid);
        state.end(uuid, known ? known->progress : std::nullopt);
    }
    return reply();
}

reply cancel(server_state& state, std::string_view uuid)
{
    auto const known = state.find(uuid);
    if (!known)
        return error_reply(404);
    if (!known->cancellable)
        return error_reply(400);
    reply result;
    result.cancelled = uuid;
    return result;
}

reply identity(server_state const& state, seen_request const& request)
{
    std::string const id = state.machine_identifier;
    return document(request,
                    R"({"MediaContainer":{"size":0,"claimed":true,"machineIdentifier":")" + id +
                        R"(","version":"1.43.3.10000-fake"}})",
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MediaContainer size=\"0\" claimed=\"1\" "
                    "machineIdentifier=\"" +
                        id + "\" version=\"1.43.3.10000-fake\" />\n");
}

/// Calls that start an activity. An empty optional: none of them.
std::optional<reply> call(std::shared_ptr<server_state> const& state, seen_request const& request,
                          path_segments const& path)
{
    auto const& method = request.method;
    // Documented to name their activity (protocol.md 1.4, 1.7).
    if (method == "GET" && is(path, {"livetv", "epg", "lineup"}))
        return start_call(state, called("provider.epg.load", "Loading lineup", ""), true);
    if (method == "POST" && is(path, {"livetv", "dvrs", "*", "reloadGuide"}))
        return start_call(state, called("provider.epg.load", "Refreshing EPG", object_of("dvrID", path[2])), true);
    if (method == "POST" && is(path, {"livetv", "dvrs", "*", "channels", "*", "tune"}))
        return start_call(state, called("livetv.tune", "Tuning", object_of("channel", path[4])), true);
    if (method == "POST" && is(path, {"media", "grabbers", "devices", "*", "scan"}))
        return start_call(state, called("media.grabbers.scan", "Scanning channels", object_of("deviceID", path[3])),
                          true);
    if (method == "POST" && is(path, {"media", "subscriptions", "process"})) {
        fake_activity activity("provider.subscriptions.process", "Processing subscriptions");
        activity.cancellable = true;
        return start_call(state, std::move(activity), true);
    }
    // Documented to start one, and not to name it.
    if ((method == "GET" || method == "POST") && is(path, {"library", "sections", "*", "refresh"}))
        return start_scan(state, path[2]);
    if (method == "PUT" && is(path, {"library", "metadata", "*", "refresh"}))
        return start_call(state,
                          called("library.refresh.items", "Refreshing",
                                 object_of("key", request.path.substr(0, request.path.rfind('/')))),
                          false);
    if (method == "GET" && is(path, {"library", "metadata", "*"}) &&
        std::any_of(request.query.begin(), request.query.end(),
                    [](auto const& pair) { return pair.first.substr(0, 5) == "async" && pair.second == "1"; }))
        return start_call(state, called("library.refresh.items", "Refreshing", object_of("key", request.path)), false);
    if (method == "PUT" && is(path, {"library", "optimize"}) && request.query_value("async") == "1")
        return start_call(state, called("library.optimize", "Optimizing database", ""), false);
    if (method == "DELETE" && is(path, {"library", "sections", "*"}) && request.query_value("async") == "1")
        return start_call(state, called("library.delete.section", "Deleting", object_of("librarySectionID", path[2])),
                          false);
    // Their own ways to be cancelled.
    if (method == "DELETE" && is(path, {"library", "sections", "*", "refresh"}))
        return stop_calls(*state, "library.update.section", path[2]);
    if (method == "DELETE" && is(path, {"livetv", "dvrs", "*", "reloadGuide"}))
        return stop_calls(*state, "provider.epg.load", "");
    if (method == "DELETE" && is(path, {"media", "grabbers", "devices", "*", "scan"}))
        return stop_calls(*state, "media.grabbers.scan", "");
    return std::nullopt;
}

bool token_is_good(server_state const& state, seen_request const& request)
{
    std::lock_guard const lock(state.mutex);
    return state.token.empty() || request.header("X-Plex-Token") == state.token ||
           request.query_value("X-Plex-Token") == state.token;
}

} // namespace

reply answer(std::shared_ptr<server_state> const& state, seen_request const& request, bool is_upgrade)
{
    auto const path = split(request.path);
    if (request.method == "GET" && is(path, {"identity"}))
        return identity(*state, request);
    if (!token_is_good(*state, request)) {
        reply refused = error_reply(401);
        refused.body = unauthorized_page(state->options.html_error_script);
        return refused;
    }
    if (state->options.require_client_identifier && !request.header("X-Plex-Client-Identifier") &&
        !request.query_value("X-Plex-Client-Identifier"))
        return error_reply(400);
    if (request.method == "GET" && is(path, {":", "websockets", "notifications"})) {
        if (!is_upgrade)
            return error_reply(400);
        reply result;
        result.becomes = reply::feed::websocket;
        return result;
    }
    if (request.method == "GET" && is(path, {":", "eventsource", "notifications"})) {
        reply result;
        result.becomes = reply::feed::event_stream;
        return result;
    }
    if (request.method == "GET" && is(path, {"activities"}))
        return document(request, state->list(true), state->list(false));
    if (request.method == "DELETE" && is(path, {"activities", "*"}))
        return cancel(*state, path[1]);
    return call(state, request, path).value_or(error_reply(404));
}

} // namespace plex::testing
