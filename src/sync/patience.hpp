#pragma once

#include <chrono>
#include <optional>

namespace plex::sync {

/// How long one waits for news of the feed, and when one asks for the list that decides.
class patience
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// What someone who has found no news does next.
    struct step {
        bool give_up = false;      ///< the time is over
        bool ask_for_list = false; ///< at once
        time_point wake_at;        ///< unless news comes before
    };

    /// @param until the deadline
    /// @param list_wanted_at a list requested from then on will decide; empty where none will
    step next(time_point now, time_point until, std::optional<time_point> list_wanted_at);

private:
    std::optional<time_point> asked_for_; // once for each such moment: the feed asks again by itself where it fails
};

} // namespace plex::sync
