#pragma once

#include "sync/backoff.hpp"

#include <plex/transport.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace plex::sync {

/// What became of an attempt to open the live connection, or of an open one.
enum class setback : std::uint8_t {
    unsuitable,  ///< the reply says that this transport is not there
    barred,      ///< 401 or 403, also with a fresh token
    misdirected, ///< a redirect
    hopeless,    ///< nothing that another try could mend: `GET /activities` barred, a full ledger
    transient,   ///< all else: no connection, a lost one, a server that is overloaded or starting
};

/// Of a reply that is not the feed; 0 where there was none.
setback setback_of(int http_status) noexcept;

/// What to do when the live connection cannot be opened or is lost: wait and try again, take the next transport, or
/// give up. Times are passed in.
class reconnect_plan
{
public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    enum class step : std::uint8_t {
        wait,     ///< `delay()`, then `current()` again
        at_once,  ///< `current()` is another transport now
        ask_list, ///< `GET /activities` tells whether it is the server or the transport; then `list_answered()`
        give_up,
    };
    enum class list_answer : std::uint8_t { good, barred, none };

    /// @param wanted fixes the transport unless it is `automatic`
    /// @param upward_every after so long the transports above the current one are tried
    reconnect_plan(transport wanted, duration upward_every) noexcept;

    /// What to try, or what is in use. Never `automatic`.
    transport current() const noexcept { return current_; }

    void opened(time_point now) noexcept;
    /// The peer has sent something after its reply.
    void heard() noexcept { in_a_row_ = 0; }
    step failed(setback, time_point now) noexcept;
    step list_answered(list_answer, time_point now) noexcept;

    /// Before the next try.
    /// @param random uniform in [0, 1)
    duration delay(double random) noexcept;
    /// `Retry-After`: the next delay.
    void wait_for(duration) noexcept;
    /// EventSource's `retry`: all further delays are at least so long.
    void wait_at_least(duration) noexcept;

    /// When the transports above the current one should be tried; empty when there is none.
    std::optional<time_point> upward_at() const noexcept { return upward_at_; }
    void went_up(transport, time_point now) noexcept;
    void stayed(time_point now) noexcept;

private:
    step next_transport(time_point now) noexcept;
    void use(transport, time_point now) noexcept;

    bool fixed_;
    duration upward_every_;
    transport current_;
    backoff backoff_;
    std::optional<time_point> opened_at_; // of the connection that is open
    bool raise_ = false;                  // the next delays, once this one is drawn
    unsigned in_a_row_ = 0;               // failures on this transport without a sign of the server
    std::optional<duration> asked_to_wait_;
    duration least_delay_{};
    std::optional<time_point> upward_at_;
};

} // namespace plex::sync
