#pragma once

/// @file
/// One activity of the server at one moment, and what is told about it.

#include <plex/abi.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace plex {

namespace detail {
class activity_record;
struct activity_access;
} // namespace detail

/// A JSON object that the server attached to an activity, as a view into the activity it came from: it must not outlive
/// that activity; until then it may be read on any thread. The text is valid JSON in valid UTF-8. Conversion to
/// `boost::json::object` is in `<plex/json.hpp>`.
class PLEX_API attributes
{
public:
    /// None.
    attributes() noexcept = default;
    /// For tests of what reads activities.
    /// @param json the text of a JSON object, which must live as long as this; empty for none. Of a text that is no
    /// object `text()` gives nothing, and `to_json()` an empty one.
    /// @param left_out whether there was one that was too long to be kept
    attributes(std::string_view json, bool left_out) noexcept : json_(json), left_out_(left_out) {}

    /// Whether there is nothing: the server sent none, or it was left out.
    bool empty() const noexcept { return json_.empty(); }
    /// Whether it exceeded 64 KiB (Context, Response and extra together) and was therefore left out whole.
    bool left_out() const noexcept { return left_out_; }
    /// The JSON object's text; empty where there is none.
    std::string_view json() const noexcept { return json_; }
    /// The member `key` as text, the same whether the server sent `"1"` or `1`; `true` and `false` for booleans, the
    /// JSON text for objects and arrays. Nothing where there is no such member or it is null.
    /// @param key the member's name as it is when unescaped; letters count in their case. Of members of one name the
    /// last counts.
    /// @return a string of its own, which may outlive the activity
    std::optional<std::string> text(std::string_view key) const;

private:
    std::string_view json_;
    bool left_out_ = false;
};

/// A handle to one immutable, reference-counted record of an activity (field table: docs/protocol.md 2.14).
///
/// Copying costs one atomic increment. It may be copied, read, kept and released on any thread, after the client too.
/// Every string is valid UTF-8: bytes that were not have become U+FFFD. They come from the server's media and may
/// contain control characters. The views that accessors return live as long as a handle to the same record.
class PLEX_API activity
{
public:
    /// An empty activity: all strings empty, nothing known.
    activity() noexcept = default;
    /// Another handle to the same record: one atomic increment.
    activity(activity const&) noexcept;
    /// Leaves `other` empty.
    activity(activity&& other) noexcept : record_(std::exchange(other.record_, nullptr)) {}
    /// Another handle to the same record: one atomic increment.
    activity& operator=(activity const&) noexcept;
    /// Exchanges the two.
    activity& operator=(activity&& other) noexcept
    {
        std::swap(record_, other.record_);
        return *this;
    }
    /// Releases the record, on whatever thread.
    ~activity()
    {
        if (record_)
            release();
    }

    /// The server's name for this life of the activity; at most 256 bytes. In general a UUID in text form, which this
    /// library does not rely on.
    std::string_view uuid() const& noexcept;
    std::string_view uuid() const&& = delete;
    /// A dotted name such as `library.update.section`; an open set (docs/protocol.md 4). At most 256 bytes.
    std::string_view type() const& noexcept;
    std::string_view type() const&& = delete;
    /// May change while the activity runs. At most 4 KiB, cut at a code point.
    std::string_view title() const& noexcept;
    std::string_view title() const&& = delete;
    /// What it is at just now, often the name of a medium; changes often. At most 4 KiB, cut at a code point.
    std::string_view subtitle() const& noexcept;
    std::string_view subtitle() const&& = delete;
    /// Per cent, as sent but for a fraction, which is cut off: servers send 0 to 100, and nothing else is corrected.
    /// Empty when indeterminate or not sent. 100 is neither the end nor success (docs/protocol.md 2.8).
    std::optional<int> progress() const noexcept;
    /// Whether the server says that `DELETE /activities/{uuid}` cancels it. A scan says no and has a request of its own
    /// (docs/protocol.md 1.2).
    bool cancellable() const noexcept;
    /// The user it runs for; empty where the server did not say.
    std::optional<std::int64_t> user_id() const noexcept;
    /// What it works on. Often absent from the first event (docs/protocol.md 2.14).
    attributes context() const& noexcept;
    attributes context() const&& = delete;
    /// What came of it, where the server says so.
    attributes response() const& noexcept;
    attributes response() const&& = delete;
    /// Every field that this library does not know, and known ones of an unreadable shape.
    attributes extra() const& noexcept;
    attributes extra() const&& = delete;

private:
    friend struct detail::activity_access;
    explicit activity(detail::activity_record const* record) noexcept : record_(record) {}
    void release() noexcept;

    detail::activity_record const* record_ = nullptr;
};

/// What happened in an activity's life.
enum class event_kind : std::uint8_t { started, updated, ended };

/// "started", "updated" or "ended".
PLEX_API std::string_view to_string(event_kind) noexcept;

/// One thing told about one activity.
struct activity_event {
    /// What happened. `ended` alone is the end (docs/protocol.md, rule 11).
    event_kind kind = event_kind::started;
    /// Concluded from a list or from other events, not told by the server in so many words.
    bool inferred = false;
    /// When it was received (or concluded).
    std::chrono::system_clock::time_point at;
    /// When the start was received; empty where it was not seen.
    std::optional<std::chrono::system_clock::time_point> started_at;
    /// The activity after it: all that is known, not only what this event brought.
    plex::activity activity;
};

} // namespace plex
