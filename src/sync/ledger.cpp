#include "ledger.hpp"

#include "activity_record.hpp"
#include "merge.hpp"

#include <algorithm>
#include <utility>

namespace plex::sync {

using detail::activity_access;
using protocol::activity_update;

namespace {

std::string_view uuid_of(activity const& a) noexcept
{
    return activity_access::record(a)->fields().uuid;
}

/// What is kept of an end.
activity name_of(activity const& a)
{
    auto const& f = activity_access::record(a)->fields();
    detail::activity_fields name;
    name.uuid = f.uuid;
    name.type = f.type;
    return activity_access::make(name);
}

/// Room for so much more to tell. Whatever needs memory comes first in each step, so that when there is none the step
/// has not happened: what is noted but not told, or told but not noted, would make impossible lives.
void make_room(std::vector<mail>& out, std::size_t count)
{
    if (out.capacity() - out.size() < count)
        out.reserve(std::max(2 * out.capacity(), out.size() + count));
}

} // namespace

// ---- the feed

void ledger::heard(activity_update const& news, instant now, std::vector<mail>& out)
{
    if (full_)
        return;
    make_room(out, 2);
    entry* const e = find(news.uuid);
    if (!e)
        heard_of_unknown(news, now, out);
    else if (e->is == state::running)
        heard_of_running(*e, news, now, out);
    else
        heard_of_ended(*e, news, now, out);
}

void ledger::heard_of_running(entry& e, activity_update const& news, instant now, std::vector<mail>& out)
{
    activity merged = merge(e.current, news, true);
    activity name = news.kind == event_kind::ended ? name_of(merged) : activity();
    if (e.missing != 0 && news.kind == event_kind::updated && !in_grace(now.steady))
        partial_ = true;
    e.last_event = now.steady;
    bool const changed = learn(e, std::move(merged), out);

    switch (news.kind) {
    case event_kind::started:
        if (!e.started_at)
            e.started_at = now.system;
        if (changed)
            tell(e, event_kind::updated, false, now, out);
        break;
    case event_kind::updated:
        tell(e, event_kind::updated, false, now, out);
        break;
    case event_kind::ended:
        tell(e, event_kind::ended, false, now, out);
        close(e, state::seen_ended, std::move(name), out);
        break;
    }
}

void ledger::heard_of_unknown(activity_update const& news, instant now, std::vector<mail>& out)
{
    if (news.type.empty()) {
        ++malformed_;
        return;
    }
    activity first = merge(activity(), news, true);
    activity name = news.kind == event_kind::ended ? name_of(first) : activity();
    entry& e = open(std::move(first), now.steady);
    e.last_event = now.steady;
    bool const seen = news.kind == event_kind::started;
    if (seen)
        e.started_at = now.system;
    tell(e, event_kind::started, !seen, now, out);
    if (news.kind == event_kind::ended) {
        tell(e, event_kind::ended, false, now, out);
        close(e, state::seen_ended, std::move(name), out);
    }
}

void ledger::heard_of_ended(entry& e, activity_update const& news, instant now, std::vector<mail>& out)
{
    if (e.is == state::seen_ended) {
        if (now.steady < e.forget_at)
            return; // stale
        forget(e);
        heard_of_unknown(news, now, out);
    } else if (news.kind == event_kind::ended) {
        e.is = state::seen_ended;
        e.last_event = now.steady;
    } else {
        activity again = merge(e.current, news, true);
        partial_ = true;
        reopen(e, std::move(again), now.steady);
        e.last_event = now.steady;
        tell(e, event_kind::started, true, now, out);
    }
}

void ledger::disconnected() noexcept
{
    in_gap_ = true;
    requested_.reset();
    unsettled_.reset();
}

// ---- the list

void ledger::snapshot_requested(instant now, bool closes_gap) noexcept
{
    requested_ = now.steady;
    polling_ = false;
    if (closes_gap) {
        in_gap_ = false;
        gap_closed_ = now.steady;
    }
}

void ledger::snapshot_arrived(std::span<activity_update const> list, instant now, std::vector<mail>& out)
{
    if (full_ || !requested_)
        return;
    time_point const requested = *requested_;
    requested_.reset();

    ++snapshots_;
    for (activity_update const& news : list)
        listed(news, requested, now, out);
    for (entry& e : entries_)
        if (e.listed_by != snapshots_)
            not_listed(e, requested, now);
    unsettled_ = snapshot{requested, now.steady + limits_.grace, false};
}

void ledger::polled(std::span<activity_update const> list, time_point requested, instant now, std::vector<mail>& out)
{
    polling_ = true;
    requested_ = requested;
    snapshot_arrived(list, now, out);
    if (!unsettled_) // full
        return;
    unsettled_->confirmed = true;
    unsettled_->grace_over = now.steady;
    settle(now, out);
}

void ledger::listed(activity_update const& news, time_point requested, instant now, std::vector<mail>& out)
{
    make_room(out, 1);
    entry* e = find(news.uuid);
    if (e && e->is == state::seen_ended && e->forget_at <= requested) {
        forget(*e); // and it lives anew
        e = nullptr;
    }
    if (e && e->is == state::running) {
        if (e->last_event <= requested - limits_.grace && learn(*e, merge(e->current, news, false), out))
            tell(*e, event_kind::updated, true, now, out);
    } else if (e && e->is == state::seen_ended) {
        e->forget_at = never;
    } else if (!e && news.type.empty()) {
        ++malformed_;
        return;
    } else {
        activity first = merge(e ? e->current : activity(), news, false);
        if (e)
            reopen(*e, std::move(first), requested);
        else
            e = &open(std::move(first), requested);
        tell(*e, event_kind::started, true, now, out);
    }
    e->last_listed = requested;
    e->listed_by = snapshots_;
    e->missing = 0;
}

void ledger::not_listed(entry& e, time_point requested, instant now) noexcept
{
    if (e.is == state::running && e.since < requested) {
        if (e.missing < 2)
            ++e.missing;
    } else if (e.is == state::seen_ended && e.forget_at <= now.steady) {
        forget(e);
    } else if (e.is == state::seen_ended && e.last_event < requested && e.forget_at == never) {
        e.forget_at = now.steady + limits_.grace;
    }
}

// ---- ends by absence

std::optional<std::uint32_t> ledger::awaiting_confirmation() const noexcept
{
    if (unsettled_ && !unsettled_->confirmed)
        return snapshots_;
    return std::nullopt;
}

void ledger::peer_confirmed(std::uint32_t number) noexcept
{
    if (unsettled_ && number == snapshots_)
        unsettled_->confirmed = true;
}

std::optional<ledger::time_point> ledger::next_settle() const noexcept
{
    if (unsettled_ && unsettled_->confirmed)
        return unsettled_->grace_over;
    return std::nullopt;
}

void ledger::settle(instant now, std::vector<mail>& out)
{
    if (full_ || !unsettled_ || !unsettled_->confirmed || now.steady < unsettled_->grace_over)
        return;
    time_point const requested = unsettled_->requested;
    for (entry& e : entries_) {
        if (ends_by_absence(e, requested)) {
            make_room(out, 1);
            activity name = name_of(e.current);
            tell(e, event_kind::ended, true, now, out);
            close(e, state::inferred_ended, std::move(name), out);
        }
    }
    unsettled_.reset();
    settled_ = requested;
}

bool ledger::ends_by_absence(entry const& e, time_point requested) const noexcept
{
    // An event since the request is newer than the list, also one that came within the grace.
    if (e.is != state::running || e.missing == 0 || e.last_event >= requested)
        return false;
    bool const ever_listed = e.listed_by != 0;
    bool const gap = in_gap_ || e.last_heard_of() < gap_closed_;
    if (!gap)
        return ever_listed && e.missing >= 2;
    if (!partial_ || ever_listed)
        return true;
    if (polling_)
        return requested - e.last_heard_of() >= limits_.partial_silence;
    return !in_gap_ && requested - gap_closed_ >= limits_.partial_silence;
}

/// Whether an event may still come that is older than the last snapshot's reply.
bool ledger::in_grace(time_point now) const noexcept
{
    return unsettled_ && (!unsettled_->confirmed || now <= unsettled_->grace_over);
}

// ---- what is told

void ledger::tell(entry& e, event_kind kind, bool inferred, instant now, std::vector<mail>& out)
{
    e.told_at = static_cast<std::uint32_t>(out.size());
    write(e, kind, inferred, now, out);
}

/// In its place: what was put together elsewhere would be read back, to be moved, before it is stored.
void ledger::write(entry const& e, event_kind kind, bool inferred, instant now, std::vector<mail>& out)
{
    mail& m = out.emplace_back();
    m.event.kind = kind;
    m.event.inferred = inferred;
    m.event.at = now.system;
    m.event.started_at = e.started_at;
    m.event.activity = activity_access::share(e.current);
    m.life = e.life;
}

void ledger::introduce(instant now, std::vector<mail>& out) const
{
    auto const first = static_cast<std::ptrdiff_t>(out.size());
    for (entry const& e : entries_)
        if (e.is == state::running)
            write(e, event_kind::started, true, now, out);
    std::sort(out.begin() + first, out.end(), [](mail const& a, mail const& b) { return a.life < b.life; });
}

// ---- what is kept

ledger::entry* ledger::find(std::string_view uuid) noexcept
{
    std::uint32_t const* const at = by_uuid_.find(
        hash_of(uuid, limits_.key), [&](std::uint32_t i) { return uuid_of(entries_[i].current) == uuid; });
    return at ? &entries_[*at] : nullptr;
}

ledger::entry& ledger::open(activity first, time_point since)
{
    if (unused_ == none) {
        entries_.emplace_back();
        unused_ = static_cast<std::uint32_t>(entries_.size() - 1);
    }
    by_uuid_.insert(hash_of(uuid_of(first), limits_.key), unused_);
    entry& e = entries_[unused_];
    unused_ = std::exchange(e.after, none);
    bytes_ += entry_bytes;
    begin(e, std::move(first), since);
    return e;
}

void ledger::reopen(entry& e, activity again, time_point since) noexcept
{
    ++revived_;
    unlink_from_ends(e);
    activity name = std::move(e.current);
    e = entry();
    e.current = std::move(name);
    begin(e, std::move(again), since);
}

void ledger::begin(entry& e, activity first, time_point since) noexcept
{
    e.is = state::running;
    e.life = ++lives_;
    e.since = since;
    ++running_;
    keep(e, std::move(first), {});
}

/// Whether that changed anything.
bool ledger::learn(entry& e, activity merged, std::span<mail const> out) noexcept
{
    if (same_record(merged, e.current))
        return false;
    keep(e, std::move(merged), out);
    return true;
}

void ledger::close(entry& e, state how, activity name, std::span<mail const> out) noexcept
{
    e.is = how;
    --running_;
    keep(e, std::move(name), out);
    append_to_ends(e);
    if (ends_.count > limits_.remembered_ends)
        forget(entries_[ends_.oldest]);
}

/// In the place of what was current.
void ledger::keep(entry& e, activity a, std::span<mail const> out) noexcept
{
    if (auto const* const old = activity_access::record(e.current))
        bytes_ -= old->size();
    bytes_ += activity_access::record(a)->size();
    full_ = full_ || bytes_ > limits_.bytes;
    if (e.told_at < out.size())
        activity_access::drop_beside(e.current, out[e.told_at].event.activity);
    e.current = std::move(a);
}

void ledger::forget(entry& e) noexcept
{
    unlink_from_ends(e);
    std::uint32_t const index = index_of(e);
    by_uuid_.erase(
        by_uuid_.find(hash_of(uuid_of(e.current), limits_.key), [&](std::uint32_t i) { return i == index; }));
    bytes_ -= entry_bytes + activity_access::record(e.current)->size();
    e = entry();
    e.after = std::exchange(unused_, index);
}

void ledger::append_to_ends(entry& e) noexcept
{
    std::uint32_t const index = index_of(e);
    e.before = ends_.latest;
    e.after = none;
    (ends_.latest == none ? ends_.oldest : entries_[ends_.latest].after) = index;
    ends_.latest = index;
    ++ends_.count;
}

void ledger::unlink_from_ends(entry& e) noexcept
{
    (e.before == none ? ends_.oldest : entries_[e.before].after) = e.after;
    (e.after == none ? ends_.latest : entries_[e.after].before) = e.before;
    e.before = none;
    e.after = none;
    --ends_.count;
}

} // namespace plex::sync
