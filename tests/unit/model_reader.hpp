#pragma once

#include "model_rules.hpp"

namespace plex::testing::model {

/// One subscriber and the rules about what it takes (3, 4 and 8): beside its mailbox stands a plain list of what it has
/// to hear.
class reader
{
public:
    /// @param wanted the section of its filter, an index into `contexts`; 0: no filter
    reader(int wanted, sync::mailbox_limits limits)
        : box_(wanted == 0 ? filter() : filter().context("section", std::to_string(wanted)), limits), wanted_(wanted),
          limits_(limits)
    {
    }

    void remember(std::span<int const> whom, moment now, sync::instant instant)
    {
        std::vector<activity> known;
        for (int const who : whom) {
            detail::activity_fields f;
            f.uuid = names[static_cast<std::size_t>(who)];
            f.title = title_of(0);
            known.push_back(detail::activity_access::make(f));
            known_.push_back(known.back());
            hears_[static_cast<std::size_t>(who)] = known.back();
        }
        known_since_ = now;
        box_.remember(std::move(known), instant);
    }

    void post(sync::mail const& m)
    {
        box_.post(m);
        has_to_hear(m.event);
        compare();
    }
    void post(std::span<sync::mail const> batch)
    {
        box_.post(batch);
        for (sync::mail const& m : batch)
            has_to_hear(m.event);
        compare();
    }

    /// The absences of the snapshot requested then are settled: what is remembered and still unheard of has ended.
    void settled(moment requested, sync::ledger::time_point requested_at, sync::instant now)
    {
        box_.settled(requested_at, now);
        if (!known_.empty() && requested >= known_since_)
            for (activity const& gone : std::exchange(known_, {}))
                put({event_kind::ended, true, now.system, std::nullopt, gone});
        compare();
    }

    /// Takes so many, or what there is.
    void take(std::size_t count)
    {
        for (; count != 0; --count) {
            auto const event = box_.take();
            hold(event.has_value() == !pending_.empty(), 3, "a reader is not given what is pending, or more");
            if (!event)
                break;
            take(*event);
        }
        compare();
    }

    bool overflowed() const { return overflowed_; }
    bool filtered() const { return wanted_ != 0; }
    int wanted() const { return wanted_; }
    std::uint64_t left_out() const { return left_out_; }
    std::size_t taken() const { return taken_; }
    /// What it believes to run, as it last heard of it.
    std::optional<activity> const& hears(int who) const { return hears_[static_cast<std::size_t>(who)]; }

private:
    struct item {
        activity_event event;
        std::size_t cost;
    };
    static std::size_t cost(activity_event const& e)
    {
        return sizeof(sync::mail) + detail::activity_access::record(e.activity)->size();
    }

    /// Rule 8. From the first event on which the filter says yes, as `started`, and then everything until `ended`.
    void has_to_hear(activity_event event)
    {
        auto const who = static_cast<std::size_t>(number_of(event.activity.uuid()));
        bool const first = event.kind == event_kind::started;
        bool const last = event.kind == event_kind::ended;
        auto const it = std::find_if(known_.begin(), known_.end(),
                                     [&](activity const& k) { return first && k.uuid() == event.activity.uuid(); });
        if (it != known_.end()) { // for it this has started long ago
            known_.erase(it);
            event.kind = event_kind::updated;
            put(event);
            follows_[who] = true;
            return;
        }
        if (first)
            follows_[who] = false;
        if (wanted_ == 0 || follows_[who]) {
            put(event);
        } else if (event.activity.context().json() == contexts[static_cast<std::size_t>(wanted_)]) {
            activity_event start = event;
            start.kind = event_kind::started;
            start.inferred = event.inferred || !first;
            put(start);
            if (last)
                put(event);
            follows_[who] = true;
        }
    }

    /// Rules 3 and 4. Everything while few are pending; at the mark and until drained each life's latest update alone,
    /// in the place of the first; nothing any more once it is full.
    void put(activity_event const& event)
    {
        if (overflowed_)
            return;
        item const next{event, cost(event)};
        item* const place =
            conflating_ && event.kind == event_kind::updated ? earlier_update(pending_.size(), event) : nullptr;
        if (bytes_ - (place ? place->cost : 0) + next.cost > limits_.bytes) {
            overflowed_ = true;
            return;
        }
        bytes_ += next.cost - (place ? place->cost : 0);
        if (place) {
            *place = next;
            ++left_out_;
            return;
        }
        pending_.push_back(next);
        if (!conflating_ && (pending_.size() >= limits_.conflate_after || bytes_ >= limits_.bytes / 2))
            conflate();
    }
    void conflate()
    {
        conflating_ = true;
        for (std::size_t i = 0; i < pending_.size();) {
            item* const place =
                pending_[i].event.kind == event_kind::updated ? earlier_update(i, pending_[i].event) : nullptr;
            if (!place) {
                ++i;
                continue;
            }
            bytes_ -= place->cost;
            *place = pending_[i];
            pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
            ++left_out_;
        }
    }
    /// Of the same life, before place `i`.
    item* earlier_update(std::size_t i, activity_event const& event)
    {
        while (i-- > 0) {
            if (pending_[i].event.activity.uuid() != event.activity.uuid())
                continue;
            return pending_[i].event.kind == event_kind::updated ? &pending_[i] : nullptr;
        }
        return nullptr;
    }

    void take(activity_event const& event)
    {
        item const expected = std::move(pending_.front());
        pending_.erase(pending_.begin());
        bytes_ -= expected.cost;
        conflating_ = conflating_ && !pending_.empty();
        ++taken_;

        using access = detail::activity_access;
        activity_event const& e = expected.event;
        if (e.activity.uuid() != event.activity.uuid() || e.kind != event.kind || e.inferred != event.inferred)
            throw broken_rule(wanted_ == 0 ? 3 : 8, "taken: " + text_of(event) + " instead of: " + text_of(e));
        hold(access::record(e.activity) == access::record(event.activity), 3, "an event has another's state");
        hold(e.at == event.at && e.started_at == event.started_at, 3, "an event has another's times");

        // Rule 1, by what was taken alone.
        auto& known = hears_[static_cast<std::size_t>(number_of(event.activity.uuid()))];
        hold((event.kind == event_kind::started) != known.has_value(), 1,
             "a subscriber hears anything but whole lives");
        if (event.kind == event_kind::ended)
            known.reset();
        else
            known = event.activity;
    }

    void compare() const
    {
        int const rule = wanted_ == 0 ? 3 : 8;
        hold(box_.overflowed() == overflowed_, 4, "a mailbox is full too early, or too late");
        hold(box_.pending() == pending_.size(), rule, "more or less is pending than has to be told");
        hold(box_.empty() == pending_.empty(), rule, "a mailbox has news, or none, and says otherwise");
        hold(box_.bytes() == bytes_, 4, "a mailbox is not charged what it holds");
        hold(box_.bytes() <= limits_.bytes, 4, "a mailbox holds more than its bound");
        hold(box_.conflated() == left_out_, 3, "what was left out is not counted right");
    }

    sync::mailbox box_;
    int wanted_;
    sync::mailbox_limits limits_;
    std::vector<item> pending_;
    std::vector<activity> known_;
    moment known_since_ = 0;
    std::array<bool, most> follows_{};
    std::array<std::optional<activity>, most> hears_;
    std::size_t bytes_ = 0;
    std::size_t taken_ = 0;
    std::uint64_t left_out_ = 0;
    bool conflating_ = false;
    bool overflowed_ = false;
};

} // namespace plex::testing::model
