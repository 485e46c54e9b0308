#pragma once

/// @file
/// The client: calls, the live feed, operations.

#include <plex/activity.hpp>
#include <plex/config.hpp>
#include <plex/error.hpp>
#include <plex/feed.hpp>
#include <plex/filter.hpp>
#include <plex/operation.hpp>
#include <plex/request.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace plex {

namespace detail {
class client_state;
struct client_access;
} // namespace detail

/// Growing counts since the client was made, how much waits now, and two ages; a plain value. What a number means for
/// an alarm: docs/guide/measuring.md.
struct counters {
    std::uint64_t frames = 0;        ///< messages and control frames read from the feed
    std::uint64_t events = 0;        ///< told to the ledger: started, updated, ended
    std::uint64_t skipped = 0;       ///< messages about other things than activities
    std::uint64_t malformed = 0;     ///< messages or entries that could not be read
    std::uint64_t repaired_utf8 = 0; ///< bad byte sequences that became U+FFFD
    std::uint64_t conflated = 0;     ///< updates left out for slow readers
    std::uint64_t reconnects = 0;    ///< connections of the feed that were opened after the first
    std::uint64_t revived = 0;       ///< lives that went on after their end had been inferred
    std::uint64_t requests = 0;      ///< calls sent
    std::uint64_t connections = 0;   ///< opened, for calls and feed
    std::uint64_t pending = 0;       ///< events that readers have not taken yet: grows and falls
    std::optional<std::chrono::steady_clock::duration> since_last_sign; ///< since the feed's server was last heard
    /// Since the last list was compared with the feed; empty before the first.
    std::optional<std::chrono::steady_clock::duration> since_last_snapshot;
};

/// How the live connection stands.
enum class connection_state : std::uint8_t {
    idle,        ///< nobody is subscribed
    connecting,  ///< dialling, or shaking hands
    connected,   ///< the feed is open, its first snapshot not yet reconciled
    reconciled,  ///< the feed is open and what runs is known
    interrupted, ///< lost; to be tried again
    ended,       ///< gave up, and every feed has ended with the reason; or the client was stopped
};

/// "idle", "connecting", …
PLEX_API std::string_view to_string(connection_state) noexcept;

/// The live connection as it stands.
struct connection_status {
    /// How it stands.
    connection_state state = connection_state::idle;
    /// What is in use; `automatic` while nothing is.
    plex::transport transport = plex::transport::automatic;
    /// Why it was last lost or refused.
    error_code last_error;
    /// The same in words, with what the server said.
    plex::diagnostics diagnostics;
    /// When interrupted: how long until the next try.
    std::optional<std::chrono::steady_clock::duration> next_try;
};

/// What is known to run.
struct running_activities {
    /// Handles that may be kept; in no particular order.
    std::vector<activity> activities;
    /// Since the last snapshot was reconciled; empty before the first, or without a feed.
    std::optional<std::chrono::steady_clock::duration> snapshot_age;
};

/// A client of one Plex Media Server.
///
/// It runs on a strand of its own over the executor it is given (`get_executor()`). Calls may be awaited from any
/// executor; awaited from a coroutine on `get_executor()` they run inline. Everything else belongs on that executor, or
/// where nothing runs it. Operations are started when awaited, copy what they need, and may outlive the client: they
/// then fail with `errc::stopped`. Destroying a client equals `stop()`. A kept connection keeps `run()` busy for
/// `config::idle_connection` after the last call, an open feed as long as it is open.
class PLEX_API client
{
public:
    /// Of all deadlines and time limits: one of 0 or less is over at once, `duration::max()` never.
    using duration = std::chrono::steady_clock::duration;

    /// Connects to nothing yet.
    /// @param executor of an `io_context` or a thread pool, run by any number of threads; the client makes a strand
    /// over it unless `config::executor_is_strand` is set. Its context may be destroyed before the client.
    /// @param settings are copied; files of `config::tls` are read here
    /// @throws error `invalid_argument` for a configuration that cannot be used; the token is never echoed
    client(boost::asio::any_io_executor executor, config settings);
    /// Calls and feeds under way go on. What was moved from may only be assigned to or destroyed.
    client(client&&) noexcept = default;
    /// Exchanges the two.
    client& operator=(client&&) noexcept;
    /// As `stop()`.
    ~client();

