#pragma once

#include <plex/activity.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plex::protocol {

/// One entry of a notification or a list: what was there and nothing else, so that it can be merged with what is known.
/// Views are valid UTF-8; they lie in the bytes that were read or in the decoder, and live as long as those bytes do,
/// and until the next call on the decoder.
struct activity_update {
    event_kind kind =
        event_kind::updated; ///< an event of an unknown name is `updated`, its name kept in `extra` as "event"
    std::string_view uuid;   ///< never empty, at most 256 bytes
    std::string_view type;   ///< empty where it was missing; at most 256 bytes
    std::optional<std::string_view> title; ///< at most 4 KiB
    std::optional<std::string_view> subtitle;
    std::optional<int> progress; ///< truncated; -1 is "indeterminate"
    std::optional<bool> cancellable;
    std::optional<std::int64_t> user_id;
    std::optional<std::string_view> context; ///< JSON objects' texts
    std::optional<std::string_view> response;
    std::string_view extra; ///< unknown fields, and known ones of an unreadable shape; empty where there are none
    bool context_left_out = false; ///< exceeded the bound: was there, is not given
    bool response_left_out = false;
    bool extra_left_out = false;
};

enum class decoded : std::uint8_t {
    activities, ///< `updates()` holds what it said, perhaps nothing
    other,      ///< about something else
    malformed,  ///< `problem()` says what is wrong; `updates()` is empty
};

/// Reads notifications of both envelopes (docs/protocol.md 2.13) and lists. Lenient about scalars (rule 6), unknown
/// fields and invalid UTF-8; one entry that has no uuid is left out and counted, the others stand.
///
/// The bytes given are followed by 16 more that may be read; a decoder may change the bytes, not those behind them.
/// Once warm it allocates nothing. After a `std::bad_alloc` the next message is read as ever; until then `updates()` is
/// of no use.
class decoder
{
public:
    /// For whoever is done with the result before anything else may run on the thread.
    static decoder& of_this_thread();

    decoder();
    decoder(decoder&&) noexcept;
    ~decoder();

    /// A message of the feed: `{"NotificationContainer":{…,"ActivityNotification":[…]}}` or
    /// `{"ActivityNotification":{…}}`. One that begins with `{"NotificationContainer":{"type":"`, another type than
    /// `activity`, and does not contain the text `ActivityNotification`, is `other` as soon as it ends with `}}`: it is
    /// not checked any further, nor counted in `repaired_utf8`.
    ///
    /// @param max_depth levels of JSON, 6 to 64: what is nested deeper is malformed
    decoded notification(std::span<char> bytes, unsigned max_depth = 32);
    /// The body of `GET /activities`: `{"MediaContainer":{"size":…,"Activity":[…]}}`; no `Activity` is an empty list.
    decoded list(std::span<char> bytes, unsigned max_depth = 32);
    /// The same of a body that lies in `bytes`, which are the decoder's from then on.
    decoded take_list(std::unique_ptr<char[]> bytes, std::span<char> body, unsigned max_depth = 32);

    /// Gives back what the last list took; `updates()` are none then.
    void release();

    std::span<activity_update const> updates() const noexcept;
    /// What is wrong with a malformed message, in words without any of its content but, at most, a shape such as "XML".
    std::string_view problem() const noexcept;
    /// Entries left out of the last message.
    std::size_t malformed_entries() const noexcept;
    /// Ill-formed UTF-8 sequences replaced in the last message.
    std::size_t repaired_utf8() const noexcept;

private:
    class reader;
    std::unique_ptr<reader> reader_;
};

} // namespace plex::protocol
