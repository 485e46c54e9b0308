#pragma once

#include "model_waiter.hpp"
#include "model_world.hpp"

#include "sync/filter_match.hpp"
#include "sync/pursuit.hpp"

namespace plex::testing::model {

/// Whose rules were broken, beside those of the feed.
inline constexpr int of_operations = 10;
inline constexpr int of_idle_waits = 11;

/// What a filter on section `wanted` says to a Context, both by number; 0: the filter asks for no Context.
inline sync::answer answer_of(int wanted, int context)
{
    if (wanted == 0 || context == wanted)
        return sync::answer::yes;
    return context == 1 || context == 2 ? sync::answer::no : sync::answer::not_yet_known;
}
inline filter filter_for(int wanted)
{
    filter f = filter().type("library.update.section");
    return wanted == 0 ? f : std::move(f).context("section", std::to_string(wanted));
}

/// All that was told of one life.
struct told_life {
    std::uint64_t life = 0;
    int who = -1;
    int birth = 0; // which of the server's lives it is about
    moment at = 0;
    int context = 0;      // as last told
    bool matched = false; // once it has, it always does
    bool gone = false;    // before the request was sent
    // By what the server knew when it was told:
    bool matched_rightly = true;
    bool ended_rightly = true;
    std::optional<activity_event> start, update, end;

    activity_event const& last() const { return end ? *end : update ? *update : *start; }
    /// @param wanted the section that is waited for
    void take(sync::mail const& m, int wanted)
    {
        (m.event.kind == event_kind::started ? start : m.event.kind == event_kind::updated ? update : end) = m.event;
        auto const it = std::find(contexts.begin(), contexts.end(), m.event.activity.context().json());
        context = static_cast<int>(it - contexts.begin());
        matched = matched || answer_of(wanted, context) == sync::answer::yes;
    }
};

/// An operation and the rules about it. Beside the pursuit stands all that was ever told, and what the server knows:
///
/// - *Which.* The reply names the activity, or it is the first that was told after the send and matches. Nothing that
///   the client knew before the send is taken for new, also not under a new life after its end had been concluded. What
///   never had the wanted Context is not taken, unless marked weak: it ended without any, and nothing else will match.
/// - *Ended* only if the server ended it and sent that. *Vanished* only if it runs no longer or is hidden from the
/// list.
/// - *Not started* only by a list that was asked for after the time to appear, and only if nothing that may be it was
///   told or shown by that list, or was sent by the server since the send, and had arrived by then, without the feed
///   having been lost. A name that was not seen is `vanished` where the feed was lost since the send, or lists are all
///   there is.
/// - *No hang.* What matches is followed at once; with the deciding list there is a verdict, or something runs that may
///   yet match.
/// - *Whole life.* Its events are `started`, the latest update told before it was found, each one after, `ended`.
class watched_operation final : public onlooker
{
public:
    struct wish {
        int wanted = 0;
        bool by_name_alone = false; // no filter
        bool or_running = false;
        moment appear = 0;
    };

    watched_operation(world const& w, wish const& asked) : w_(w), asked_(asked), pursuit_(terms_of(asked)) {}

    void told(sync::mail const& m) override
    {
        note(m);
        bool const is_news = pursuit_.told(m);
        bool const was_over = over_;
        std::size_t const before = expected_.size();
        if (chosen_ && lives_[*chosen_].life == m.life && !over_)
            expected_.push_back(m.event);
        judge();
        hold(is_news == (over_ != was_over || expected_.size() != before), of_operations,
             "it wakes nobody, or in vain");
        woken_ = woken_ || is_news;
    }
    void listed(moment requested, bool polled) override
    {
        if (wanted_list() && requested >= *wanted_list()) {
            late_ = true;
            gap_ = gap_ || polled;
            told_in_time_ = lives_.size();
            decided_by_ = w_.list_taken_at();
            for (int who = 0; who < most; ++who)
                undelivered_[static_cast<std::size_t>(who)] = w_.on_the_wire(who);
        }
        pursuit_.listed(steady(requested), polled);
        judge();
        woken_ = true;
    }
    void interrupted() override
    {
        gap_ = gap_ || sent_;
        pursuit_.interrupted();
        judge();
    }
    void send()
    {
        sent_ = w_.clock;
        known_before_ = lives_.size();
        for (told_life& l : lives_)
            l.gone = l.end.has_value();
        pursuit_.sending();
        judge();
    }
    /// @param name empty where the reply names nothing
    void reply(std::string_view name)
    {
        replied_ = w_.clock;
        name_ = name;
        pursuit_.replied(std::string(name), steady(w_.clock));
        judge();
    }
    void take(std::size_t count)
    {
        for (; count != 0; --count) {
            auto const event = pursuit_.take();
            hold(event.has_value() == (taken_ != expected_.size()), of_operations, "it has more events, or fewer");
            if (!event)
                return;
            activity_event const& e = expected_[taken_++];
            hold(event->kind == e.kind && event->inferred == e.inferred && same(*event, e), of_operations,
                 "its events are not its whole life");
        }
    }