    /// Where this client's feeds, operations and callbacks belong: spawn on it what uses them. From any thread.
    boost::asio::any_io_executor get_executor() const;

    /// `GET /activities`: what runs now, in the server's order; non-admin tokens may see their own alone
    /// (docs/protocol.md 1.1). Takes `config::request_timeout` at most, and is sent once more when a kept connection
    /// turns out to be dead.
    /// @return handles that may be kept after the client; empty when nothing runs
    /// @throws error `unauthorized`, `forbidden`, `server_error`, `malformed_reply`, `limit_exceeded`, `timeout`,
    ///         `connection_failed`, `stopped`, …; `operation_aborted` when cancelled
    /// @par Cancellation
    /// Of any type. Ends it at once and drops the connection that it used; other calls are not touched.
    /// @par Threads
    /// May be called and awaited from any executor. Inline where that is `get_executor()`; else it hops there and back.
    /// @par Lifetime
    /// Keeps what it needs: after the client it fails with `stopped`.
    boost::asio::awaitable<std::vector<activity>> get_server_activities();

    /// `DELETE /activities/{uuid}`: asks the server to cancel an activity; its `ended` follows on the feed
    /// (docs/protocol.md 1.2).
    /// @param uuid of an activity, as `activity::uuid()` gives it. What could name another path is refused unsent.
    /// @throws error `activity_not_found` (404), `not_cancellable` (400), `invalid_argument`, and as
    ///         `get_server_activities`
    /// @par Cancellation
    /// As `get_server_activities`; the server may have had the request already.
    /// @par Threads
    /// May be called and awaited from any executor. Inline where that is `get_executor()`; else it hops there and back.
    /// @par Lifetime
    /// Keeps what it needs: after the client it fails with `stopped`.
    boost::asio::awaitable<void> cancel_server_activities(std::string uuid);

    /// Any request; the reply is returned whatever its status. Takes `config::request_timeout` at most. One that goes
    /// without any reply on a kept connection is sent once more, if its method allows that (GET, HEAD, PUT, DELETE,
    /// OPTIONS).
    /// @param request which starts nothing by being made; what could name another host or header is refused unsent
    /// @return the reply, a 4xx and 5xx too
    /// @throws error `invalid_argument` for what could not be sent safely, `timeout`, `connection_failed`,
    ///         `limit_exceeded`, `stopped`, …; `operation_aborted` when cancelled
    /// @par Cancellation
    /// As `get_server_activities`; the server may have had the request already.
    /// @par Threads
    /// May be called and awaited from any executor. Inline where that is `get_executor()`; else it hops there and back.
    /// @par Lifetime
    /// Keeps what it needs: after the client it fails with `stopped`.
    boost::asio::awaitable<reply> send(plex::request request);

    /// Opens a feed; the first one opens the live connection. Never throws for what the network does: the feed does.
    /// Belongs on `get_executor()`. The feed may outlive the client: it has then stopped, as one of a client that has
    /// been stopped has from the beginning.
    /// @param filter which activities it tells of
    /// @param known activities remembered from an earlier process: for this feed they have started already
    feed subscribe(plex::filter filter = {}, std::vector<activity> known = {});
    /// The callback form. Belongs on `get_executor()`; of a client that has been stopped it has stopped. @see
    /// subscription
    /// @param filter which activities it tells of
    /// @param on_event told each event; kept until the subscription goes
    /// @param on_end told an end by itself, with what `feed::next()` would throw; may be empty
    /// @throws error `invalid_argument` when `on_event` is empty
    [[nodiscard]] subscription subscribe(plex::filter filter, event_function on_event, end_function on_end = {});

