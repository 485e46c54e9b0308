#pragma once

/// @file
/// The live feed: as a coroutine takes it, and as a callback gets it.

#include <plex/activity.hpp>
#include <plex/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace plex {

namespace detail {
struct subscriber;
}

/// A subscriber's own queue of events, fed by the client's one live connection. It runs itself while it is held.
///
/// For a uuid it tells `started`, any number of `updated`, `ended`, in that order, then perhaps another such life;
/// order holds within an activity, not across them. Activities that run already when it is opened are told first, as
/// `started`, inferred. What a slow reader leaves pending is conflated (`config::conflate_after`): `started` and
/// `ended` never are.
///
/// Members are to be used on the client's executor. Destroying a feed equals `stop()`. Cancelling a wait loses no
/// event.
class PLEX_API feed
{
public:
    /// One that has stopped.
    feed() noexcept = default;
    feed(feed&&) noexcept = default;
    feed& operator=(feed&&) noexcept;
    ~feed();

    /// Completes when there is something to take or the feed has ended; takes nothing, so that it can stand beside
    /// other waits (`||`) without losing an event.
    /// @throws error `operation_in_progress` when another wait on this feed is pending; `operation_aborted` when
    /// cancelled
    boost::asio::awaitable<void> wait();

    /// Takes what is there; empty when nothing is, or once stopped.
    /// @throws error that ended the feed, once all that came before it is taken
    std::optional<activity_event> try_next();

    /// The next event; empty once stopped. `wait()` and `try_next()` in one: beside another wait that wins, the event
    /// it had taken is lost, so compose with `wait()`.
    /// @throws error that ended the feed; `operation_in_progress`; `operation_aborted` when cancelled
    boost::asio::awaitable<std::optional<activity_event>> next();

    /// Ends it at once; waiters wake, `next()` yields empty.
    void stop() noexcept;
    /// Whether nothing more will come: stopped, or ended by an error that `try_next()` has told.
    bool stopped() const noexcept;

    /// How many updates were left out because the reader was slow.
    std::uint64_t conflated() const noexcept;

private:
    friend class client;
    explicit feed(std::shared_ptr<detail::subscriber> subscriber) noexcept : subscriber_(std::move(subscriber)) {}

    std::shared_ptr<detail::subscriber> subscriber_;
};

using event_function = std::function<void(activity_event const&)>;
/// Told once when a subscription ends by itself, with the error that ended it; not when it or its client is stopped.
using end_function = std::function<void(error_code, diagnostics const&)>;

/// The callback form of a feed. Callbacks run on the client's executor, never inside `subscribe`. A callback may
/// destroy its own subscription, others, and the client. An exception from one stops that subscription and leaves
/// `run()`. Destroying it equals `stop()`; after `stop()` has returned on the executor no callback starts.
class [[nodiscard]] PLEX_API subscription
{
public:
    subscription() noexcept = default;
    subscription(subscription&&) noexcept = default;
    subscription& operator=(subscription&&) noexcept;
    ~subscription();

    void stop() noexcept;
    bool stopped() const noexcept;
    std::uint64_t conflated() const noexcept;

private:
    friend class client;
    explicit subscription(std::shared_ptr<detail::subscriber> subscriber) noexcept : subscriber_(std::move(subscriber))
    {
    }

    std::shared_ptr<detail::subscriber> subscriber_;
};

} // namespace plex
