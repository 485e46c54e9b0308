#pragma once

#include "exclusive.hpp"
#include "sync/mailbox.hpp"
#include "waiting_room.hpp"

#include <plex/error.hpp>
#include <plex/feed.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace plex::detail {

namespace asio = boost::asio;

class home;
class live_feed;
struct subscriber;

/// The live feed's side that a subscriber leaves. A shared record, as either may go first.
struct subscription_source {
    live_feed* feed = nullptr; ///< null once the client has stopped
    std::shared_ptr<home> at;  ///< where the client runs
    std::shared_ptr<waiting_room> room;
    exclusive inside; ///< everything of the feed that runs
};

/// One feed or subscription: its mailbox, who waits at it, and how it ended.
struct subscriber : std::enable_shared_from_this<subscriber> {
    subscriber(std::shared_ptr<subscription_source> from, sync::mailbox mail, event_function event, end_function end)
        : source(std::move(from)), box(std::move(mail)), waiting(*source->room), on_event(std::move(event)),
          on_end(std::move(end))
    {
    }

    /// One batch of what the feed has to tell, in two steps, so that everybody has it before anybody is told: a
    /// callback may do anything. Who is called back and has nothing pending needs no mailbox.
    void receive(std::span<sync::mail const> batch) noexcept;
    void receive_last(std::span<sync::mail> batch) noexcept; ///< as nobody else needs it any more
    void settled(std::chrono::steady_clock::time_point requested, sync::instant now) noexcept; ///< as its mailbox
    void notify(std::span<sync::mail const> batch) noexcept;
    /// Something is pending, or the feed has ended: wakes the waiter, or calls back.
    void notify() noexcept { notify({}); }
    /// Nothing is told any more.
    void stop() noexcept;
    /// What is pending is still told, then the error.
    void end(std::shared_ptr<error const>) noexcept;

    /// Null for a feed that was never opened.
    static std::shared_ptr<subscriber> const& of(feed const& f) noexcept { return f.subscriber_; }

    /// What ended it, once, when all that came before is taken.
    std::optional<error> take_failure() noexcept;
    bool has_news() const noexcept { return stopped || failure || !box.empty() || box.overflowed(); }
    bool finished() const noexcept { return stopped || (told_failure && box.empty()); }

    std::shared_ptr<subscription_source> source;
    sync::mailbox box;
    waiter waiting;
    event_function on_event; ///< null for a feed
    end_function on_end;
    std::shared_ptr<error const> failure;
    bool told_failure = false;
    bool stopped = false;
    bool introduced = false; ///< it is told of nothing before

private:
    bool goes_round_mailbox() noexcept;
    /// For this subscriber memory has run out: what it has is still told, and then that.
    void run_out() noexcept;
    void call_back(std::span<sync::mail const> batch) noexcept;
    void leave() noexcept;

    bool direct_ = false; ///< the batch of this round is for the callback alone
};

// The coroutines behind a feed. Of one that was never opened there is no subscriber.
asio::awaitable<void> wait(std::shared_ptr<subscriber>);
asio::awaitable<std::optional<activity_event>> next(std::shared_ptr<subscriber>);

} // namespace plex::detail
