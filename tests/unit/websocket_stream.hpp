#pragma once

#include "catch.hpp"

#include "protocol/websocket_framer.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the tests of WebSocket framing share: frames as a server writes them, and what a framer makes of them.
namespace plex::protocol::testing {

struct seen {
    websocket_event what;
    std::uint16_t code;
    std::string payload;

    bool operator==(seen const&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, seen const& s)
{
    static constexpr char const* names[] = {"need_more", "message",   "ping",           "pong",
                                            "close",     "violation", "message_too_big"};
    out << names[static_cast<int>(s.what)] << ' ' << s.code << ' ' << s.payload.size() << " bytes";
    return out << " \"" << s.payload.substr(0, 40) << '"';
}

using trace = std::vector<seen>;

inline seen message(std::string payload)
{
    return {websocket_event::message, 0, std::move(payload)};
}

inline seen ping(std::string payload)
{
    return {websocket_event::ping, 0, std::move(payload)};
}

inline seen pong(std::string payload)
{
    return {websocket_event::pong, 0, std::move(payload)};
}

inline seen closed(std::uint16_t code, std::string reason = {})
{
    return {websocket_event::close, code, std::move(reason)};
}

inline seen const violation{websocket_event::violation, 1002, {}};
inline seen const too_big{websocket_event::message_too_big, 1009, {}};

enum class form { shortest, bits16, bits64 };

// A frame as a server writes it, byte by byte after RFC 6455, 5.2: independent of the code under test.
inline std::string frame(int first_byte, std::string const& payload, form f = form::shortest)
{
    auto const size = payload.size();
    std::string out(1, static_cast<char>(first_byte));
    auto const push = [&](std::size_t byte) { out += static_cast<char>(byte & 0xff); };
    if (f == form::bits64 || size > 65535) {
        push(127);
        for (int i = 7; i >= 0; --i)
            push(size >> (8 * i));
    } else if (f == form::bits16 || size > 125) {
        push(126);
        push(size >> 8);
        push(size);
    } else {
        push(size);
    }
    return out + payload;
}

inline std::string text(std::string const& payload)
{
    return frame(0x81, payload);
}

// Feeds each piece in memory of its own, filled with zeros and gone afterwards, so that the sanitizers see any use of
// what is no longer there, and reads the slack after each message as a decoder may.
class run
{
public:
    explicit run(std::size_t limit = 1 << 20) : framer_(limit) {}

    run& piece(std::string_view bytes)
    {
        auto const buffer = std::make_unique<char[]>(bytes.size() + websocket_framer::slack);
        std::copy(bytes.begin(), bytes.end(), buffer.get());
        framer_.feed({buffer.get(), bytes.size()});
        while (true) {
            auto const item = framer_.next();
            if (item.what == websocket_event::need_more)
                break;
            if (item.what == websocket_event::message) {
                auto const* const end = item.payload.data() + item.payload.size();
                slack_read_ += std::string(end, end + websocket_framer::slack).size();
            }
            trace_.push_back({item.what, item.close_code, {item.payload.begin(), item.payload.end()}});
            std::fill(item.payload.begin(), item.payload.end(), '\x7f'); // ours to change
            if (item.what >= websocket_event::violation)
                break;
        }
        CHECK(std::string(buffer.get() + bytes.size(), websocket_framer::slack) ==
              std::string(websocket_framer::slack, '\0'));
        return *this;
    }

    trace const& events() const { return trace_; }
    websocket_framer& framer() { return framer_; }

private:
    websocket_framer framer_;
    trace trace_;
    std::size_t slack_read_ = 0;
};

// The last event of a failed connection repeats; a read loop looks at the first only.
inline trace until_failure(trace events)
{
    for (std::size_t i = 0; i != events.size(); ++i)
        if (events[i].what >= websocket_event::violation)
            events.resize(i + 1);
    return events;
}

// The promise on which everything rests: how the network cuts the stream makes no difference.
inline void check_however_cut(std::string const& stream, trace const& expected, std::size_t limit = 1 << 20)
{
    CHECK(until_failure(run(limit).piece(stream).events()) == expected);
    // Of a long stream, which is mostly one payload, each place near its ends and one in 997 of those between.
    auto const near = stream.size() <= 1500 ? stream.size() : 40;
    for (std::size_t cut = 0; cut <= stream.size();
         cut +=
         cut < near || cut + near >= stream.size() ? 1 : std::min<std::size_t>(997, stream.size() - near - cut)) {
        auto const whole = std::string_view(stream);
        auto const got = until_failure(run(limit).piece(whole.substr(0, cut)).piece(whole.substr(cut)).events());
        if (got != expected) {
            CAPTURE(cut);
            CHECK(got == expected);
            return;
        }
    }
    run bytewise(limit);
    for (auto const& byte : stream)
        bytewise.piece({&byte, 1});
    CHECK(until_failure(bytewise.events()) == expected);
}

} // namespace plex::protocol::testing
