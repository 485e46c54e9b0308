#include "idleness.hpp"

#include "filter_match.hpp"
#include "wording.hpp"

#include <algorithm>
#include <map>

namespace plex::sync {

bool idleness::told(mail const& m, time_point now)
{
    std::optional<time_point> const before = quiet_at();
    consider(m, now);
    return quiet_at() != before;
}

void idleness::consider(mail const& m, time_point now)
{
    auto const known = std::find_if(busy_.begin(), busy_.end(), [&](life const& l) { return l.number == m.life; });
    if (m.event.kind == event_kind::ended) {
        if (match(wanted_, m.event.activity) == answer::yes) // also where its Context comes with its end
            quiet_since_ = now;
        if (known != busy_.end())
            leave(known, now);
        return;
    }
    if (known != busy_.end() && !known->until)
        return; // a filter's yes is sticky
    answer const is_wanted = match(wanted_, m.event.activity);
    if (is_wanted == answer::no) {
        if (known != busy_.end())
            leave(known, now);
        return;
    }
    if (known == busy_.end()) {
        life l;
        l.number = m.life;
        l.type = m.event.activity.type();
        if (is_wanted == answer::not_yet_known)
            l.until = now + benefit;
        busy_.push_back(std::move(l));
    } else if (is_wanted == answer::yes) {
        known->until.reset();
    }
}

void idleness::leave(std::vector<life>::iterator l, time_point now)
{
    quiet_since_ = std::max(quiet_since_, l->until ? std::min(*l->until, now) : now);
    busy_.erase(l);
}

void idleness::listed(time_point requested, time_point now)
{
    if (!live_since_) {
        live_since_ = now;
        return;
    }
    std::optional<time_point> const quiet = quiet_at();
    reached_ = reached_ || (quiet && requested >= *quiet);
}

std::optional<idleness::time_point> idleness::quiet_at() const noexcept
{
    if (!live_since_)
        return std::nullopt;
    time_point since = std::max(quiet_since_, *live_since_);
    for (life const& l : busy_) {
        if (!l.until)
            return std::nullopt;
        since = std::max(since, *l.until);
    }
    return quiet_ < time_point::max() - since ? since + quiet_ : time_point::max();
}

std::string idleness::awaited() const
{
    if (!live_since_)
        return "the feed to be live";
    std::map<std::string, int> types; // titles are private
    for (life const& l : busy_)
        ++types[l.type];
    return types.empty() ? "the quiet time to pass" : "the end of " + describe(types);
}

} // namespace plex::sync
