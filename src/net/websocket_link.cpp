#include "net/websocket_link.hpp"

#include "net/random.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>
#include <utility>

namespace plex::net {

namespace {

constexpr std::size_t most_unread = 64u << 10;

/// The ping that asks for a confirmation carries its number; those for silence have no payload.
std::optional<std::uint32_t> number_in(std::span<char const> pong)
{
    std::uint32_t number = 0;
    auto const [end, ec] = std::from_chars(pong.data(), pong.data() + pong.size(), number);
    return ec == std::errc() && end == pong.data() + pong.size() ? std::optional(number) : std::nullopt;
}

} // namespace

websocket_link::websocket_link(scope& s, std::unique_ptr<byte_stream> stream, std::string beyond, settings values)
    : live_link(s, std::move(stream), std::move(beyond), values), framer_(values.max_message)
{
}

live_link::end websocket_link::take(std::span<char> bytes, link_listener& listener)
{
    framer_.feed(bytes);
    for (;;) {
        protocol::websocket_item const item = framer_.next();
        switch (item.what) {
        case protocol::websocket_event::message:
            ++frames_;
            listener.message(item.payload);
            break;
        case protocol::websocket_event::need_more:
            flush();
            return end::none;
        case protocol::websocket_event::pong:
            ++frames_;
            if (std::optional<std::uint32_t> const number = number_in(item.payload))
                listener.confirmed(*number);
            break;
        default:
            ++frames_;
            if (end const e = handle(item); e != end::none)
                return e;
        }
    }
}

live_link::end websocket_link::handle(protocol::websocket_item const& item)
{
    std::string_view const payload(item.payload.data(), item.payload.size());
    switch (item.what) {
    case protocol::websocket_event::ping:
        // protocol.md, rule 18: with the same payload. Those of one read go together, as each would cost a system call.
        // A peer that reads none of them has no need of more (RFC 6455, 5.5.3, leaves us the choice).
        if (pending_.size() >= most_unread)
            flush();
        if (pending_.size() < most_unread)
            append(protocol::opcode::pong, payload);
        return end::none;
    case protocol::websocket_event::close:
        peer_code_ = item.close_code;
        send_close(item.close_code);
        return end::closed_by_peer;
    case protocol::websocket_event::violation:
        send_close(item.close_code);
        return end::violation;
    case protocol::websocket_event::message_too_big:
        send_close(item.close_code);
        return end::message_too_big;
    default:
        return end::none;
    }
}

void websocket_link::ask_confirmation(std::uint32_t number)
{
    send(protocol::opcode::ping, std::to_string(number));
}

bool websocket_link::say_goodbye()
{
    send_close(protocol::close_code::normal);
    return true;
}

void websocket_link::send(protocol::opcode op, std::string_view payload)
{
    append(op, payload);
    flush();
}

void websocket_link::append(protocol::opcode op, std::string_view payload)
{
    auto const key = std::bit_cast<protocol::mask_key>(random_word());
    protocol::append_frame(pending_, op, payload, key);
}

void websocket_link::flush()
{
    if (is_writing_ || pending_.empty())
        return;
    // The usual case: it fits into the socket's buffer. A failure is for the reading side to find.
    io_result const sent = stream_->try_write(asio::buffer(pending_));
    pending_.erase(0, sent.ec ? pending_.size() : sent.bytes);
    if (pending_.empty()) {
        pending_ = std::string();
        return;
    }
    is_writing_ = true;
    try {
        auto self = std::static_pointer_cast<websocket_link>(shared_from_this());
        asio::co_spawn(scope_.executor(), write_pending(std::move(self)), asio::detached);
    } catch (...) {
        is_writing_ = false;
        throw;
    }
}

void websocket_link::send_close(std::uint16_t code)
{
    if (std::exchange(close_sent_, true))
        return;
    std::string const payload = protocol::close_payload(code);
    send(protocol::opcode::close, payload);
}

asio::awaitable<void> websocket_link::write_pending(std::shared_ptr<websocket_link> self)
{
    // Also where it is destroyed for want of memory: who reads then finds out that the link is gone.
    struct leave {
        ~leave()
        {
            link.is_writing_ = false;
            link.written_.wake_all();
            if (!done)
                link.close();
        }
        websocket_link& link;
        bool done = false;
    } left{*self};
    std::string writing;
    while (!self->pending_.empty()) {
        writing = std::exchange(self->pending_, std::string());
        error_code const ec = co_await self->stream_->write(asio::buffer(writing));
        if (ec) {
            self->pending_.clear(); // the reading side finds out why
            break;
        }
    }
    left.done = true;
}

asio::awaitable<void> websocket_link::flushed(steady_time deadline)
{
    while (is_writing_) {
        woken const why = co_await written_.park(scope_.executor(), deadline);
        if (why != woken::by_wake)
            co_return;
    }
}

steady_time websocket_link::attend(steady_time now)
{
    steady_time const limit = live_link::attend(now);
    if (is_silent())
        return limit;
    if (now >= ping_due()) {
        last_ping_ = now;
        send(protocol::opcode::ping, {});
    }
    return std::min(limit, ping_due());
}

/// On a grid, a little late: the many quiet feeds of a thread are then attended to together, where each would wake it
/// for itself.
steady_time websocket_link::ping_due() const noexcept
{
    steady_time::duration const due = (std::max(last_sign(), last_ping_) + settings_.ping_after).time_since_epoch();
    steady_time::duration const step = std::max(settings_.ping_after / 16, steady_time::duration(1));
    steady_time::duration const late = due % step;
    return steady_time(late.count() == 0 ? due : due - late + step);
}

} // namespace plex::net
