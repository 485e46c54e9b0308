#pragma once

#include "model_idle_wait.hpp"
#include "model_world.hpp"

namespace plex::testing::model {

/// What the schedules have met, so that a rule is not held only because its case never came.
struct tally {
    std::uint64_t taken = 0, left_out = 0, inferred_ends = 0, revived = 0, partial = 0, overflowed = 0, full = 0,
                  reused = 0;
    std::uint64_t ended = 0, vanished = 0, not_started = 0, unseen = 0, weak = 0, followed = 0, idle = 0, polled = 0,
                  gave_up = 0, gave_up_idle = 0;
};

/// A server, a network, lists, readers, an operation and a wait until nothing runs, all drawn from one seed.
class schedule
{
public:
    explicit schedule(std::uint64_t seed) : random_(seed), w_(drawn_terms(), as_it_is_) {}
    /// What is drawn comes from bytes, two at a time, as long as there are any.
    /// @param by and the bytes outlive it
    schedule(std::span<std::uint8_t const> choices, carrier& by) : choices_(choices), random_(0), w_(drawn_terms(), by)
    {
    }
    schedule(schedule const&) = delete;

    void run(tally& met)
    {
        if (!polls_) {
            subscribe();
            subscribe();
            next_join_ = one_in(4) ? between(0, horizon_) : never;
            next_read_ = between(0, 3000);
        }
        next_step_ = forgets_ || one_in(4) ? never : between(0, 5000);
        next_wait_ = forgets_ || one_in(2) ? never : between(0, 10'000);
        next_jump_ = one_in(4) ? between(0, horizon_) : never;
        next_change_ = between(0, 500);
        next_cut_ = one_in(3) ? never : between(0, horizon_);
        next_request_ = between(0, 50);
        while (step() && !w_.full())
            attend();
        if (operation_ && operation_->sent() && !operation_->replied() && !w_.full())
            replied("");
        w_.quieten();
        attend();
        if (operation_ && !w_.full())
            operation_->at_rest(w_.ledger());
        if (idle_wait_ && !w_.full())
            idle_wait_->at_rest();
        count(met);
    }

    std::string story() const
    {
        return w_.story() + (operation_ ? operation_->story() : "") + (idle_wait_ ? idle_wait_->story() : "");
    }

private:
    std::uint64_t draw() // splitmix64
    {
        if (choices_.size() >= 2) {
            std::uint64_t const two = static_cast<std::uint64_t>(choices_[0]) << 8 | choices_[1];
            choices_ = choices_.subspan(2);
            return two;
        }
        std::uint64_t z = (random_ += 0x9e3779b97f4a7c15U);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    moment between(moment a, moment b)
    {
        return a + static_cast<moment>(draw() % static_cast<std::uint64_t>(b - a + 1));
    }
    int one_of(int n) { return static_cast<int>(draw() % static_cast<std::uint64_t>(n)); }
    bool one_in(int n) { return one_of(n) == 0; }

    terms drawn_terms()
    {
        terms t;
        if (one_in(3))
            t.hidden = static_cast<std::uint32_t>(between(1, (1 << most) - 1));
        t.lists_context = !one_in(4);
        t.lag = one_in(2) ? 0 : between(1, grace);
        polls_ = t.polls = one_in(12);
        t.skewed = !polls_ && one_in(3);
        if (one_in(10))
            t.limits.remembered_ends = static_cast<std::size_t>(between(1, 3));
        else if (one_in(50))
            t.limits.bytes = static_cast<std::size_t>(between(500, 3000));
        skewed_ = t.skewed;
        forgets_ = t.limits.remembered_ends < 100;
        return t;
    }

    /// The earliest thing that is due; false when the schedule is over.
    bool step()
    {
        moment due = next_change_;
        auto const consider = [&due](moment at) { due = std::min(due, at); };
        consider(w_.next_arrival());
        consider(w_.next_settle());
        consider(next_cut_);
        consider(next_join_);
        consider(next_jump_);
        consider(next_read_);
        consider(next_listen_);
        consider(next_list_);
        consider(next_step_);
        consider(next_scan_);
        consider(next_wait_);
        consider(waiting_.wake_at());
        consider(waiting_idle_.wake_at());
        if (w_.list() == world::list_state::none && w_.connected())
            consider(next_request_);
        if (due > horizon_)
            return false;
        w_.clock = std::max(w_.clock, due);

        bool const settles = due == w_.next_settle();
        if (due == w_.next_arrival() && !(settles && one_in(2))) {
            w_.deliver();
        } else if (settles) {
            w_.settle();
        } else if (due == next_change_) {
            change();
            next_change_ = w_.clock + (one_in(3) ? 0 : between(0, 1500));
        } else if (due == next_list_) {
            list();
        } else if (due == next_scan_) {
            scan();
        } else if (due == next_step_) {
            operate();
        } else if (due == next_wait_) {
            next_wait_ = never;
            idle_wait_.emplace(w_, one_in(8) ? -1 : one_of(3), one_in(4) ? 0 : between(1, 2000));
            w_.watch(*idle_wait_, reconciled_);
            waiting_idle_ = waiter(of_idle_waits, deadline());
            look_at_idle_wait();
        } else if (due == waiting_.wake_at()) {
            look_at_operation();
        } else if (due == waiting_idle_.wake_at()) {
            look_at_idle_wait();
        } else if (due == next_cut_) {
            cut();
        } else if (due == next_listen_) {
            w_.listen();
            next_listen_ = never;
        } else if (due == next_join_) {
            join();
            next_join_ = never;
        } else if (due == next_jump_) {
            w_.jump(between(-100'000'000, 100'000'000));
            next_jump_ = never;
        } else if (due == next_read_) {
            read();
        } else {
            request();
        }
        return true;
    }

    void draw_delay()
    {
        w_.delay =
            skewed_ ? world::on_its_way + between(0, one_in(3) ? grace - 100 : 0) : between(0, one_in(20) ? 4000 : 30);
    }
    bool may_start(int who) const
    {
        return !w_.runs(who) && w_.may_start(who) && !(operation_ && operation_->may_confuse(who));
    }
    void start(int who, int context = 0)
    {
        reused_ += w_.births(who) != 0 ? 1 : 0;
        w_.start(who, context);
    }
    void change()
    {
        draw_delay();
        int const who = one_of(most);
        if (!w_.runs(who)) {
            if (who != scanned_ && may_start(who))
                start(who);
        } else if (one_in(4)) {
            w_.end(who, one_in(2) ? 0 : one_of(static_cast<int>(contexts.size())));
        } else if (one_in(30)) {
            w_.vanish(who);
        } else {
            payload said;
            said.progress = one_in(4) ? payload::unsaid : one_in(4) ? -1 : one_in(4) ? 100 : one_of(100);
            said.context = one_in(2) ? 0 : one_of(static_cast<int>(contexts.size()));
            w_.change(who, said);
        }
    }
    void cut()
    {
        if (w_.connected()) {
            w_.lose();
            reconciled_ = false;
            next_list_ = next_listen_ = never;
            next_cut_ = w_.clock + between(500, 6000); // the reconnect
            if (one_in(4))                             // the server restarts, and nothing of what ran is left
                for (int who = 0; who < most; ++who)
                    if (w_.runs(who))
                        w_.end(who);
        } else {
            w_.connect(false);
            connected_at_ = w_.clock;
            next_listen_ = w_.clock + (one_in(2) ? 0 : between(0, 4900));
            next_request_ = w_.clock + between(0, 50);
            next_cut_ = one_in(2) ? never : w_.clock + between(0, 15'000);
        }
    }
    void request()
    {
        list_wanted_ = false;
        bool const after_5_s = w_.clock >= connected_at_ + 5000;
        w_.request(after_5_s && !w_.closed_gap());
        next_list_ = w_.clock + between(0, one_in(4) ? 1000 : 50);
    }
    void list()
    {
        if (w_.list() == world::list_state::requested) {
            w_.take_list();
            next_list_ = w_.clock + between(0, one_in(6) ? 4000 : 50);
            return;
        }
        next_list_ = never;
        w_.delay = one_in(10) ? between(0, 3000) : 0;
        if (one_in(12)) {
            w_.fail_list();
        } else {
            w_.reply();
            reconciled_ = true;
            last_list_ = w_.clock;
        }
        next_request_ = w_.clock + between(1, 6000); // denser than a client asks
        if (!w_.closed_gap())
            next_request_ = std::max(connected_at_ + 5000, w_.clock);
        hurry();
    }

    // ---- an operation and a wait, driven as src/operation.cpp and src/idle_wait.cpp do

    moment deadline() { return one_in(2) ? never : w_.clock + between(0, 8000); }
    void look_at_operation()
    {
        bool const over = operation_->result().has_value();
        if (waiting_.look(w_.clock, over, operation_->wanted_list().value_or(never)))
            want_list();
        if (waiting_.gave_up()) { // he goes on without a deadline
            ++gave_up_;
            waiting_.wait_on(never);
            look_at_operation();
        }
    }
    void look_at_idle_wait()
    {
        if (waiting_idle_.look(w_.clock, idle_wait_->over(), idle_wait_->quiet_at().value_or(never)))
            want_list();
    }
    /// Whoever was woken looks; and nobody hangs.
    void attend()
    {
        if (w_.full())
            return;
        if (operation_ && operation_->replied()) {
            if (operation_->take_woken() || waiting_.wake_at() < w_.clock)
                look_at_operation();
            waiting_.check(w_.clock, operation_->result().has_value(), operation_->wanted_list().value_or(never));
        }
        if (idle_wait_) {
            if ((idle_wait_->take_woken() && !waiting_idle_.gave_up()) || waiting_idle_.wake_at() < w_.clock)
                look_at_idle_wait();
            waiting_idle_.check(w_.clock, idle_wait_->over(), idle_wait_->quiet_at().value_or(never));
        }
    }
    void want_list()
    {
        list_wanted_ = true;
        hurry();
    }
    void hurry()
    {
        if (list_wanted_)
            next_request_ = std::min(next_request_, std::max(w_.clock, polls_ ? 0 : last_list_ + 2500));
    }

    /// It registers; once the feed is reconciled it sends; the reply is read.
    void operate()
    {
        if (!operation_) {
            watched_operation::wish wish;
            wish.wanted = one_in(6) ? 0 : 1 + one_of(2);
            wish.by_name_alone = one_in(12);
            wish.or_running = one_in(6);
            wish.appear = between(200, 4000);
            wanted_ = wish.wanted;
            operation_.emplace(w_, wish);
            w_.watch(*operation_, reconciled_);
            next_step_ = w_.clock + between(0, 1000);
        } else if (operation_->sent()) {
            replied(name_);
            next_step_ = never;
        } else if (!reconciled_) {
            next_step_ = w_.clock + 20;
        } else {
            operation_->send();
            next_step_ = w_.clock + between(0, one_in(8) ? 12'000 : one_in(3) ? 3000 : 300);
            int const who = one_of(most);
            if (one_in(8)) {
                name_ = one_in(2) ? "g" : names[static_cast<std::size_t>(who)]; // maybe of what runs already
            } else if (may_start(who)) {
                scanned_ = who;
                if (one_in(2))
                    name_ = names[static_cast<std::size_t>(who)];
                next_scan_ = one_in(6) ? never : w_.clock + between(0, one_in(3) ? 3000 : 200);
            }
        }
    }
    /// From now on someone awaits it.
    void replied(std::string_view name)
    {
        operation_->reply(name);
        waiting_ = waiter(of_operations, deadline());
        look_at_operation();
    }
    /// What the request has started: from its beginning to its end.
    void scan()
    {
        draw_delay();
        next_scan_ = w_.clock + between(0, 2500);
        if (!w_.runs(scanned_)) {
            if (scan_began_ || !may_start(scanned_)) {
                next_scan_ = never;
                return;
            }
            scan_began_ = true;
            start(scanned_, one_in(3) ? wanted_ : 0);
            int const beside = one_of(most); // another library's
            if (one_in(3) && beside != scanned_ && may_start(beside))
                start(beside, one_in(2) ? 3 - wanted_ : 0);
        } else if (one_in(2)) {
            w_.change(scanned_, {one_of(100), one_in(4) ? 0 : wanted_, 0});
        } else {
            w_.end(scanned_, one_in(3) ? wanted_ : 0);
            next_scan_ = never;
        }
    }

    void subscribe(std::span<int const> known = {})
    {
        sync::mailbox_limits limits;
        if (!one_in(3))
            limits.conflate_after = static_cast<std::size_t>(between(1, 8));
        if (one_in(5))
            limits.bytes = static_cast<std::size_t>(between(1000, 6000));
        w_.join(one_in(2) ? 0 : 1 + one_of(2), limits, known);
    }
    void join()
    {
        std::vector<int> known;
        for (int who = 0; who < most; ++who)
            if (one_in(3))
                known.push_back(who);
        subscribe(known);
    }
    void read()
    {
        w_.read(static_cast<std::size_t>(one_of(static_cast<int>(w_.readers().size()))),
                one_in(2) ? SIZE_MAX : static_cast<std::size_t>(between(1, 4)));
        next_read_ = w_.clock + between(0, 3000);
    }
    void count(tally& met)
    {
        met.inferred_ends += w_.inferred_ends();
        met.revived += w_.ledger().revived();
        met.partial += w_.ledger().list_is_partial() ? 1 : 0;
        met.full += w_.full() ? 1 : 0;
        met.reused += reused_;
        met.polled += polls_ ? 1 : 0;
        met.idle += idle_wait_ && idle_wait_->over() ? 1 : 0;
        met.gave_up += gave_up_;
        met.gave_up_idle += waiting_idle_.gave_up() ? 1 : 0;
        if (operation_) {
            bool const followed = operation_->follows();
            met.followed += followed ? 1 : 0;
            if (auto const& o = operation_->result()) {
                met.ended += o->kind == outcome_kind::ended ? 1 : 0;
                met.vanished += o->kind == outcome_kind::vanished && followed ? 1 : 0;
                met.unseen += o->kind == outcome_kind::vanished && !followed ? 1 : 0;
                met.not_started += o->kind == outcome_kind::not_started ? 1 : 0;
                met.weak += o->weak ? 1 : 0;
            }
        }
        for (reader const& r : w_.readers()) {
            met.taken += r.taken();
            met.left_out += r.left_out();
            met.overflowed += r.overflowed() ? 1 : 0;
        }
    }

    static constexpr moment horizon_ = 16'000;
    std::span<std::uint8_t const> choices_;
    std::uint64_t random_;
    carrier as_it_is_;
    bool skewed_ = false, polls_ = false, forgets_ = false;
    world w_;
    moment next_change_ = never, next_cut_ = never, next_request_ = never, next_list_ = never, next_listen_ = never,
           next_join_ = never, next_jump_ = never, next_read_ = never, next_step_ = never, next_scan_ = never,
           next_wait_ = never;
    moment connected_at_ = 0, last_list_ = long_ago;
    bool reconciled_ = false, list_wanted_ = false;
    std::uint64_t reused_ = 0, gave_up_ = 0;

    std::optional<watched_operation> operation_;
    std::string_view name_; // in its reply
    int wanted_ = 0;        // the section
    int scanned_ = -1;      // which activity the request starts
    bool scan_began_ = false;
    waiter waiting_{of_operations, never};
    std::optional<watched_idle_wait> idle_wait_;
    waiter waiting_idle_{of_idle_waits, never};
};

} // namespace plex::testing::model
