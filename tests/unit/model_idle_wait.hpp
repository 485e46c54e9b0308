#pragma once

#include "model_operation.hpp"

#include "sync/idleness.hpp"

namespace plex::testing::model {

/// A wait until nothing runs, and the rules about it:
///
/// - It counts from when nothing that may match was known to run: from the end that was told; of what has no Context
///   yet from 5 s after it was first told, or its end before that; from the first list since the feed was lost.
/// - It is over with the first list that was asked for `quiet` later or more, if it is still quiet then; not before,
///   and not without.
/// - Then nothing runs that it could have known of. What runs and matches is hidden from the list or began after the
///   list was made, and the feed was lost or has it on its way; or the list had no Context to show; or it is hidden
///   and its end was concluded (rule 2).
class watched_idle_wait final : public onlooker
{
public:
    watched_idle_wait(world const& w, int wanted, moment quiet)
        : w_(w), wanted_(wanted), quiet_(quiet),
          idleness_(wanted < 0 ? filter() : filter_for(wanted), std::chrono::milliseconds(quiet)), began_(w.clock)
    {
    }

    void told(sync::mail const& m) override
    {
        if (over_)
            return;
        auto it = std::find_if(lives_.begin(), lives_.end(), [&](waiting const& l) { return l.life == m.life; });
        if (it == lives_.end()) {
            it = lives_.insert(it, waiting());
            it->life = m.life;
            it->at = w_.clock;
        }
        it->take(m, section());
        if (it->end)
            it->ended = w_.clock;
        else
            it->answers.emplace_back(w_.clock, answer_of(section(), it->context));
        woken_ = idleness_.told(m, steady(w_.clock)) || woken_;
        hold(!idleness_.reached(), of_idle_waits, "it is over without a list");
        compare();
    }
    void listed(moment requested, bool) override
    {
        if (over_)
            return;
        woken_ = true;
        last_requested_ = requested;
        std::optional<moment> const quiet_at = this->quiet_at();
        if (!live_since_)
            live_since_ = w_.clock;
        idleness_.listed(steady(requested), steady(w_.clock));
        bool const is_over = quiet_at && requested >= *quiet_at;
        hold(is_over || !idleness_.reached(), of_idle_waits, "it is over too early");
        hold(!is_over || idleness_.reached(), of_idle_waits, "it hangs");
        if (!is_over) {
            compare();
            return;
        }
        over_ = true;
        for (int who = 0; who < most; ++who)
            if (w_.runs(who) && could_be_known(who, requested))
                throw broken_rule(of_idle_waits,
                                  "it is over, but this runs: " + std::string(names[static_cast<std::size_t>(who)]));
    }
    void interrupted() override
    {
        if (over_)
            return;
        woken_ = true;
        live_since_.reset();
        idleness_.interrupted();
        compare();
    }

    bool over() const { return over_; }
    bool take_woken() { return std::exchange(woken_, false); }
    /// From when on it wants a list.
    std::optional<moment> quiet_at() const
    {
        if (!live_since_)
            return std::nullopt;
        moment since = *live_since_;
        for (waiting const& l : lives_) {
            if (l.matched && !l.end)
                return std::nullopt;
            since = std::max(since, l.matched ? l.ended : l.doubtful_until());
        }
        return since + quiet_;
    }
    /// The feed has been up for long, and lists were taken.
    void at_rest() const
    {
        bool runs = false;
        w_.ledger().for_each_running([&](activity const&, auto const&, std::uint64_t life) {
            runs = runs || std::any_of(lives_.begin(), lives_.end(),
                                       [&](waiting const& l) { return l.life == life && l.matched; });
        });
        hold(over_ || runs || (quiet_at() && *quiet_at() > last_requested_), of_idle_waits, "it hangs at rest");
    }

    std::string story() const
    {
        std::string all = "\n  idle wait: section " + std::to_string(wanted_) + " for " + std::to_string(quiet_) +
                          " ms" + (over_ ? ", over" : "") +
                          (live_since_ ? ", live since " + std::to_string(*live_since_) : ", not live");
        for (waiting const& l : lives_)
            all += "\n    life " + std::to_string(l.life) + " told at " + std::to_string(l.at) +
                   " ms: " + text_of(l.last()) + ", Context " + std::to_string(l.context) +
                   (l.matched ? ", matches" : "");
        return all;
    }

private:
    static constexpr moment benefit = 5000;
    static constexpr moment longest_delay = 4100;

    struct waiting : told_life {
        moment ended = never;
        std::vector<std::pair<moment, sync::answer>> answers;

        /// The end of the last time that its Context was missing, which counts for so long.
        moment doubtful_until() const
        {
            moment until = long_ago;
            for (std::size_t i = 0; i < answers.size();) {
                moment const since = answers[i].first;
                bool const doubtful = answers[i].second == sync::answer::not_yet_known;
                do
                    ++i;
                while (i < answers.size() && (answers[i].second == sync::answer::not_yet_known) == doubtful);
                if (doubtful)
                    until = std::min(since + benefit, i < answers.size() ? answers[i].first : ended);
            }
            return until;
        }
    };

    int section() const { return std::max(wanted_, 0); }

    /// Whether the feed or the list has told that it runs and matches.
    bool could_be_known(int who, moment requested) const
    {
        being const& b = w_.truth(who);
        moment const matches_since = section() == 0 ? b.born_at : b.had[static_cast<std::size_t>(section())];
        bool const matches = section() == 0 || b.is.context == section() || matches_since > began_;
        if (matches_since == never || !matches)
            return false;
        bool const sent = matches_since > w_.sends_since() && !w_.on_the_wire(who) && !w_.concluded(who);
        // A list tells the Context only of what has been at rest on the feed (rule 2).
        moment const at_rest = requested - grace - longest_delay - w_.terms().lag;
        bool const shown =
            !w_.hidden(who) && b.born_at < w_.list_taken_at() &&
            (section() == 0 || (w_.terms().lists_context && b.is.context == section() && b.changed_at < at_rest));
        return sent || shown;
    }
    void compare() const
    {
        auto const at = quiet_at();
        auto const says = idleness_.quiet_at();
        hold(at ? says == steady(*at) : !says, of_idle_waits, "it counts the quiet time from another moment");
    }

    world const& w_;
    int wanted_; // below 0: anything
    moment quiet_;
    sync::idleness idleness_;
    moment began_;
    moment last_requested_ = long_ago;
    std::vector<waiting> lives_;
    std::optional<moment> live_since_;
    bool over_ = false;
    bool woken_ = false;
};

} // namespace plex::testing::model
