#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The client's side of WebSocket framing (RFC 6455, section 5), without I/O. Our own because Plex servers send text
// frames that are not valid UTF-8 (protocol.md, "Invalid UTF-8 in text frames"), which must not end the connection:
// the bytes of a message are handed on as they came.
namespace plex::protocol {

enum class opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

namespace close_code {
inline constexpr std::uint16_t normal = 1000;
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t none = 1005; // the peer's close frame carried no code; never on the wire
inline constexpr std::uint16_t message_too_big = 1009;
} // namespace close_code

enum class websocket_event : std::uint8_t {
    need_more,      // all input is used up: feed again
    message,        // a whole text or binary message
    ping,           // to be answered by a pong with the same payload
    pong,           //
    close,          // nothing after it is looked at: next() gives need_more from here on
    violation,      // the peer broke the protocol: drop the connection; next() repeats this from here on
    message_too_big // likewise, as a message exceeds the limit, or the memory that there is
};

struct websocket_item {
    websocket_event what = websocket_event::need_more;
    // close: the peer's code, whatever its value, or close_code::none; violation and message_too_big: the code to close
    // with; else 0.
    std::uint16_t close_code = 0;
    // message, ping, pong: the payload; close: the reason. Valid until the next call of next() or feed(), and no longer
    // than the input. The bytes of a message may be changed by whoever takes it, and the 16 bytes after them may be
    // read, not written: they can be the frames that follow, so nothing may depend on them.
    std::span<char> payload;
};

// Usage: feed() what was read, then call next() until it gives need_more.
//
// Messages are handed out where they lie in the input. Only what the end of the input cuts in two, and the fragments of
// a message, are copied into storage of our own, which is freed once nothing is unfinished: an idle connection holds
// none.
class websocket_framer
{
public:
    static constexpr std::size_t slack = 16;

    explicit websocket_framer(std::size_t message_limit) noexcept : limit_(message_limit) {}

    // Preconditions: next() has given need_more since the last feed(); 16 bytes past the end of `input` may be read.
    void feed(std::span<char> input) noexcept
    {
        assert(at_ == end_);
        at_ = input.data();
        end_ = at_ + input.size();
    }

    // Nearly every frame is an unfragmented message with a length of 7 or 16 bits that lies whole in the input. Those
    // are dealt with here, all else in next_slow().
    websocket_item next()
    {
        if (between_messages_ && end_ - at_ >= 4) [[likely]] {
            auto const first = static_cast<std::uint8_t>(at_[0]);
            std::size_t length = static_cast<std::uint8_t>(at_[1]);
            char* body = at_ + 2;
            bool plain = length < 126;
            if (length == 126) {
                length = static_cast<std::size_t>(static_cast<std::uint8_t>(at_[2])) << 8 |
                         static_cast<std::uint8_t>(at_[3]);
                body = at_ + 4;
                plain = length >= 126;
            }
            bool const final_text_or_binary = first == 0x81 || first == 0x82;
            if (plain && final_text_or_binary && length <= limit_ && length <= static_cast<std::size_t>(end_ - body))
                [[likely]] {
                at_ = body + length;
                return {websocket_event::message, 0, {body, length}};
            }
        }
        return next_slow();
    }

    // After violation or message_too_big: what was wrong, in words of ours.
    std::string_view fault() const noexcept { return fault_; }

    // Bytes of storage held for what is unfinished.
    std::size_t memory() const noexcept { return storage_.capacity(); }

private:
    websocket_item next_slow();
    websocket_item step();
    bool read_header();
    bool check_header();
    bool check_length(std::uint64_t length);
    websocket_item take_control();
    websocket_item end_by_close(std::span<char> payload);
    bool take_data(websocket_item& message);
    bool store(std::size_t count);
    void release_delivered() noexcept;
    void refuse(std::string_view fault, websocket_event what = websocket_event::violation) noexcept;

    char* at_ = nullptr; // the input not yet used
    char* end_ = nullptr;
    std::size_t limit_;

    // Nothing is unfinished or waits to be released, and the connection has not ended: next()'s short way is open.
    bool between_messages_ = true;
    bool in_payload_ = false; // the current frame's header is complete, its payload is not
    bool fragmented_ = false; // a message has begun whose last fragment has not come
    bool delivered_ = false;  // the last item's payload is in storage_
    bool closed_ = false;
    bool final_ = false; // of the current frame
    opcode opcode_ = opcode::continuation;
    websocket_event failure_ = websocket_event::need_more; // violation or message_too_big once refused
    std::uint8_t header_size_ = 0;
    std::uint8_t control_size_ = 0;
    std::array<std::uint8_t, 10> header_{};
    std::array<char, 125> control_{}; // the payload of a control frame that the input's end cut in two
    std::size_t remaining_ = 0;       // payload bytes of the current frame still to come
    std::size_t stored_ = 0;          // bytes of the message in storage_, which is always larger by the slack
    std::vector<char> storage_;
    std::string_view fault_;
};

using mask_key = std::array<std::uint8_t, 4>;

// Appends one unfragmented client frame. Each frame needs a fresh key from a good random source (RFC 6455, 5.3).
// Precondition: the payload of a control frame has at most 125 bytes.
void append_frame(std::string& out, opcode op, std::string_view payload, mask_key key);

// The payload of a close frame. The reason is cut to the 123 bytes there are. A code that must not be sent (such as
// close_code::none, when a peer's close is echoed) gives an empty payload.
std::string close_payload(std::uint16_t code, std::string_view reason = {});

} // namespace plex::protocol
