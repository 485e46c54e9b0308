#include "pursuit.hpp"

#include "filter_match.hpp"
#include "wording.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace plex::sync {

pursuit::pursuit(pursuit_terms terms) : terms_(std::move(terms)), events_(filter(), terms_.limits) {}

// ---- what is told

bool pursuit::told(mail const& m)
{
    is_news_ = false;
    if (!result_)
        consider(m);
    return is_news_;
}

void pursuit::consider(mail const& m)
{
    if (life_) {
        if (m.life == *life_)
            follow(m.event);
        return;
    }
    candidate* known = of(m.life);
    if (!known) {
        if (m.event.kind != event_kind::started)
            return; // a life that was dropped
        candidate first;
        first.life = m.life;
        first.start = m.event;
        first.older = !sent_ || goes_on(m.event);
        first.in_time = !late_;
        candidates_.push_back(std::move(first));
        known = &candidates_.back();
    } else if (m.event.kind == event_kind::ended) {
        known->end = m.event;
        ++ended_;
        if (known->older && m.event.inferred)
            remember_as_older(m.event.activity);
    } else {
        known->update = m.event;
    }
    // As with a subscriber's filter: from the first event on which it says yes.
    known->matches = known->matches || match(terms_.wanted, known->latest()) == answer::yes;
    if (replied_at_)
        choose();
    else if (known->end)
        forget_ends();
}

void pursuit::replied(std::string uuid, time_point now)
{
    replied_at_ = now;
    named_ = std::move(uuid);
    choose();
    if (!life_ && named_.empty() && terms_.wanted.empty()) {
        outcome none;
        none.message = "the reply names no activity, and the request has no filter to find one by";
        result_ = std::move(none);
    }
}

void pursuit::listed(time_point requested, bool polled)
{
    std::optional<time_point> const from = list_wanted_at();
    if (!from || requested < *from)
        return;
    gap_ = gap_ || polled;
    late_ = true;
    choose();
}

std::optional<pursuit::time_point> pursuit::list_wanted_at() const noexcept
{
    if (result_ || life_ || late_ || !replied_at_)
        return std::nullopt;
    return *replied_at_ + terms_.appear_timeout;
}

/// A life that begins with less than its `started` may be an older one whose end was concluded too early.
bool pursuit::goes_on(activity_event const& start)
{
    return start.inferred && std::erase(concluded_, start.activity.uuid()) != 0;
}

void pursuit::remember_as_older(activity const& a)
{
    concluded_.emplace_back(a.uuid());
    if (concluded_.size() > terms_.remembered_ends)
        concluded_.pop_front();
}

pursuit::candidate* pursuit::of(std::uint64_t life) noexcept
{
    auto const found =
        std::find_if(candidates_.rbegin(), candidates_.rend(), [&](candidate const& c) { return c.life == life; });
    return found == candidates_.rend() ? nullptr : &*found;
}

// ---- which one it is

bool pursuit::admits(candidate const& c) const noexcept
{
    return !c.older || terms_.or_running;
}

/// Nothing speaks against it, but its Context has not come.
bool pursuit::undecided(candidate const& c) const
{
    return admits(c) && match(terms_.wanted, c.latest()) == answer::not_yet_known;
}

/// After the reply: takes the match, if there is one; otherwise keeps what may become one.
void pursuit::choose()
{
    auto const has_name = [&](candidate const& c) { return c.start.activity.uuid() == named_; };
    auto const is_new_match = [&](candidate const& c) { return c.matches && !c.older; };
    auto const is_match = [&](candidate const& c) { return c.matches && admits(c); };

    if (!named_.empty()) {
        auto const found = std::find_if(candidates_.rbegin(), candidates_.rend(), has_name);
        if (found != candidates_.rend())
            adopt(std::move(*found), false);
        else if (late_)
            nothing_started();
        else
            forget_ends();
        return;
    }
    if (terms_.wanted.empty())
        return;
    auto found = std::find_if(candidates_.begin(), candidates_.end(), is_new_match);
    if (found == candidates_.end())
        found = std::find_if(candidates_.begin(), candidates_.end(), is_match);
    if (found != candidates_.end()) {
        adopt(std::move(*found), false);
        return;
    }
    forget_ends();
    if (!late_)
        return;
    // The time is over. One whose Context may still come is waited for; else one that ended without must do.
    auto const may_match = [&](candidate const& c) { return !c.end && c.in_time && undecided(c); };
    if (std::any_of(candidates_.begin(), candidates_.end(), may_match))
        return;
    auto const may_have_been = [&](candidate const& c) { return c.end && c.in_time && undecided(c); };
    found = std::find_if(candidates_.begin(), candidates_.end(), may_have_been);
    if (found != candidates_.end())
        adopt(std::move(*found), true);
    else
        nothing_started();
}

/// Of what has ended, keeps what may yet turn out to be the one.
void pursuit::forget_ends()
{
    std::size_t too_many = ended_ > terms_.remembered_ends ? ended_ - terms_.remembered_ends : 0;
    auto const is_useless = [&](candidate const& c) {
        if (!c.end)
            return false;
        if (!sent_ || (replied_at_ && (!named_.empty() || !admits(c) || !(c.matches || undecided(c)))))
            return true;
        if (too_many == 0)
            return false;
        --too_many; // the oldest first
        return true;
    };
    ended_ -= std::erase_if(candidates_, is_useless);
}

void pursuit::adopt(candidate&& chosen, bool weak)
{
    candidate const c = std::move(chosen);
    candidates_.clear();
    concluded_.clear();
    life_ = c.life;
    weak_ = weak;
    follow(c.start);
    if (c.update)
        follow(*c.update);
    if (c.end)
        follow(*c.end);
}

void pursuit::follow(activity_event const& event)
{
    is_news_ = true;
    found_ = event.activity;
    events_.post({event, *life_});
    if (event.kind != event_kind::ended)
        return;
    outcome over;
    over.kind = event.inferred ? outcome_kind::vanished : outcome_kind::ended;
    over.activity = event.activity;
    over.weak = weak_;
    result_ = std::move(over);
}

void pursuit::nothing_started()
{
    is_news_ = true;
    outcome none;
    if (!named_.empty()) {
        // Where nothing was heard for a while, or lists are all there is, what the server named has come and gone.
        none.kind = gap_ ? outcome_kind::vanished : outcome_kind::not_started;
        none.message = "the activity " + shown(named_) + ", which the reply names, has not been seen";
    } else {
        none.message = "nothing that matches " + describe(terms_.wanted) + " has appeared";
        if (gap_)
            none.message += ", but the feed was interrupted meanwhile";
    }
    none.message += what_runs();
    result_ = std::move(none);
}

std::string pursuit::what_runs() const
{
    std::map<std::string, int> types; // titles are private
    for (candidate const& c : candidates_)
        if (!c.end)
            ++types[std::string(c.latest().type())];
    return types.empty() ? "; nothing is running" : "; running: " + describe(types);
}

std::string pursuit::awaited() const
{
    if (life_)
        return "the end of " + std::string(found_.type()) + " " + std::string(found_.uuid());
    return (named_.empty() ? describe(terms_.wanted) : "the activity " + shown(named_)) + " to appear";
}

} // namespace plex::sync