    /// Whether he who awaits it has been woken since this was asked last.
    bool take_woken() { return std::exchange(woken_, false); }
    bool replied() const { return replied_.has_value(); }
    bool sent() const { return sent_.has_value(); }
    bool follows() const { return chosen_.has_value(); }
    std::optional<outcome> const& result() const { return pursuit_.result(); }
    /// When a list is to be asked for.
    std::optional<moment> wanted_list() const
    {
        if (!replied_ || late_ || over_ || chosen_)
            return std::nullopt;
        return *replied_ + asked_.appear;
    }
    /// Whether another activity under this uuid would be taken for the one that ran before.
    bool may_confuse(int who) const
    {
        return std::any_of(lives_.begin(), lives_.end(),
                           [&](told_life const& l) { return l.who == who && l.end && l.end->inferred; });
    }
    /// The feed has been up for long, and lists were taken.
    void at_rest(sync::ledger const& ledger)
    {
        take(SIZE_MAX);
        if (!replied_ || over_)
            return;
        bool runs = false;
        ledger.for_each_running([&](activity const& a, auto const&, std::uint64_t life) {
            runs = runs || (chosen_ ? life == lives_[*chosen_].life
                                    : name_.empty() &&
                                          sync::match(filter_for(asked_.wanted), a) == sync::answer::not_yet_known);
        });
        hold(runs, of_operations, "it hangs");
    }

    std::string story() const
    {
        auto const text = [](std::optional<moment> m) { return m ? std::to_string(*m) + " ms" : "never"; };
        std::string all = "\n  operation: section " + std::to_string(asked_.wanted) + " within " +
                          std::to_string(asked_.appear) + " ms, sent " + text(sent_) + ", replied " + text(replied_) +
                          ": '" + name_ + "'" + (asked_.or_running ? ", or running" : "") +
                          (asked_.by_name_alone ? ", no filter" : "");
        if (result())
            all += "; result " + std::to_string(static_cast<int>(result()->kind)) + " " +
                   std::string(result()->activity.uuid()) + " " + result()->message;
        for (told_life const& l : lives_)
            all += "\n    life " + std::to_string(l.life) + " told at " + std::to_string(l.at) +
                   " ms: " + text_of(l.last()) + ", Context " + std::to_string(l.context) +
                   (l.matched ? ", matches" : "") + (older(l) ? ", older" : "");
        return all;
    }

private:
    static sync::pursuit_terms terms_of(wish const& asked)
    {
        sync::pursuit_terms t;
        if (!asked.by_name_alone)
            t.wanted = filter_for(asked.wanted);
        t.or_running = asked.or_running;
        t.appear_timeout = std::chrono::milliseconds(asked.appear);
        return t;
    }
    static bool same(activity_event const& a, activity_event const& b)
    {
        using access = detail::activity_access;
        return access::record(a.activity) == access::record(b.activity);
    }

    void note(sync::mail const& m)
    {
        auto it = std::find_if(lives_.begin(), lives_.end(), [&](told_life const& l) { return l.life == m.life; });
        if (it == lives_.end()) {
            it = lives_.insert(it, told_life());
            it->life = m.life;
            it->who = number_of(m.event.activity.uuid());
            it->birth = w_.births(it->who);
            it->at = w_.clock;
        }
        bool const had_matched = it->matched;
        it->take(m, asked_.wanted);
        being const& b = w_.truth(it->who);
        if (it->matched && !had_matched)
            it->matched_rightly = asked_.wanted == 0 || b.had[static_cast<std::size_t>(asked_.wanted)] != never;
        if (it->end)
            it->ended_rightly = it->end->inferred ? !b.runs || w_.hidden(it->who) : !b.runs && b.end_sent;
    }

    // ---- which one it has to be

    bool older(told_life const& l) const
    {
        return std::any_of(lives_.begin(), lives_.begin() + static_cast<std::ptrdiff_t>(known_before()),
                           [&](told_life const& before) { return before.who == l.who && before.birth == l.birth; });
    }
    std::size_t known_before() const { return sent_ ? known_before_ : lives_.size(); }
    bool admitted(told_life const& l) const { return !l.gone && (asked_.or_running || !older(l)); }
    bool may_match(std::size_t i) const
    {
        told_life const& l = lives_[i];
        return i < told_in_time_ && !l.matched && admitted(l) &&
               answer_of(asked_.wanted, l.context) == sync::answer::not_yet_known;
    }

    struct choice {
        std::optional<std::size_t> which;
        bool weak = false;
        bool none = false; // and there will be none
    };
    choice expected() const
    {
        if (!replied_)
            return {};
        if (!name_.empty()) {
            for (std::size_t i = lives_.size(); i-- > 0;)
                if (lives_[i].start->activity.uuid() == name_ && !lives_[i].gone)
                    return {i};
            return {std::nullopt, false, late_};
        }
        if (asked_.by_name_alone)
            return {std::nullopt, false, true};
        for (bool const old : {false, true})
            for (std::size_t i = 0; i < lives_.size(); ++i)
                if (lives_[i].matched && admitted(lives_[i]) && older(lives_[i]) == old)
                    return {i};
        if (!late_)
            return {};
        for (bool const runs : {true, false})
            for (std::size_t i = 0; i < lives_.size(); ++i)
                if (may_match(i) && !lives_[i].end == runs)
                    return runs ? choice() : choice{i, true};
        return {std::nullopt, false, true};
    }

