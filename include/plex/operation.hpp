#pragma once

/// @file
/// Requests that start an activity, and following that activity to its end.

#include <plex/activity.hpp>
#include <plex/error.hpp>
#include <plex/filter.hpp>
#include <plex/request.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace plex {

namespace detail {
struct followed;
}

/// A request, what activity to look for where the reply names none, and how to cancel it. A plain value, and what its
/// members give lives as long as it does.
class activity_request
{
public:
    /// `GET /`, which starts nothing.
    activity_request() = default;
    /// @param request what to send
    /// @param filter what to look for where the reply has no `X-Plex-Activity`; an empty one looks for nothing
    activity_request(plex::request request, plex::filter filter)
        : request_(std::move(request)), filter_(std::move(filter))
    {
    }

    /// The request that stops the activity, where `DELETE /activities/{uuid}` does not (docs/protocol.md 1.2).
    activity_request& cancel_with(plex::request request) &
    {
        cancel_ = std::move(request);
        return *this;
    }
    /// The same of a temporary.
    activity_request&& cancel_with(plex::request request) && { return std::move(cancel_with(std::move(request))); }
    /// Accepts an activity that ran before the request was sent; a new one is preferred.
    activity_request& or_running() &
    {
        or_running_ = true;
        return *this;
    }
    /// The same of a temporary.
    activity_request&& or_running() && { return std::move(or_running()); }

    /// What is sent.
    plex::request const& request() const noexcept { return request_; }
    /// What is looked for.
    plex::filter const& filter() const noexcept { return filter_; }
    /// What cancels it, where `DELETE /activities/{uuid}` does not.
    std::optional<plex::request> const& cancel() const noexcept { return cancel_; }
    /// Whether one that ran before will do.
    bool accepts_running() const noexcept { return or_running_; }

private:
    plex::request request_;
    plex::filter filter_;
    std::optional<plex::request> cancel_;
    bool or_running_ = false;
};

/// How an operation may come out. A refused request is none of these: `client::start` throws.
enum class outcome_kind : std::uint8_t {
    ended,       ///< the server said so
    vanished,    ///< its end was concluded from its absence
    not_started, ///< nothing matched in time
};

/// How an operation came out.
struct outcome {
    /// How its end became known. Whether it succeeded is in the activity's Context or Response, if anywhere.
    outcome_kind kind = outcome_kind::not_started;
    /// The activity as last seen; empty when none started.
    plex::activity activity;
    /// Matched by type alone, as the activity ended without the Context that would have told.
    bool weak = false;
    /// For `not_started`: the filter and what was running.
    std::string message;
};

/// One activity that a request started, followed to its end whether it is awaited or not. Destroying it equals
/// `stop()`, which leaves the server's activity alone; both belong on the client's executor, or where nothing runs it.
/// The awaited members may be awaited from any executor. An operation keeps the feed open.
class PLEX_API operation
{
public:
    /// Of all deadlines.
    using duration = std::chrono::steady_clock::duration;

    /// One that has stopped.
    operation() noexcept = default;
    /// What was moved from has stopped. A wait that is pending goes on.
    operation(operation&&) noexcept = default;
    /// Exchanges the two.
    operation& operator=(operation&&) noexcept;
    /// As `stop()`.
    ~operation();

    /// Its next event, `started` first; empty after `ended`, when nothing started, or once stopped. Updates are
    /// conflated for a slow reader as in a feed.
    /// @param deadline of this wait, from now on
    /// @throws error `timeout` after `deadline` (none by default); what ended the feed; `operation_in_progress` when
    /// another `next()` is pending; `subscriber_overflow` when they were not taken and `config::mailbox_bytes` is full;
    /// `operation_aborted` when cancelled
    /// @par Cancellation
    /// Loses no event, and the operation goes on.
    /// @par Threads
    /// May be awaited from any executor.
    /// @par Lifetime
    /// The operation may be moved meanwhile, and the wait goes on. Stopped or destroyed, it yields empty.
    boost::asio::awaitable<std::optional<activity_event>> next(std::optional<duration> deadline = std::nullopt);

    /// How it came out; waits for that. It may be asked for beside `next()`, and again.
    /// @param deadline of this wait, from now on
    /// @throws error `timeout` after `deadline` (none by default): the message says what was waited for, and the
    /// operation goes on; what ended the feed; `stopped`; `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends this wait; the operation goes on, and the server's activity too.
    /// @par Threads
    /// As `next()`.
    /// @par Lifetime
    /// As `next()`; of an operation that is stopped or destroyed it fails with `stopped`.
    boost::asio::awaitable<outcome> result(std::optional<duration> deadline = std::nullopt);

    /// Asks the server to stop it. Where the request has its own way, by that and at once, whatever has appeared; else
    /// by `DELETE /activities/{uuid}`, once the activity has appeared: `deadline` is for that. One that has ended
    /// already is no error. Its end follows as an event.
    /// @throws error as `client::cancel_server_activities`, but for `activity_not_found`; by a way of its own, what the
    /// status of a refusal means; `timeout` after `deadline`
    /// @par Cancellation
    /// Ends the waiting; the server may have had the request already.
    /// @par Threads
    /// As `next()`.
    /// @par Lifetime
    /// The operation may be moved, stopped or destroyed, meanwhile or before: what can be asked for is asked for, and
    /// one that waits for the activity to appear fails with `stopped`.
    boost::asio::awaitable<void> cancel(std::optional<duration> deadline = std::nullopt);

    /// Follows it no longer: waiters wake. On the client's executor; the server's activity goes on.
    void stop() noexcept;

    /// The server's reply to the request; it lives as long as this operation, and is empty (status 0) when there is
    /// none.
    plex::reply const& reply() const noexcept;
    /// The activity as last told; empty (no uuid) until it has appeared. On the client's executor.
    plex::activity activity() const;

private:
    friend struct detail::followed;
    explicit operation(std::shared_ptr<detail::followed> followed) noexcept : followed_(std::move(followed)) {}

    std::shared_ptr<detail::followed> followed_;
};

/// Scans a library section, or one folder of it: `GET /library/sections/{id}/refresh`, found by its Context and
/// cancelled by `DELETE` on the same path (docs/protocol.md 1.2, 1.4).
/// Nothing is refused here: a number that no section has is the server's to refuse, when it is started.
/// @param id the section's number, as `librarySectionID` has it
/// @param path of a folder on the server, in UTF-8; the whole section when empty
PLEX_API activity_request scan_section(std::int64_t id, std::string path = {});
/// Refreshes the metadata of one item: `PUT {key}/refresh` (docs/protocol.md 1.4).
/// @param key `/library/metadata/513`; one that does not begin with `/` is `invalid_argument` when it is started
PLEX_API activity_request refresh_item(std::string key);
/// Reloads the programme guide of a DVR: `POST /livetv/dvrs/{dvr}/reloadGuide`, cancelled by `DELETE` on the same path
/// (docs/protocol.md 1.2, 1.4). A server may do so without any activity: it is `not_started` then.
/// @param dvr the number of the DVR
PLEX_API activity_request reload_guide(std::int64_t dvr);
/// Scans the channels of a tuner: `POST /media/grabbers/devices/{device}/scan`, cancelled by `DELETE` on the same path
/// (docs/protocol.md 1.2, 1.4).
/// @param device the number of the tuner
PLEX_API activity_request scan_channels(std::int64_t device);
/// Optimises the library's database: `PUT /library/optimize?async=1` (docs/protocol.md 1.4).
PLEX_API activity_request optimize_library();

} // namespace plex
