#include "relay/outbox.hpp"

#include <plex/json.hpp>

#include <algorithm>

namespace plex::relay {

struct outbox::life {
    bool waits() const noexcept { return start_waits || update_waits || end_waits; }
    void written() noexcept { start_waits = update_waits = end_waits = false; }
    void begins_as_it_is()
    {
        first = latest;
        start_waits = true;
        update_waits = false;
    }
    void ends(activity a, time when, bool by_inference)
    {
        latest = std::move(a);
        ended = end_waits = true;
        ended_at = when;
        end_inferred = by_inference;
    }

    std::string uuid;
    std::uint64_t number = 1;
    std::uint64_t seq = 0; // the last that was given
    activity first;
    activity latest;
    time started_at;
    time updated_at;
    time ended_at;
    bool ended = false;
    bool start_inferred = false;
    bool update_inferred = false;
    bool end_inferred = false;
    bool start_waits = false;
    bool update_waits = false;
    bool end_waits = false;
    bool queued = false;
};

outbox::outbox(std::size_t most_waiting) : most_waiting_(most_waiting) {}
outbox::outbox(records const& written, time now, std::size_t most_waiting) : most_waiting_(most_waiting)
{
    for (auto const& [uuid, r] : written)
        lives_[uuid].push_back(life_of(uuid, r, now));
}
outbox::outbox(outbox&&) noexcept = default;
outbox& outbox::operator=(outbox&&) noexcept = default;
outbox::~outbox() = default;

outbox::life_ptr outbox::life_of(std::string const& uuid, record const& r, time now)
{
    auto l = std::make_shared<life>();
    l->uuid = uuid;
    l->number = r.life;
    l->seq = r.seq;
    l->ended = r.ended;
    l->ended_at = now;
    l->first = l->latest = r.activity;
    return l;
}

std::vector<activity> outbox::known() const
{
    std::vector<activity> all;
    for (auto const& [uuid, of] : lives_)
        if (!of.back()->ended)
            all.push_back(of.back()->latest);
    return all;
}

void outbox::enqueue(life_ptr const& l)
{
    if (std::exchange(l->queued, true))
        return;
    queue_.push_back(l);
    if (queue_.size() <= most_waiting_)
        return;
    auto const least =
        std::find_if(queue_.begin(), queue_.end(), [](life_ptr const& each) { return each->ended && each->seq == 0; });
    if (least == queue_.end())
        return;
    (*least)->written();
    ++dropped_;
    tidy_queue();
}

void outbox::observe(activity_event const& e)
{
    lives& of = lives_[std::string(e.activity.uuid())];
    if (of.empty() || of.back()->ended) {
        auto const next = std::make_shared<life>();
        next->uuid = e.activity.uuid();
        next->number = of.empty() ? 1 : of.back()->number + 1;
        next->first = e.activity;
        next->started_at = e.at;
        next->start_inferred = e.inferred || e.kind != event_kind::started;
        next->start_waits = true;
        if (!of.empty() && !of.back()->waits())
            of.pop_back();
        of.push_back(next);
    }
    life_ptr const l = of.back();
    l->latest = e.activity;
    if (e.kind == event_kind::updated) {
        conflated_ += l->update_waits ? 1 : 0;
        l->update_waits = true;
        l->update_inferred = e.inferred;
        l->updated_at = e.at;
    } else if (e.kind == event_kind::ended) {
        l->ends(e.activity, e.at, e.inferred);
    }
    enqueue(l);
}

std::vector<entry> outbox::take(std::size_t most)
{
    if (in_flight_)
        return {};
    auto const tell = [this](life_ptr const& l, bool& waits, event_kind kind, bool inferred, time at,
                             activity const& a) {
        if (!waits)
            return;
        waits = false;
        taken_.emplace_back(l, entry{l->uuid, l->number, ++l->seq, kind, inferred, at, a});
    };
    while (taken_.size() < most && !queue_.empty()) {
        life_ptr const l = queue_.front();
        queue_.pop_front();
        l->queued = false;
        tell(l, l->start_waits, event_kind::started, l->start_inferred, l->started_at, l->first);
        tell(l, l->update_waits, event_kind::updated, l->update_inferred, l->updated_at, l->latest);
        tell(l, l->end_waits, event_kind::ended, l->end_inferred, l->ended_at, l->latest);
    }
    std::vector<entry> all;
    all.reserve(taken_.size());
    for (auto const& [l, e] : taken_)
        all.push_back(e);
    in_flight_ = !all.empty();
    return all;
}

void outbox::confirmed()
{
    in_flight_ = false;
    auto const was_taken = std::move(taken_);
    taken_.clear();
    for (auto const& [l, e] : was_taken)
        if (auto const of = lives_.find(l->uuid); of != lives_.end() && of->second.back() != l && !l->waits())
            std::erase(of->second, l);
    for (auto const& [l, e] : was_taken)
        if (l->ended && !l->waits())
            l->first = l->latest = activity(); // its numbers are remembered, and it no more
}

void outbox::lost()
{
    in_flight_ = false;
}

// As if it had not been taken, but that its numbers are used up.
void outbox::put_back_what_was_taken()
{
    in_flight_ = false;
    for (auto taken = taken_.rbegin(); taken != taken_.rend(); ++taken) {
        auto const& [l, e] = *taken;
        (e.kind == event_kind::started ? l->start_waits
         : e.kind == event_kind::ended ? l->end_waits
                                       : l->update_waits) = true;
        if (!std::exchange(l->queued, true))
            queue_.push_front(l);
    }
    taken_.clear();
}

void outbox::tidy_queue()
{
    std::erase_if(queue_, [](life_ptr const& l) {
        l->queued = l->waits();
        return !l->queued;
    });
}

void outbox::adopt(records const& written, time now)
{
    put_back_what_was_taken();
    for (auto const& [uuid, r] : written)
        adopt(lives_[uuid], uuid, r, now);
    for (auto const& [uuid, of] : lives_)
        if (life_ptr const& last = of.back(); !last->ended && !written.contains(uuid)) {
            last->begins_as_it_is(); // what had it written is gone
            enqueue(last);
        }
    tidy_queue();
}

void outbox::adopt(lives& of, std::string const& uuid, record const& r, time now)
{
    if (r.ended) {
        for (life_ptr const& l : of)
            if (l->number <= r.life)
                l->written();
        if (of.empty())
            of.push_back(life_of(uuid, r, now));
        if (life_ptr const& last = of.back(); !last->ended && last->number <= r.life) {
            last->number = r.life + 1; // it had ended for the one before, by inference
            last->seq = 0;
            last->begins_as_it_is();
            enqueue(last);
        }
        return;
    }
    if (of.empty() || of.front()->number > r.life) {
        of.push_front(life_of(uuid, r, now));
        of.front()->ends(r.activity, now, true);
        enqueue(of.front());
        return;
    }
    of.back()->number = std::max(of.back()->number, r.life); // we may have missed some of its lives, or of their ends
    for (life_ptr const& l : of) {
        if (l->number > r.life)
            break;
        l->written();
        if (l->number < r.life)
            continue;
        l->seq = std::max(l->seq, r.seq);
        l->end_waits = l->ended;
        l->update_waits = !l->ended && to_json_text(l->latest) != to_json_text(r.activity);
        if (l->waits())
            enqueue(l);
    }
}

void outbox::forget_ended_before(time then, bool others_write)
{
    for (auto of = lives_.begin(); of != lives_.end();) {
        std::erase_if(of->second, [&](life_ptr const& l) {
            bool const goes = l->ended && l->ended_at < then && (others_write || !l->waits()) &&
                              std::none_of(taken_.begin(), taken_.end(), [&](auto const& t) { return t.first == l; });
            if (goes)
                l->written();
            return goes;
        });
        of = of->second.empty() ? lives_.erase(of) : std::next(of);
    }
    tidy_queue();
}

} // namespace plex::relay
