#include "net/websocket_link.hpp"

#include "net/random.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace plex::net {

namespace {

// One for all links of a thread: it is in use only between two suspensions. Large, so that one read brings what has
// piled up, and with the room behind it that framer and decoder may look at.
struct receive_buffer {
    static constexpr std::size_t size = 64 * 1024;
    std::array<char, size + protocol::websocket_framer::slack> bytes;
};

receive_buffer& thread_buffer()
{
    thread_local auto const buffer = std::make_unique<receive_buffer>();
    return *buffer;
}

} // namespace

websocket_link::websocket_link(scope& s, std::unique_ptr<byte_stream> stream, std::string beyond, settings values)
    : scope_(s), stream_(std::move(stream)), beyond_(std::move(beyond)), settings_(values), framer_(values.max_message),
      quiet_(s.executor()), last_sign_(std::chrono::steady_clock::now())
{
    stream_->expires_at(last_sign_ + settings_.idle_limit);
}

void websocket_link::start()
{
    watch();
}

asio::awaitable<error_code> websocket_link::wait()
{
    if (!beyond_.empty())
        co_return error_code();
    error_code const ec = co_await stream_->wait_readable();
    co_return ec;
}

std::span<char> websocket_link::receive()
{
    auto& buffer = thread_buffer();
    if (!beyond_.empty()) { // at most what one read of the upgrade's reply brought
        std::size_t const size = std::min(beyond_.size(), receive_buffer::size);
        std::memcpy(buffer.bytes.data(), beyond_.data(), size);
        beyond_.erase(0, size);
        if (beyond_.empty())
            beyond_ = std::string();
        return {buffer.bytes.data(), size};
    }
    io_result const got = stream_->try_read(asio::buffer(buffer.bytes.data(), receive_buffer::size));
    if (got.ec && got.ec != asio::error::would_block)
        failure_ = got.ec;
    return {buffer.bytes.data(), got.bytes};
}

websocket_link::end websocket_link::handle(protocol::websocket_item const& item)
{
    std::string_view const payload(item.payload.data(), item.payload.size());
    switch (item.what) {
    case protocol::websocket_event::ping:
        send(protocol::opcode::pong, payload); // protocol.md, rule 18: with the same payload
        return end::none;
    case protocol::websocket_event::close:
        peer_code_ = item.close_code;
        if (!close_sent_)
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

void websocket_link::send(protocol::opcode op, std::string_view payload)
{
    protocol::mask_key key;
    fill_random(std::as_writable_bytes(std::span(key)));
    protocol::append_frame(pending_, op, payload, key);
    if (is_writing_)
        return;
    is_writing_ = true;
    asio::co_spawn(scope_.executor(), write_pending(shared_from_this()), asio::detached);
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
    while (!self->pending_.empty()) {
        self->writing_.swap(self->pending_);
        self->pending_.clear();
        error_code const ec = co_await self->stream_->write(asio::buffer(self->writing_));
        if (ec) {
            self->pending_.clear(); // the reading side finds out why
            break;
        }
    }
    self->is_writing_ = false;
    self->writing_ = std::string();
    self->pending_ = std::string();
    self->written_.wake_all();
}

asio::awaitable<void> websocket_link::flushed(steady_time deadline)
{
    while (is_writing_) {
        woken const why = co_await written_.park(scope_.executor(), deadline);
        if (why != woken::by_wake)
            co_return;
    }
}

void websocket_link::watch()
{
    quiet_.expires_at(std::max(last_sign_, last_ping_) + settings_.ping_after);
    quiet_.async_wait([weak = weak_from_this()](error_code ec) {
        auto const self = weak.lock();
        if (ec || !self || !self->stream_->is_open())
            return;
        auto const now = std::chrono::steady_clock::now();
        if (now - std::max(self->last_sign_, self->last_ping_) >= self->settings_.ping_after) {
            self->last_ping_ = now;
            self->send(protocol::opcode::ping, {});
        }
        self->watch();
    });
}

} // namespace plex::net
