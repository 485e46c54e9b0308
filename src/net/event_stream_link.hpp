#pragma once

#include "net/live_link.hpp"
#include "net/reply_stream.hpp"
#include "protocol/event_stream_framer.hpp"

#include <optional>
#include <vector>

namespace plex::net {

/// An event stream in the body of a reply. It only listens: the server's own `ping` events are its sign of life
/// (protocol.md 1.7).
class event_stream_link final : public live_link
{
public:
    event_stream_link(scope&, std::unique_ptr<byte_stream>, std::unique_ptr<reply_stream>, std::string beyond,
                      settings);

    void ask_confirmation(std::uint32_t number) override;
    bool say_goodbye() override { return false; }
    asio::awaitable<void> flushed(steady_time) override { co_return; }
    std::string_view fault() const noexcept override { return fault_; }

private:
    end take(std::span<char>, link_listener&) override;
    end take_events(std::span<char>, link_listener&);
    void heard_ping(link_listener&);

    std::unique_ptr<reply_stream> body_;
    protocol::event_stream_framer framer_;
    std::vector<std::span<char>> parts_;
    std::string_view fault_;
    std::optional<std::uint32_t> to_confirm_;
    unsigned pings_until_confirmed_ = 0;
};

} // namespace plex::net
