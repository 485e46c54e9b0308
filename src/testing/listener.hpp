#pragma once
#include "testing/notification.hpp"
#include "testing/wire.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <deque>
#include <memory>

namespace plex::testing {

struct server_state;

/// One live connection that hears notifications. The two transports differ in how an item becomes bytes.
class listener : public std::enable_shared_from_this<listener>
{
public:
    listener(std::shared_ptr<server_state> state, std::shared_ptr<wire> connection, feed_filter filter);
    virtual ~listener() = default;

    bool wants(feed_item const& item) const
    {
        return item.what != feed_item::kind::notification || filter_.admits(item.type);
    }
    /// Turns what is queued into bytes, as much as the connection takes for now. On the strand.
    void pump();
    wire& connection() { return *connection_; }

    // These are guarded by the state's mutex.
    std::deque<std::shared_ptr<feed_item const>> queue;
    /// Hears of what happens.
    bool registered = false;
    /// The answer to its request is written, so that notifications may follow.
    bool ready = false;
    /// A pump is on its way.
    bool pumping = false;
    /// All that it was told is in the kernel's hands.
    bool idle = true;
    bool frozen = false;
    bool closing = false;

protected:
    virtual void encode(feed_item const& item) = 0;
    /// From now on what is queued may be sent. On the strand.
    void become_ready();
    void leave();

    std::shared_ptr<server_state> const state_;
    std::shared_ptr<wire> const connection_;

private:
    static asio::awaitable<void> register_later(std::shared_ptr<listener> late,
                                                std::chrono::steady_clock::duration after);

    feed_filter const filter_;
};

} // namespace plex::testing
