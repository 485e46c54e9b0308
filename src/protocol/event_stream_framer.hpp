#pragma once

#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The text/event-stream format of the WHATWG's HTML standard ("Server-sent events"), without I/O: what Plex calls
// EventSource (protocol.md 2.13 and 5). Bytes are handed on as they came, valid UTF-8 or not, as by websocket_framer.
namespace plex::protocol {

enum class event_stream : std::uint8_t {
    need_more, // all input is used up: feed again. If there is no more, what is unfinished is dropped
    event,     // a whole event
    retry,     // how long to wait before connecting anew, from here on
    too_big    // a line or an event's data exceeds the limit, or the memory that there is: drop the connection; next()
               // repeats this from here on
};

struct event_stream_item {
    event_stream what = event_stream::need_more;
    // event: what its `event` field said, or "message". Plex's sign of life is an event as any other: it is named
    // "ping" and has the data "{}".
    std::string_view name;
    // event: its data lines, joined by line feeds. These bytes may be changed by whoever takes them, and the 16 bytes
    // after them may be read, not written: they can be what follows in the stream, so nothing may depend on them.
    std::span<char> data;
    // event: the last id that the stream has given, in this event or an earlier one; empty where there was none. Plex
    // sends none and replays nothing (protocol.md 5).
    std::string_view id;
    // retry: as the server gave it, unbounded but for the type: at most max_retry.
    std::chrono::milliseconds retry{};
};

// Usage: feed() what was read, then call next() until it gives need_more. What an item refers to is valid until the
// next call of either, and no longer than the input.
//
// An event is handed out where it lies in the input; data lines that lie there together are joined in place, so the
// input that is used up changes. Only the event that the end of the input cuts in two is copied into storage of our
// own, which is freed once nothing is unfinished.
//
// Comments give no item: any byte is a sign of life, and whoever feeds us knows that it came.
class event_stream_framer
{
public:
    static constexpr std::size_t slack = 16;
    static constexpr std::chrono::milliseconds max_retry{0x7fffffff};

    // The limit is one for each line, without its end, and for the data of an event.
    explicit event_stream_framer(std::size_t limit) noexcept : limit_(limit) {}
    event_stream_framer(event_stream_framer const&) = delete;
    event_stream_framer& operator=(event_stream_framer const&) = delete;

    // Preconditions: next() has given need_more since the last feed(); 16 bytes past the end of `input` may be read.
    void feed(std::span<char> input) noexcept;

    event_stream_item next();

    // After too_big: what was, in words of ours.
    std::string_view fault() const noexcept { return fault_; }

    // Bytes of storage held for what is unfinished, and for a long id.
    std::size_t memory() const noexcept;

private:
    char* find_line_end(char* from) const noexcept;
    bool take_plain_event(event_stream_item& item) noexcept;
    event_stream_item next_slow();
    bool take_line(std::span<char>& line);
    void pass_line_end(char* line_end) noexcept;
    event_stream_item read_line(std::span<char> line);
    event_stream_item end_event() noexcept;
    static event_stream_item read_retry(std::string_view digits) noexcept;
    void add_data(std::span<char> value);
    bool unfinished() const noexcept;
    void keep_unfinished();
    void store(std::size_t offset, std::span<char const> bytes);
    void forget_event() noexcept;
    void free_storage() noexcept;
    void refuse(std::string_view fault) noexcept;

    char* at_ = nullptr; // the input not yet used
    char* end_ = nullptr;
    std::size_t limit_;

    // Nothing is unfinished or waits to be forgotten: take_plain_event() may be tried.
    bool between_events_ = false;
    bool first_line_ = true;   // which may begin with a byte order mark
    bool after_cr_ = false;    // the input ended with a CR: an LF that comes next belongs to it
    bool delivered_ = false;   // the event has been handed out, and is to be forgotten
    bool line_stored_ = false; // the line that is being read is in storage_, not in the input
    bool data_stored_ = false; // likewise data_

    // The event that is being read. Its data is null before its first data line.
    std::string name_;
    std::span<char> data_;
    std::string id_;
    // First data_, if it is stored, then what has come of a line that is cut; always larger than both by the slack.
    std::vector<char> storage_;
    std::size_t cut_line_ = 0; // bytes of that line
    std::string_view fault_;
};

} // namespace plex::protocol
