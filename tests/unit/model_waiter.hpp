#pragma once

#include "model_rules.hpp"

#include "sync/patience.hpp"

namespace plex::testing::model {

inline std::chrono::steady_clock::time_point steady(moment m)
{
    return std::chrono::steady_clock::time_point(1h) + std::chrono::milliseconds(m);
}
inline moment moment_of(std::chrono::steady_clock::time_point t)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(t - steady(0)).count();
}

/// Someone who awaits an operation or an idle wait, as src/operation.cpp and src/idle_wait.cpp do: he looks when he
/// begins, when there is news, and at the moment that `patience` has named. The rules:
///
/// - He gives up at his deadline; not before, and not when it is over.
/// - He does not sleep over what he waits for, nor past his deadline.
/// - A list that would decide has been asked for while he sleeps, once.
class waiter
{
public:
    /// @param rule whose rules are held
    /// @param until his deadline; `never` for none
    waiter(int rule, moment until) : rule_(rule), until_(until) {}

    /// @param list_wanted_at a list requested from then on decides; `never` where none will
    /// @return whether to ask for a list
    bool look(moment now, bool over, moment list_wanted_at)
    {
        asleep_ = false;
        if (over)
            return false;
        auto const wanted = list_wanted_at == never ? std::nullopt : std::optional(steady(list_wanted_at));
        auto const until = until_ == never ? std::chrono::steady_clock::time_point::max() : steady(until_);
        sync::patience::step const step = patience_.next(steady(now), until, wanted);
        hold(step.give_up == (now >= until_), rule_, "it gives up before its deadline, or not at it");
        if (step.give_up) {
            gave_up_ = true;
            return false;
        }
        asleep_ = true;
        wake_at_ = step.wake_at == std::chrono::steady_clock::time_point::max() ? never : moment_of(step.wake_at);
        if (step.ask_for_list) {
            hold(list_wanted_at <= now, rule_, "a list is asked for too early to decide");
            hold(list_wanted_at != asked_at_, rule_, "a list is asked for twice");
            asked_at_ = list_wanted_at;
        }
        return step.ask_for_list;
    }
    /// Begins anew, having given up.
    void wait_on(moment until)
    {
        gave_up_ = false;
        until_ = until;
    }
    /// After every step of the schedule.
    void check(moment now, bool over, moment list_wanted_at) const
    {
        if (!asleep_)
            return;
        hold(!over, rule_, "he sleeps, though it is over");
        hold(now <= until_, rule_, "he sleeps past his deadline");
        hold(list_wanted_at >= now || asked_at_ == list_wanted_at, rule_, "nobody asks for the list that decides");
    }

    moment wake_at() const { return asleep_ ? wake_at_ : never; }
    bool gave_up() const { return gave_up_; }

private:
    int rule_;
    moment until_;
    sync::patience patience_;
    bool asleep_ = false;
    bool gave_up_ = false;
    moment wake_at_ = never;
    moment asked_at_ = never;
};

} // namespace plex::testing::model
