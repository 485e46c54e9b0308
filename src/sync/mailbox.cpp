#include "mailbox.hpp"

#include "activity_record.hpp"
#include "filter_match.hpp"

#include <algorithm>
#include <bit>
#include <new>
#include <utility>

namespace plex::sync {

namespace {

std::size_t cost(activity_event const& event) noexcept
{
    auto const* const record = detail::activity_access::record(event.activity);
    return sizeof(mail) + (record ? record->size() : 0);
}

} // namespace

mailbox::mailbox(filter wanted, mailbox_limits limits)
    : filter_(std::move(wanted)), filtered_(!filter_.empty()), limits_(limits)
{
}

void mailbox::remember(std::vector<activity> known, instant now)
{
    known_ = std::move(known);
    known_since_ = now.steady;
}

/// Memory for so many more events, and for what the filter has said: all that a post takes, so that one for which there
/// is none has not happened.
void mailbox::make_room(std::size_t events)
{
    if (count_ + events > ring_.size())
        resize_ring(events);
    if (conflating_)
        pending_update_.reserve(events);
    if (filtered_)
        told_.reserve(1);
}

template <class Event>
void mailbox::append(Event&& event, std::uint64_t life) noexcept
{
    mail& m = at(count_);
    m.event = std::forward<Event>(event);
    m.life = life;
    ++count_;
}

/// There is room for it.
template <class Event>
void mailbox::put(Event&& event, std::uint64_t life) noexcept
{
    if (overflowed_)
        return;
    bool const update = event.kind == event_kind::updated;
    if (conflating_ && update) {
        if (activity_event* const pending = pending_update_of(life)) {
            if (charge(cost(event), cost(*pending))) {
                *pending = std::forward<Event>(event);
                ++conflated_;
            }
            return;
        }
    }
    if (!charge(cost(event), 0))
        return;
    if (conflating_ && update)
        pending_update_.insert(life, taken_ + count_);
    append(std::forward<Event>(event), life);
    if (!conflating_ && (count_ >= limits_.conflate_after || bytes_ >= limits_.bytes / 2))
        conflate();
}

void mailbox::post(mail const& m)
{
    make_room(filtered_ ? 2 : 1); // its start with its end
    admit(m, [&](auto&& event) { put(std::forward<decltype(event)>(event), m.life); });
}

/// What is told in one go to a thousand mailboxes, of which nearly all take it as it is.
void mailbox::post(std::span<mail const> batch)
{
    auto next = batch.begin();
    if (!filtered_ && known_.empty() && !conflating_ && !overflowed_) {
        for (; next != batch.end() && count_ + 1 < limits_.conflate_after; ++next) {
            std::size_t const bytes = bytes_ + cost(next->event);
            if (bytes >= limits_.bytes / 2)
                break;
            if (count_ == ring_.size())
                resize_ring(1);
            append(next->event, next->life);
            bytes_ = bytes;
        }
    }
    for (; next != batch.end(); ++next)
        post(*next);
}

void mailbox::post(mail&& m)
{
    make_room(filtered_ ? 2 : 1);
    std::uint64_t const life = m.life;
    admit(std::move(m), [&](auto&& event) { put(std::forward<decltype(event)>(event), life); });
}

mailbox::hearing mailbox::hears(mail const& m)
{
    bool const first = m.event.kind == event_kind::started;
    if (first && !known_.empty() && was_known(m.event.activity)) {
        if (filtered_)
            told_.insert(m.life, true);
        return hearing::as_update;
    }
    if (!filtered_)
        return hearing::as_it_is;

    bool const last = m.event.kind == event_kind::ended;
    if (bool* const told = told_.find(m.life)) {
        if (last)
            told_.erase(told);
        return hearing::as_it_is;
    }
    if (match(filter_, m.event.activity) != answer::yes)
        return hearing::nothing;
    if (last)
        return hearing::as_start_and_end;
    told_.insert(m.life, true);
    return first ? hearing::as_it_is : hearing::as_start;
}

bool mailbox::was_known(activity const& a) noexcept
{
    auto const it = std::find_if(known_.begin(), known_.end(), [&](activity const& k) { return k.uuid() == a.uuid(); });
    if (it == known_.end())
        return false;
    known_.erase(it);
    return true;
}

activity_event* mailbox::pending_update_of(std::uint64_t life) noexcept
{
    std::uint64_t const* const number = pending_update_.find(life);
    return number ? &at(static_cast<std::size_t>(*number - taken_)).event : nullptr;
}

/// False, and overflowed from now on, when there is no room for that.
bool mailbox::charge(std::size_t more, std::size_t less) noexcept
{
    if (bytes_ - less + more > limits_.bytes) {
        overflowed_ = true;
        return false;
    }
    bytes_ += more;
    bytes_ -= less;
    return true;
}

/// Room for as much again as is pending, and for so many more.
void mailbox::resize_ring(std::size_t events)
{
    std::vector<mail> other(std::bit_ceil(std::max<std::size_t>({2, 2 * count_, count_ + events})));
    for (std::size_t i = 0; i < count_; ++i)
        other[i] = std::move(at(i));
    ring_.swap(other);
    first_ = 0;
}

void mailbox::settled(std::chrono::steady_clock::time_point requested, instant now)
{
    if (known_.empty() || requested < known_since_)
        return;
    while (!known_.empty()) {
        make_room(1); // for each anew: the one before may have begun to conflate
        put(activity_event{event_kind::ended, true, now.system, std::nullopt, std::move(known_.front())}, 0);
        known_.erase(known_.begin());
    }
}

/// What is pending moves up behind what stays of it; from here on `pending_update_` is kept. Where memory for that runs
/// out it stays as it is until the next event.
void mailbox::conflate() noexcept
try {
    pending_update_.reserve(count_);
    conflating_ = true;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        mail& m = at(i);
        if (m.event.kind == event_kind::updated) {
            if (activity_event* const pending = pending_update_of(m.life)) {
                std::swap(*pending, m.event);
                bytes_ -= cost(m.event);
                ++conflated_;
                continue;
            }
            pending_update_.insert(m.life, taken_ + kept);
        }
        if (kept != i)
            std::swap(at(kept), m);
        ++kept;
    }
    for (std::size_t i = kept; i < count_; ++i)
        at(i) = mail();
    count_ = kept;
    resize_ring(0); // a reader that sleeps on holds what runs alone
} catch (std::bad_alloc const&) {
}

std::optional<activity_event> mailbox::take()
{
    std::optional<activity_event> event; // returned as it stands
    if (count_ == 0)
        return event;
    mail& m = at(0);
    event.emplace(std::move(m.event));
    bytes_ -= cost(*event);
    if (conflating_ && event->kind == event_kind::updated)
        pending_update_.erase(pending_update_.find(m.life));
    ++taken_;
    --count_;
    first_ = (first_ + 1) & (ring_.size() - 1);
    if (conflating_ && count_ == 0)
        calm_down();
    return event;
}

/// The flood is over: back to what an idle subscriber needs.
void mailbox::calm_down() noexcept
{
    conflating_ = false;
    pending_update_.clear();
    std::vector<mail>().swap(ring_);
    first_ = 0;
}

} // namespace plex::sync
