#pragma once

#include "mail.hpp"
#include "mailbox.hpp"

#include <plex/filter.hpp>
#include <plex/operation.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace plex::sync {

/// What is looked for, and for how long.
struct pursuit_terms {
    filter wanted;
    bool or_running = false;
    /// A match must have appeared so long after the reply.
    std::chrono::steady_clock::duration appear_timeout = std::chrono::seconds(15);
    mailbox_limits limits{};
    std::size_t remembered_ends = 8192; ///< of lives that ended before the reply was read
};

/// Finds the activity that a request has started among everything that the ledger tells, and follows it to its end.
///
/// The reply names it, or the filter picks the first that was told after the request was sent. What is told before the
/// reply is read is remembered, as an activity may end before.
///
/// What it was told when it threw `std::bad_alloc` it may have taken in in part, or not at all: its result then may be
/// `vanished` or `not_started` for want of that, and is never an end that was not told.
class pursuit
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit pursuit(pursuit_terms);

    /// Anything of any life, what ran already first.
    /// @return whether it was news for whoever waits: something to take, or a result
    bool told(mail const&);
    /// The request goes out: what is told to start from here on is new.
    void sending() noexcept { sent_ = true; }
    /// @param uuid what the reply names; empty where it names nothing
    void replied(std::string uuid, time_point now);
    /// A list requested then has been taken in; all that it changed was told before.
    /// @param polled there is no feed beside the lists
    void listed(time_point requested, bool polled);
    /// The feed was lost: what happens now may never be told.
    void interrupted() noexcept { gap_ = gap_ || sent_; }

    /// A list requested from then on decides that nothing has started; empty once that is settled, or not yet asked.
    std::optional<time_point> list_wanted_at() const noexcept;

    /// The next event of the activity, once it is found; empty while there is none.
    std::optional<activity_event> take() { return events_.take(); }
    /// Some events were left out for good, as nobody took them; the result will be known all the same.
    bool overflowed() const noexcept { return events_.overflowed(); }
    /// How it came out, once that is known.
    std::optional<outcome> const& result() const noexcept { return result_; }
    /// Which activity it is, as last told; empty (no uuid) before it is found.
    activity const& found() const noexcept { return found_; }
    /// For messages: what is being waited for.
    std::string awaited() const;

private:
    /// A life that may turn out to be the one.
    struct candidate {
        std::uint64_t life = 0;
        activity_event start;
        std::optional<activity_event> update; // the latest
        std::optional<activity_event> end;
        bool older = false;   // it ran before the request was sent
        bool in_time = false; // it appeared before a list showed that the time is over
        bool matches = false;

        activity const& latest() const noexcept
        {
            return end ? end->activity : update ? update->activity : start.activity;
        }
    };

    bool admits(candidate const&) const noexcept;
    bool undecided(candidate const&) const;
    bool goes_on(activity_event const& start);
    void remember_as_older(activity const&);
    candidate* of(std::uint64_t life) noexcept;
    void choose();
    void adopt(candidate&&, bool weak);
    void follow(activity_event const&);
    void consider(mail const&);
    void forget_ends();
    void nothing_started();
    std::string what_runs() const;

    pursuit_terms terms_;
    std::deque<candidate> candidates_;  // in the order told
    std::size_t ended_ = 0;             // of them
    std::deque<std::string> concluded_; // uuids of older ones whose end was inferred
    bool sent_ = false;
    bool gap_ = false;
    std::optional<time_point> replied_at_;
    bool late_ = false; // a list has shown that nothing came in time
    std::string named_;

    std::optional<std::uint64_t> life_;
    activity found_;
    bool weak_ = false;
    bool is_news_ = false;
    mailbox events_;
    std::optional<outcome> result_;
};

} // namespace plex::sync