    /// Waits until the live connection is open and reconciled, opening it if no feed has; fails with the reason when
    /// the first contact fails.
    /// @param deadline from now on; none by default
    /// @throws error `timeout` after `deadline`; what ended the feed, or why the first contact failed; `stopped`;
    ///         `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends the waiting; the connection is dropped if nobody else wants it.
    /// @par Threads
    /// May be called and awaited from any executor. Inline where that is `get_executor()`; else it hops there and back.
    /// @par Lifetime
    /// Keeps what it needs: after the client it fails with `stopped`.
    boost::asio::awaitable<void> ready(std::optional<duration> deadline = std::nullopt);
    /// What the feed knows to run, without asking the server; nothing where there is no feed. Belongs on
    /// `get_executor()`. It and the two below throw nothing but `std::bad_alloc`, and give values of the caller's own.
    running_activities running() const;

    /// Sends a request that starts an activity, once the feed is reconciled, and follows that activity: the one that
    /// the reply's `X-Plex-Activity` names, or else the first that matches the request's filter and is first seen after
    /// the request was sent (docs/protocol.md 1.4). It must appear within `config::appear_timeout` after the reply.
    ///
    /// Two that look for the same (two folders of one section) may both find the first that appears: start the second
    /// when the first has ended. An operation belongs on the client's executor, so start it in a coroutine spawned
    /// there.
    /// @param request what starts it, and what to look for
    /// @param deadline for all of it; the request itself takes `config::request_timeout` at most
    /// @throws error as `ready()` and `send()`, and what the status of a refusal means
    /// @par Cancellation
    /// Fails with `operation_aborted`. Nothing is followed then; the server may have had the request already.
    /// @par Threads
    /// May be awaited from any executor, but see above: the operation that it gives has a home.
    /// @par Lifetime
    /// Keeps what it needs: after the client it fails with `stopped`.
    boost::asio::awaitable<operation> start(activity_request request, std::optional<duration> deadline = std::nullopt);

    /// Waits until nothing that matches has run for `quiet`. An activity whose Context has not come yet counts as
    /// running for 5 s where the filter asks for its Context. Quiet counts only while the feed is live and reconciled,
    /// and is confirmed by a list in the end.
    /// @param filter what must not run; an empty one is everything
    /// @param quiet how long nothing must have run: between two queued scans there is a moment without any. With 0
    /// or less it waits until nothing runs just then.
    /// @param deadline from now on; none by default
    /// @throws error `timeout` after `deadline`, saying what runs; as `ready()` where the first contact fails; what
    /// ended the feed; `stopped`; `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends the waiting and nothing else.
    /// @par Threads
    /// May be called and awaited from any executor. Inline where that is `get_executor()`; else it hops there and back.
    /// @par Lifetime
    /// Keeps what it needs: after the client it fails with `stopped`.
    boost::asio::awaitable<void> wait_until_idle(plex::filter filter, duration quiet = std::chrono::seconds(5),
                                                 std::optional<duration> deadline = std::nullopt);

    /// The live connection as it stands. Belongs on `get_executor()`.
    connection_status connection() const;
    /// Called at each change, on the client's executor; one function, the last one given, which is kept until another
    /// is (an empty one takes it away) or the client goes. The first subscription's "connecting" comes from within
    /// `subscribe()`; after `close()` it is `idle`, and `stop()` tells nothing any more. Set it on that executor; it
    /// may set another or stop the client from within, and what it throws leaves `run()`.
    void on_connection_change(std::function<void(connection_status const&)>);
    /// What has been counted. Belongs on `get_executor()`.
    plex::counters counters() const;

    /// Ends everything at once: waiters wake, `next()` yields empty, calls fail with `stopped`. No activity of the
    /// server is touched. Belongs on `get_executor()`, or where nothing runs it; may be called again.
    void stop() noexcept;
    /// Says goodbye to the server (close frame, TLS), for at most `timeout`, then `stop()`. From any executor.
    /// Destroying the last feed before drops the connection without a goodbye.
    /// @throws error `operation_aborted` when cancelled; nothing for what the server does
    /// @par Cancellation
    /// Fails with `operation_aborted`; `stop()` is then left to the caller.
    /// @par Threads
    /// May be called and awaited from any executor. Inline where that is `get_executor()`; else it hops there and back.
    /// @par Lifetime
    /// Keeps what it needs; awaited again, or after the client, it does nothing.
    boost::asio::awaitable<void> close(duration timeout = std::chrono::seconds(2));

private:
    friend struct detail::client_access;

    std::shared_ptr<detail::client_state> state_;
};

} // namespace plex
