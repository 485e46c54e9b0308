#pragma once

#include "mail.hpp"

#include <plex/filter.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace plex::sync {

/// Whether nothing that matches has run for long enough.
///
/// What may match, its Context not having come yet, counts as busy for `benefit`. Quiet counts while the feed is live
/// and what runs is known, and a list requested at its end must agree: a feed can be dead for a while before that is
/// noticed, and a server may listen for us late.
class idleness
{
public:
    using time_point = std::chrono::steady_clock::time_point;
    using duration = std::chrono::steady_clock::duration;

    static constexpr duration benefit = std::chrono::seconds(5);

    /// @param quiet at least 0
    idleness(filter wanted, duration quiet) : wanted_(std::move(wanted)), quiet_(quiet) {}

    /// Anything of any life, what ran already first.
    /// @return whether `quiet_at` has changed
    bool told(mail const&, time_point now);
    /// A list requested then has been taken in; all that it changed was told before.
    void listed(time_point requested, time_point now);
    /// The feed was lost.
    void interrupted() noexcept { live_since_.reset(); }

    /// When it will have been quiet for long enough, if nothing comes. A list requested from then on decides. Empty
    /// while something runs, or the feed does not.
    std::optional<time_point> quiet_at() const noexcept;
    /// Nothing ran for long enough.
    bool reached() const noexcept { return reached_; }
    /// For messages: what keeps it waiting.
    std::string awaited() const;

private:
    struct life {
        std::uint64_t number = 0;
        std::string type;
        std::optional<time_point> until; // for one whose Context has not come; empty where it matches
    };

    void consider(mail const&, time_point now);
    void leave(std::vector<life>::iterator, time_point now);

    filter wanted_;
    duration quiet_;
    std::vector<life> busy_;
    time_point quiet_since_ = time_point::min(); // as far as lives tell
    std::optional<time_point> live_since_;
    bool reached_ = false;
};

} // namespace plex::sync
