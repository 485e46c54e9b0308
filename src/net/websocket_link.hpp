#pragma once

#include "net/live_link.hpp"
#include "protocol/websocket_framer.hpp"

namespace plex::net {

/// A WebSocket connection. It answers pings, and sends its own when the peer is quiet.
class websocket_link final : public live_link
{
public:
    websocket_link(scope&, std::unique_ptr<byte_stream>, std::string beyond, settings);

    steady_time attend(steady_time now) override;
    void ask_confirmation(std::uint32_t number) override;
    bool say_goodbye() override;
    asio::awaitable<void> flushed(steady_time deadline) override;
    std::string_view fault() const noexcept override { return framer_.fault(); }

private:
    end take(std::span<char>, link_listener&) override;
    end handle(protocol::websocket_item const&);
    void send(protocol::opcode, std::string_view payload);
    void append(protocol::opcode, std::string_view payload);
    void flush();
    void send_close(std::uint16_t code);
    steady_time ping_due() const noexcept;
    static asio::awaitable<void> write_pending(std::shared_ptr<websocket_link>);

    protocol::websocket_framer framer_;
    steady_time last_ping_ = steady_time::min();
    std::string pending_; // frames to be written
    wait_list written_;
    bool is_writing_ = false;
    bool close_sent_ = false;
};

} // namespace plex::net
