#include "relay/followed_server.hpp"

#include "services/log.hpp"

#include <utility>

namespace plex::relay {

namespace {

constexpr std::size_t most_at_once = 64; // entries in a script, which holds everybody else up
// What ended before another had the lease for so long is told by him, if ever. Counted from when he had it, not from
// the end: while Redis is away nobody writes, and what waits here may be all that there is of a life.
constexpr auto stands_by_for = std::chrono::minutes(10);
// Longer than Redis remembers an end, so that a uuid's lives are not counted from one again.
constexpr auto remembers_ends = store::remembers_ends + std::chrono::minutes(10);

} // namespace

followed_server::followed_server(std::string name, store& s, written_counts& counts, store::written before, time now)
    : name_(std::move(name)), store_(s), counts_(counts), outbox_(before.records, now),
      machine_(std::move(before.machine))
{
}

void followed_server::event(activity_event const& e)
{
    std::uint64_t const conflated = outbox_.conflated();
    std::uint64_t const dropped = outbox_.dropped();
    outbox_.observe(e);
    if (leads()) { // who stands by conflates and drops what the other one writes
        counts_.conflated += outbox_.conflated() - conflated;
        counts_.dropped += outbox_.dropped() - dropped;
    }
}

void followed_server::connection(connection_state state, clock::time_point now)
{
    bool const was_live = std::exchange(is_live_, state == connection_state::reconciled);
    if (is_live_ && !was_live)
        live_since_ = now;
    if (state == connection_state::connected || (is_live_ && !was_live))
        machine_is_certain_ = false; // what answers now may be another
}

bool followed_server::answers_as(std::string const& machine)
{
    if (machine_.empty())
        machine_ = machine;
    machine_is_certain_ = is_live_ && machine_ == machine;
    return machine_ == machine;
}

void followed_server::tick(clock::time_point now, time wall, periods const& p)
{
    bool const is_useful = is_live_ && machine_is_certain_;
    bool const settled = is_useful && now - *live_since_ >= p.settles_in;
    if (is_useful || !leads())
        useful_at_ = now;
    if (leads() && others_follow && now - useful_at_ >= p.gives_up_after) {
        service::log(log_level::warning, name_ + ": is away from here; another relay may write it");
        release();
    }
    if (!settled)
        others_write_since_.reset(); // we do not ask, so we do not know
    bool const others_write = others_write_since_ && wall - *others_write_since_ >= stands_by_for;
    outbox_.forget_ended_before(wall - (others_write ? stands_by_for : remembers_ends), others_write);
    bool const renews = leads() && now - asked_at_ >= p.renews_every;
    if (!is_asking_ && (renews || (!leads() && settled && !unwanted_since))) {
        is_asking_ = true;
        asked_at_ = now;
        store_.ask_lease(name_, lease_, machine_,
                         [self = shared_from_this()](store::lease_reply r) { self->leased(std::move(r)); });
    }
    flush();
}

void followed_server::leased(store::lease_reply r)
{
    using kind = store::lease_reply::kind;
    is_asking_ = false;
    if (r.is != kind::held)
        others_write_since_.reset();
    else if (!leads() && !others_write_since_)
        others_write_since_ = std::chrono::system_clock::now();
    if (r.is == kind::taken) {
        service::log(log_level::info, name_ + ": is ours to write");
        lease_ = std::move(r.lease);
        outbox_.adopt(r.records, std::chrono::system_clock::now());
        flush();
    } else if (r.is == kind::held && leads()) {
        service::log(log_level::warning, name_ + ": is written by " + r.why + " now");
        lease_.clear();
    }
}

void followed_server::flush()
{
    if (is_writing_ || !leads() || !machine_is_certain_)
        return;
    std::vector<entry> const entries = outbox_.take(most_at_once);
    if (entries.empty())
        return;
    is_writing_ = true;
    store_.write(name_, lease_, machine_, entries,
                 [self = shared_from_this(), lease = lease_, count = entries.size()](store::write_reply const& r) {
                     self->written(r, lease, count);
                 });
}

void followed_server::written(store::write_reply const& r, std::string const& lease, std::size_t count)
{
    using kind = store::write_reply::kind;
    is_writing_ = false;
    if (r.is != kind::done) {
        outbox_.lost();
        if (r.is == kind::failed) {
            counts_.refusal = r.why;
        } else if (r.is == kind::fenced) {
            counts_.refusal.clear();
            ++counts_.fenced;
            if (lease == lease_)
                lease_.clear();
        }
        return; // the next tick tries again
    }
    counts_.refusal.clear();
    auto const added = static_cast<std::uint64_t>(r.written);
    counts_.entries += added;
    counts_.repeated += count - added;
    counts_.trimmed += static_cast<std::uint64_t>(r.trimmed);
    outbox_.confirmed();
    flush();
}

void followed_server::release()
{
    if (leads())
        store_.release(name_, std::exchange(lease_, {}));
}

} // namespace plex::relay
