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
    /// What was moved from has stopped. A wait that is pending goes on.
    feed(feed&&) noexcept = default;
    /// Exchanges the two.
    feed& operator=(feed&&) noexcept;
    /// As `stop()`.
    ~feed();

    /// Completes when there is something to take or the feed has ended; takes nothing, so that it can stand beside
    /// other waits (`||`) without losing an event.
    /// @throws error `operation_in_progress` when another wait on this feed is pending; `operation_aborted` when
    /// cancelled
    /// @par Cancellation
    /// Loses no event.
    /// @par Threads
    /// To be awaited on the client's executor. A library that was itself built without `NDEBUG` ends a program whose
    /// second thread does otherwise at the same time.
    /// @par Lifetime
    /// The feed may be moved meanwhile, and the wait goes on. Stopped or destroyed, it ends the wait.
    boost::asio::awaitable<void> wait();

    /// Takes what is there; empty when nothing is, or once stopped. On the client's executor.
    /// @throws error that ended the feed, once all that came before it is taken
    std::optional<activity_event> try_next();

    /// The next event; empty once stopped. `wait()` and `try_next()` in one: beside another wait that wins, the event
    /// it had taken is lost, so compose with `wait()`.
    /// @throws error that ended the feed, once all that came before it is taken; `operation_in_progress`;
    /// `operation_aborted` when cancelled
    /// @par Cancellation
    /// Loses no event: one that comes at the same time is for the next `next()`.
    /// @par Threads
    /// As `wait()`.
    /// @par Lifetime
    /// As `wait()`; of a feed that is stopped or destroyed it yields empty.
    boost::asio::awaitable<std::optional<activity_event>> next();

    /// Ends it at once; waiters wake, `next()` yields empty, what was pending is dropped. The last one of a client to
    /// go takes the live connection with it. On the client's executor.
    void stop() noexcept;
    /// Whether nothing more will come: stopped, or ended by an error that `try_next()` has told.
    bool stopped() const noexcept;

    /// How many updates were left out because the reader was slow, since it was opened.
    std::uint64_t conflated() const noexcept;

private:
    friend class client;
    friend struct detail::subscriber;
    explicit feed(std::shared_ptr<detail::subscriber> subscriber) noexcept : subscriber_(std::move(subscriber)) {}

    std::shared_ptr<detail::subscriber> subscriber_;
};

/// Told each event, on the client's executor. The event is valid during the call; a copy of its activity stays so.
using event_function = std::function<void(activity_event const&)>;
/// Told once when a subscription ends by itself, with the error that ended it; not when it or its client is stopped.
using end_function = std::function<void(error_code, diagnostics const&)>;

/// The callback form of a feed. Callbacks run on the client's executor, never inside `subscribe`. A callback may
/// destroy its own subscription, others, and the client. An exception from one stops that subscription and leaves
/// `run()`. Destroying it equals `stop()`; after `stop()` has returned on the executor no callback starts.
class [[nodiscard]] PLEX_API subscription
{
public:
    /// One that has stopped.
    subscription() noexcept = default;
    /// What was moved from has stopped.
    subscription(subscription&&) noexcept = default;
    /// Exchanges the two.
    subscription& operator=(subscription&&) noexcept;
    /// As `stop()`.
    ~subscription();

    /// Ends it at once; on the client's executor no callback starts after it has returned.
    void stop() noexcept;
    /// Whether nothing more will come: stopped, or ended by an error that `on_end` has been told.
    bool stopped() const noexcept;
    /// How many updates were left out, since it was opened. @see feed::conflated
    std::uint64_t conflated() const noexcept;

private:
    friend class client;
    explicit subscription(std::shared_ptr<detail::subscriber> subscriber) noexcept : subscriber_(std::move(subscriber))
    {
    }

    std::shared_ptr<detail::subscriber> subscriber_;
};

} // namespace plex
