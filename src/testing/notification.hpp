#pragma once
#include "plex/testing/fake_server.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plex::testing {

/// What a listener is to be sent, or to do, in the order of the calls. One is shared by all listeners.
struct feed_item {
    enum class kind { notification, raw_message, bytes, ping, event_stream_ping, close };

    explicit feed_item(kind what_) : what(what_) {}

    kind what;
    std::string type;
    std::string key;
    /// Of a notification its object, else the text, the bytes, the payload, or the reason of a close.
    std::string text;
    bool binary = false;
    std::uint16_t close_code = 0;

    /// The two envelopes of protocol.md 2.13, each made when the first listener of its sort asks for it.
    std::string const& websocket_text() const;
    std::string const& event_stream_text() const;
    /// As they were recorded.
    void set_envelopes(std::string websocket, std::string event_stream);

private:
    mutable std::string websocket_text_;
    mutable std::string event_stream_text_;
};

/// `filters` of protocol.md 1.3; absent means all but logs.
class feed_filter
{
public:
    explicit feed_filter(std::optional<std::string> const& filters);
    bool admits(std::string_view type) const;

private:
    bool negated_ = true;
    std::vector<std::string> types_;
};

void append_number(std::string& out, double number);
void append_json_string(std::string& out, std::string_view text);
/// The object of an `Activity`, as the list and the feed have it.
void append_activity(std::string& out, fake_activity const& activity);
std::string activity_notification(std::string_view event, fake_activity const& activity);

std::string list_json(std::vector<fake_activity const*> const& activities);
std::string list_xml(std::vector<fake_activity const*> const& activities);

/// One of each type of protocol.md 3 but `activity`.
std::vector<feed_item> other_notifications();

std::string random_uuid();

} // namespace plex::testing
