#pragma once

#include "net/byte_stream.hpp"
#include "protocol/websocket_framer.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace plex::net {

/// An open WebSocket connection: frames over a byte stream. It answers pings, sends its own when the peer is quiet, and
/// closes when the peer gives no sign for too long. While it waits it holds no receive buffer: all links of a thread
/// read into one.
class websocket_link : public std::enable_shared_from_this<websocket_link>
{
public:
    struct settings {
        std::size_t max_message = 1u << 20;
        std::chrono::steady_clock::duration ping_after = std::chrono::seconds(15);
        std::chrono::steady_clock::duration idle_limit = std::chrono::seconds(45);
    };

    /// Why nothing more comes.
    enum class end : unsigned char { none, lost, closed_by_peer, silent, violation, message_too_big };

    /// @param beyond what was read past the reply to the upgrade
    websocket_link(scope&, std::unique_ptr<byte_stream>, std::string beyond, settings);

    /// Starts the watch over the peer. To be called once, as it needs the link's shared pointer.
    void start();

    /// Suspends until there may be something to read.
    asio::awaitable<error_code> wait();

    /// Handles what one read brings: `on_item(websocket_item const&)` for each message and pong, in order. To be called
    /// again after `wait()`, or until it says `more`.
    template <class F>
    end read(steady_time now, F on_item)
    {
        std::span<char> const bytes = receive();
        if (bytes.empty())
            return failure_ ? lost() : end::none;
        framer_.feed(bytes);
        last_sign_ = now;
        stream_->expires_at(now + settings_.idle_limit);
        for (;;) {
            protocol::websocket_item const item = framer_.next();
            switch (item.what) {
            case protocol::websocket_event::message:
                on_item(item);
                break;
            case protocol::websocket_event::need_more:
                return end::none;
            case protocol::websocket_event::pong:
                on_item(item);
                break;
            default:
                if (end const e = handle(item); e != end::none)
                    return e;
            }
        }
    }

    void send(protocol::opcode, std::string_view payload);
    /// Sends a close frame; the peer's own ends the reading.
    void send_close(std::uint16_t code);
    /// Waits until what was sent is written, or `deadline`.
    asio::awaitable<void> flushed(steady_time deadline);

    byte_stream& stream() noexcept { return *stream_; }
    void close() noexcept { stream_->close(); }

    steady_time last_sign() const noexcept { return last_sign_; }
    error_code failure() const noexcept { return failure_; }            ///< behind `lost`
    std::string_view fault() const noexcept { return framer_.fault(); } ///< behind `violation` and `message_too_big`
    std::uint16_t peer_code() const noexcept { return peer_code_; }     ///< behind `closed_by_peer`

private:
    std::span<char> receive();
    end lost() const noexcept { return stream_->expired() ? end::silent : end::lost; }
    end handle(protocol::websocket_item const&);
    static asio::awaitable<void> write_pending(std::shared_ptr<websocket_link>);
    void watch();

    scope& scope_;
    std::unique_ptr<byte_stream> stream_;
    std::string beyond_;
    settings settings_;
    protocol::websocket_framer framer_;
    asio::steady_timer quiet_; // pings when it runs off
    steady_time last_sign_;
    steady_time last_ping_ = steady_time::min();
    error_code failure_;
    std::string pending_; // frames to be written
    std::string writing_; // frames being written
    wait_list written_;
    bool is_writing_ = false;
    bool close_sent_ = false;
    std::uint16_t peer_code_ = 0;
};

} // namespace plex::net
