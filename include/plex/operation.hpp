#pragma once

/// @file
/// Requests that start an activity, and following that activity to its end.
///
/// @note Declared ahead of its implementation, so that the interface is settled: these functions, `client::start` and
/// `client::wait_until_idle` do not link yet.

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

/// A request, what activity to look for where the reply names none, and how to cancel it.
class activity_request
{
public:
    activity_request() = default;
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
    activity_request&& cancel_with(plex::request request) && { return std::move(cancel_with(std::move(request))); }
    /// Accepts an activity that ran before the request was sent.
    activity_request& or_running() &
    {
        or_running_ = true;
        return *this;
    }
    activity_request&& or_running() && { return std::move(or_running()); }

    plex::request const& request() const noexcept { return request_; }
    plex::filter const& filter() const noexcept { return filter_; }
    std::optional<plex::request> const& cancel() const noexcept { return cancel_; }
    bool accepts_running() const noexcept { return or_running_; }

private:
    plex::request request_;
    plex::filter filter_;
    std::optional<plex::request> cancel_;
    bool or_running_ = false;
};

enum class outcome_kind : std::uint8_t {
    ended,       ///< the server said so
    vanished,    ///< its end was concluded from its absence
    not_started, ///< nothing matched in time
};

/// How an operation came out.
struct outcome {
    outcome_kind kind = outcome_kind::not_started;
    /// The activity as last seen; empty when none started.
    plex::activity activity;
    /// Matched by type alone, as the activity ended without the Context that would have told.
    bool weak = false;
    /// For `not_started`: the filter and what was running.
    std::string message;
};

/// One activity that a request started, followed to its end. Destroying it equals `stop()`, which leaves the server's
/// activity alone. Members are to be used on the client's executor.
class operation
{
public:
    using duration = std::chrono::steady_clock::duration;

    operation() noexcept = default;
    operation(operation&&) noexcept = default;
    operation& operator=(operation&&) noexcept;
    ~operation();

    /// Its next event; empty after `ended`, or when nothing started.
    boost::asio::awaitable<std::optional<activity_event>> next();
    /// Waits for the end. @throws error `timeout` after `deadline`; none by default
    boost::asio::awaitable<outcome> result(std::optional<duration> deadline = std::nullopt);
    /// Asks the server to stop it, by the request's own way; one that has ended already is no error.
    boost::asio::awaitable<void> cancel();
    /// Follows it no longer.
    void stop() noexcept;
    /// The server's reply to the request.
    plex::reply const& reply() const noexcept;

private:
    friend class client;
    explicit operation(std::shared_ptr<detail::followed> followed) noexcept : followed_(std::move(followed)) {}

    std::shared_ptr<detail::followed> followed_;
};

/// Scans a library section, or one folder of it; cancelled by `DELETE /library/sections/{id}/refresh`
/// (docs/protocol.md 1.2).
activity_request scan_section(std::int64_t id, std::string path = {});
/// Refreshes the metadata of one item. @param key `/library/metadata/513`
activity_request refresh_item(std::string key);
/// Reloads the programme guide of a DVR (docs/protocol.md 1.4).
activity_request reload_guide(std::int64_t dvr);
/// Scans the channels of a tuner (docs/protocol.md 1.4).
activity_request scan_channels(std::int64_t device);
/// Optimises the library's database (docs/protocol.md 1.4).
activity_request optimize_library();

} // namespace plex