    // ---- what came out

    void judge()
    {
        if (over_) {
            hold(result().has_value(), of_operations, "its result is gone");
            return;
        }
        bool const follows = !pursuit_.found().uuid().empty();
        if (!chosen_)
            choose(follows);
        if (chosen_)
            follow();
        else if (result())
            nothing();
        if (!over_) {
            auto const at = wanted_list();
            auto const asks = pursuit_.list_wanted_at();
            hold(at ? asks == steady(*at) : !asks, of_operations, "it asks for a list at another time");
        }
    }

    void choose(bool follows)
    {
        choice const e = expected();
        hold(e.which || !follows, of_operations, "it follows what is not the one");
        hold(!e.which || follows, of_operations, "it does not follow the one");
        hold(e.none || !result() || follows, of_operations, "it says that nothing started, too early");
        hold(!e.none || result(), of_operations, "all is over, and it hangs");
        if (!e.which)
            return;
        chosen_ = e.which;
        weak_ = e.weak;
        told_life const& l = lives_[*chosen_];
        hold(pursuit_.found().uuid() == l.start->activity.uuid(), of_operations, "it follows another one");
        hold(weak_ || !name_.empty() || (l.matched && l.matched_rightly), of_operations,
             "it follows another library's scan");
        hold(asked_.or_running || !name_.empty() || !older(l), of_operations, "it follows what ran before");
        for (auto const* event : {&l.start, &l.update, &l.end})
            if (*event)
                expected_.push_back(**event);
    }

    void follow()
    {
        told_life const& l = lives_[*chosen_];
        using access = detail::activity_access;
        hold(access::record(pursuit_.found()) == access::record(l.last().activity), of_operations,
             "it does not show the latest state");
        hold(result().has_value() == l.end.has_value(), of_operations, "its result comes without its end, or not with");
        if (!l.end)
            return;
        over_ = true;
        outcome const& o = *result();
        hold(o.kind == (l.end->inferred ? outcome_kind::vanished : outcome_kind::ended), of_operations,
             "an end that was inferred is not told from one that was seen");
        hold(l.ended_rightly, of_operations,
             l.end->inferred ? "vanished, but it runs and the list shows it" : "ended, but the server did not say so");
        hold(o.weak == weak_, of_operations, "a match without its Context is not marked, or another one is");
        hold(access::record(o.activity) == access::record(l.end->activity), of_operations, "the result shows another");
    }

    void nothing()
    {
        over_ = true;
        outcome const& o = *result();
        bool const vanished = !name_.empty() && gap_;
        hold(o.kind == (vanished ? outcome_kind::vanished : outcome_kind::not_started), of_operations,
             "what was never seen did not start, or has vanished where it may have been missed");
        hold(o.activity.uuid().empty() && !o.weak, of_operations, "nothing started, but an activity is shown");
        if (name_.empty() && asked_.by_name_alone)
            return;
        hold((o.message.find("interrupted") != std::string::npos) == (name_.empty() && gap_), of_operations,
             "that something may have been missed is not said");
        for (int who = 0; who < most; ++who) {
            being const& b = w_.truth(who);
            bool const it = name_.empty() ? b.had[static_cast<std::size_t>(asked_.wanted)] != never
                                          : names[static_cast<std::size_t>(who)] == name_;
            if (!it || b.births == 0 || b.born_at <= *sent_)
                continue;
            bool const told = std::any_of(lives_.begin(), lives_.end(),
                                          [&](told_life const& l) { return l.who == who && l.birth == b.births; });
            hold(told || !b.runs || w_.hidden(who) || b.born_at >= decided_by_, of_operations,
                 "nothing started, but the list shows it");
            bool const came_later = b.born_at >= decided_by_ || undelivered_[static_cast<std::size_t>(who)];
            hold(b.born_at <= w_.sends_since() || came_later || w_.on_the_wire(who), of_operations,
                 "nothing started, but the feed told it");
        }
    }

    world const& w_;
    wish asked_;
    sync::pursuit pursuit_;
    std::vector<told_life> lives_; // in the order told
    std::size_t known_before_ = 0;
    std::size_t told_in_time_ = SIZE_MAX;
    moment decided_by_ = never;            // when the list was made that shows what has come in time
    std::array<bool, most> undelivered_{}; // what was on the wire when it was taken in
    std::optional<moment> sent_, replied_;
    std::string name_;
    bool gap_ = false;
    bool late_ = false;
    bool woken_ = false;

    std::optional<std::size_t> chosen_;
    bool weak_ = false;
    bool over_ = false;
    std::vector<activity_event> expected_;
    std::size_t taken_ = 0;
};

} // namespace plex::testing::model
