#include "patience.hpp"

#include <algorithm>

namespace plex::sync {

patience::step patience::next(time_point now, time_point until, std::optional<time_point> list_wanted_at)
{
    step s;
    s.wake_at = until;
    if (now >= until) {
        s.give_up = true;
    } else if (list_wanted_at && *list_wanted_at > now) {
        s.wake_at = std::min(until, *list_wanted_at);
    } else if (list_wanted_at && asked_for_ != list_wanted_at) {
        asked_for_ = list_wanted_at;
        s.ask_for_list = true;
    }
    return s;
}

} // namespace plex::sync
