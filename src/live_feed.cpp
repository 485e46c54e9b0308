#include "live_feed.hpp"

#include "failure.hpp"
#include "net/random.hpp"
#include "throw_from_run.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <new>
#include <span>
#include <string>
#include <utility>

namespace plex::detail {

using net::steady_time;

/// Keeps the connection wanted while a coroutine needs it.
struct live_feed::interest {
    explicit interest(live_feed& f) : feed(f) { ++feed.interested_; }
    ~interest()
    {
        --feed.interested_;
        feed.disconnect_if_unwanted();
    }
    interest(interest const&) = delete;
    interest& operator=(interest const&) = delete;
    live_feed& feed;
};

live_feed::room& live_feed::spare()
{
    static thread_local room one;
    return one;
}

live_feed::live_feed(net::scope& s, std::shared_ptr<home> at, calls& c, settings const& kept)
    : scope_(s), calls_(c), settings_(kept),
      source_(std::make_shared<subscription_source>(this, std::move(at), std::make_shared<waiting_room>(s.executor()))),
      plan_(kept.transport, kept.upward_every)
{
    s.add(*this);
}

live_feed::~live_feed()
{
    source_->feed = nullptr;
}

std::shared_ptr<subscriber> live_feed::subscribe(std::shared_ptr<void> owner, filter f, std::vector<activity> known,
                                                 event_function on_event, end_function on_end)
{
    exclusive::visit const here(source_->inside);
    sync::mailbox_limits limits;
    limits.conflate_after = settings_.conflate_after;
    limits.bytes = settings_.mailbox_bytes;
    sync::mailbox box(std::move(f), limits);
    sync::instant const now = now_instant();
    if (!known.empty())
        box.remember(std::move(known), now);
    auto made = std::make_shared<subscriber>(source_, std::move(box), std::move(on_event), std::move(on_end));
    if (scope_.stopped()) {
        made->stopped = true;
        return made;
    }
    tell_what_is_left(now);
    subscribers_.push_back(made);
    try {
        open(owner);
        std::vector<sync::mail> what_runs;
        ledger_.introduce(now, what_runs);
        for (sync::mail const& m : what_runs)
            made->box.post(m);
        if (made->on_event && made->has_news()) {
            // Not from within subscribe(): the caller does not hold its subscription yet.
            asio::post(scope_.executor(), [weak = std::weak_ptr(made)] {
                if (auto const s = weak.lock(); s && !s->stopped)
                    s->notify();
            });
        }
    } catch (...) {
        unsubscribe(*made);
        throw;
    }
    made->introduced = true;
    return made;
}

void live_feed::watch(std::shared_ptr<void> owner, onlooker& o)
{
    exclusive::visit const here(source_->inside);
    if (scope_.stopped()) {
        o.ended(stopped_error({"following the activities", calls_.origin()}));
        return;
    }
    sync::instant const now = now_instant();
    tell_what_is_left(now);
    onlookers_.push_back(o);
    try {
        open(owner);
        std::vector<sync::mail> what_runs;
        ledger_.introduce(now, what_runs);
        for (sync::mail const& m : what_runs)
            o.told(m, now.steady);
        if (status_.state == connection_state::reconciled)
            o.listed(*last_snapshot_, status_.transport == transport::polling, now.steady);
    } catch (...) {
        disregard(o);
        throw;
    }
}

void live_feed::disregard(onlooker& o) noexcept
{
    exclusive::visit const here(source_->inside);
    if (!o.is_linked())
        return;
    o.unlink();
    disconnect_if_unwanted();
}

void live_feed::want_list() noexcept
{
    list_wanted_ = true;
    something_changed();
}

void live_feed::unsubscribe(subscriber& s) noexcept
{
    exclusive::visit const here(source_->inside);
    if (std::erase_if(subscribers_, [&](auto const& held) { return held.get() == &s; }) != 0)
        retire(s);
    disconnect_if_unwanted();
}

void live_feed::disconnect_if_unwanted() noexcept
{
    // The connection's own coroutine closes it, if nobody has come until it runs.
    if (!wanted())
        something_changed();
}

void live_feed::open(std::shared_ptr<void> const& owner)
{
    if (running_)
        return;
    sync::ledger_limits limits{.bytes = settings_.ledger_bytes};
    net::fill_random(std::as_writable_bytes(std::span(&limits.key, 1)));
    running_ = true;
    counts_.malformed += ledger_.malformed();
    counts_.revived += ledger_.revived();
    ledger_ = sync::ledger(limits);
    plan_ = sync::reconnect_plan(settings_.transport, settings_.upward_every);
    last_snapshot_.reset();
    list_wanted_ = false;
    was_reconciled_ = false;
    opened_ = 0;
    restarting_ = broken_ = false;
    outgoing_.clear();
    try {
        change(connection_state::connecting);
        go_on(owner, run(owner));
    } catch (...) {
        running_ = false;
        status_.state = connection_state::idle;
        throw;
    }
}

/// Where there was no memory to tell it: before anybody comes who knows it from elsewhere.
void live_feed::tell_what_is_left(sync::instant now)
{
    if (!outgoing_.empty())
        tell(now);
}

void live_feed::tell(sync::instant now)
{
    exclusive::visit const here(source_->inside);
    // A callback may end subscriptions, or add some, which are introduced to what is told here.
    std::vector<std::shared_ptr<subscriber>> round = std::exchange(spare().round, {});
    round.assign(subscribers_.begin(), subscribers_.end());
    std::vector<sync::mail> batch = std::exchange(outgoing_, {});
    for (sync::mail const& m : batch)
        tell_onlookers([&](onlooker& o) { o.told(m, now.steady); });
    if (round.size() == 1) {
        round.front()->receive_last(batch);
    } else {
        for (auto const& s : round)
            s->receive(batch);
    }
    // What was remembered and no list has shown is told after what the list has shown.
    if (std::optional<steady_time> const settled = ledger_.settled())
        for (auto const& s : round)
            s->settled(*settled, now);
    for (auto const& s : round)
        s->notify(batch);
    round.clear();
    spare().round = std::move(round);
    batch.clear();
    spare().batch = std::move(batch);
}

/// Nothing more will come.
void live_feed::leave_onlookers(error const& why)
{
    while (!onlookers_.empty()) {
        onlooker& o = onlookers_.front();
        onlookers_.pop_front();
        o.ended(why);
    }
}

void live_feed::change(connection_state state)
{
    if (status_.state == state)
        return;
    status_.state = state;
    was_reconciled_ = was_reconciled_ || state == connection_state::reconciled;
    status_news_.wake_all();
    calls_.log(log_level::info, [&] {
        std::string text = "feed of " + calls_.origin() + ": " + std::string(to_string(state));
        if (state == connection_state::interrupted || state == connection_state::ended)
            if (status_.last_error)
                text += ": " + status_.diagnostics.message();
        return text;
    });
    if (!on_change_ || scope_.stopped())
        return;
    auto const tell = on_change_;
    try {
        (*tell)(status());
    } catch (...) { // the feed goes on
        throw_from_run(scope_.executor(), std::current_exception());
    }
}

void live_feed::on_change(std::function<void(connection_status const&)> f)
{
    on_change_ = f ? std::make_shared<std::function<void(connection_status const&)>>(std::move(f)) : nullptr;
}

/// For whoever asks why it is not ready.
void live_feed::note(error const& failure)
{
    status_.last_error = failure.code();
    status_.diagnostics = failure.diagnostics();
    ++failures_;
    status_news_.wake_all();
}

connection_status live_feed::status() const
{
    connection_status result = status_;
    if (status_.state == connection_state::interrupted)
        result.next_try = std::max(next_try_ - std::chrono::steady_clock::now(), net::steady_time::duration(0));
    return result;
}

asio::awaitable<void> live_feed::ready(std::shared_ptr<void> owner, steady_time deadline)
{
    undertaking const doing = {"waiting for the feed to be ready", calls_.origin()};
    if (scope_.stopped())
        throw stopped_error(doing);
    interest const mine(*this);
    open(owner);
    std::uint64_t const failures = failures_;
    while (status_.state != connection_state::reconciled) {
        net::woken const why = co_await status_news_.park(scope_.executor(), deadline);
        if (scope_.stopped())
            throw stopped_error(doing);
        // Once there has been a first contact, an outage is waited out.
        bool const first_contact_failed = failures_ != failures && !was_reconciled_;
        if (status_.state == connection_state::ended || first_contact_failed)
            throw error(status_.last_error, status_.diagnostics);
        std::string const during = std::string(to_string(status_.state));
        if (why == net::woken::by_deadline)
            throw network_error(doing, asio::error::timed_out, "it is " + during);
        if (why == net::woken::by_cancellation)
            throw network_error(doing, asio::error::operation_aborted, "it is " + during);
    }
}

running_activities live_feed::running() const
{
    exclusive::visit const here(source_->inside);
    running_activities result;
    ledger_.for_each_running([&](activity const& a, auto const&, auto) { result.activities.push_back(a); });
    if (last_snapshot_)
        result.snapshot_age = std::chrono::steady_clock::now() - *last_snapshot_;
    return result;
}

void live_feed::count(counters& c) const
{
    auto const now = std::chrono::steady_clock::now();
    c.frames = counts_.frames + (link_ ? link_->frames() : 0);
    c.events = counts_.events;
    c.skipped = counts_.skipped;
    c.malformed = counts_.malformed + ledger_.malformed();
    c.repaired_utf8 = counts_.repaired_utf8;
    c.reconnects = counts_.reconnects;
    c.revived = counts_.revived + ledger_.revived();
    c.conflated = counts_.conflated;
    for (auto const& s : subscribers_) {
        c.conflated += s->box.conflated();
        c.pending += s->box.pending();
    }
    if (link_)
        c.since_last_sign = now - link_->last_sign();
    if (last_snapshot_)
        c.since_last_snapshot = now - *last_snapshot_;
}

void live_feed::stop() noexcept
{
    source_->feed = nullptr;
    try {
        leave_onlookers(stopped_error({"following the activities", calls_.origin()}));
    } catch (std::bad_alloc const&) {
        leave_onlookers(*out_of_memory());
    }
    auto const all = std::exchange(subscribers_, {});
    for (auto const& s : all) {
        retire(*s);
        s->stop();
    }
    if (link_)
        link_->close();
    something_changed();
    status_news_.wake_all();
}

void live_feed::release() noexcept
{
    link_.reset();
    promoted_.reset();
    attention_.reset();
    source_->room->release();
}

asio::awaitable<void> live_feed::say_goodbye(steady_time deadline)
{
    closing_ = true;
    something_changed();
    std::shared_ptr<net::live_link> const link = link_;
    if (!link || !link->say_goodbye())
        co_return;
    while (link_ == link) { // until the reading side has had the peer's answer
        net::woken const why = co_await status_news_.park(scope_.executor(), deadline);
        if (why != net::woken::by_wake)
            co_return;
    }
}

} // namespace plex::detail
