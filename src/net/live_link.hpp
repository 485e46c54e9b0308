#pragma once

#include "net/byte_stream.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace plex::net {

/// Is told what a link reads, in order.
class link_listener
{
public:
    /// A notification. The bytes may be changed; 16 more behind them may be read.
    virtual void message(std::span<char>) = 0;
    /// An event that is no notification of ours, by its name alone.
    virtual void other_event() = 0;
    /// The server answered `ask_confirmation(number)`.
    virtual void confirmed(std::uint32_t number) = 0;
    /// The stream asks for that delay before it is opened anew.
    virtual void retry(std::chrono::milliseconds) = 0;

protected:
    ~link_listener() = default;
};

/// The open connection of a live feed, over whichever framing. While it waits it holds no receive buffer: all links of
/// a thread read into one.
class live_link : public std::enable_shared_from_this<live_link>
{
public:
    struct settings {
        std::size_t max_message = 1u << 20;
        std::chrono::steady_clock::duration ping_after = std::chrono::seconds(15);
        std::chrono::steady_clock::duration idle_limit = std::chrono::seconds(45);
    };

    /// Why nothing more comes.
    enum class end : unsigned char { none, lost, closed_by_peer, silent, violation, message_too_big };

    virtual ~live_link();
    live_link(live_link const&) = delete;
    live_link& operator=(live_link const&) = delete;

    /// Whether something that came with the reply which opened it is yet to be read.
    bool has_more() const noexcept { return !beyond_.empty(); }
    /// Tells what one read brings. To be called again while it `has_more()`, else once the stream is readable.
    end read(steady_time now, link_listener&);

    /// What is due by now: to ask a quiet peer for a sign, or to close as it has given none for too long.
    /// @returns when to be called again, at the latest
    virtual steady_time attend(steady_time now);

    /// Makes the server show that everything it had to say before is here; the listener hears of it.
    virtual void ask_confirmation(std::uint32_t number) = 0;
    /// Tells the peer that we go; where that can be said, its answer ends the reading.
    /// @returns whether an answer is to be waited for
    virtual bool say_goodbye() = 0;
    /// Waits until what was sent is written, or `deadline`.
    virtual asio::awaitable<void> flushed(steady_time deadline) = 0;

    byte_stream& stream() noexcept { return *stream_; }
    void close() noexcept { stream_->close(); }

    bool is_silent() const noexcept { return silent_; } ///< and closed for that
    steady_time last_sign() const noexcept { return last_sign_; }
    std::uint64_t frames() const noexcept { return frames_; }
    error_code failure() const noexcept { return failure_; } ///< behind `lost`
    /// Behind `violation` and `message_too_big`.
    virtual std::string_view fault() const noexcept = 0;
    std::uint16_t peer_code() const noexcept { return peer_code_; } ///< behind `closed_by_peer`; 0 where there is none

protected:
    /// @param beyond what was read past the reply that opened it
    live_link(scope&, std::unique_ptr<byte_stream>, std::string beyond, settings);

    virtual end take(std::span<char>, link_listener&) = 0;

    scope& scope_;
    std::unique_ptr<byte_stream> stream_;
    settings settings_;
    std::string carried_; // read, and to be taken again with what follows
    std::uint64_t frames_ = 0;
    std::uint16_t peer_code_ = 0;

private:
    std::span<char> receive();

    std::string beyond_;
    steady_time last_sign_;
    error_code failure_;
    bool silent_ = false;
};

} // namespace plex::net
