#pragma once

#include "model_reader.hpp"
#include "model_server.hpp"

namespace plex::testing::model {

/// A server, its feed and its list, and a client made of the real ledger and mailboxes. Each member function is one
/// step; whatever it makes the client tell is judged by the rules, and by what the server knows. A step that breaks a
/// rule throws `broken_rule`.
class world
{
public:
    /// @param by outlives it
    world(model::terms const& t, carrier& by)
        : terms_(t), carrier_(&by), listens_(!t.polls), ledger_(t.limits), rules_(t.limits.remembered_ends)
    {
    }

    moment clock = 0;
    /// Of what the server sends next. Where the feed is skewed, what comes late has not been sent yet, and a pong does
    /// not wait for it.
    moment delay = 0;
    static constexpr moment on_its_way = 50;

    // ---- the server

    being const& truth(int who) const { return server_.truth(who); }
    bool runs(int who) const { return truth(who).runs; }
    int births(int who) const { return truth(who).births; }
    bool hidden(int who) const { return (terms_.hidden >> who & 1) != 0; }
    /// Whether its end was concluded from its absence: what was known of it then is forgotten, should it go on.
    bool concluded(int who) const { return concluded_[static_cast<std::size_t>(who)] == births(who); }
    model::terms const& terms() const { return terms_; }
    /// A uuid may be given again once a client may have understood that its last bearer has ended.
    bool may_start(int who) const
    {
        if (terms_.polls)
            return births(who) == 0;
        rules::life const& known = rules_.of(who);
        bool const forgiven = known.end == rules::life::none ||
                              (known.end == rules::life::seen && history_.forgiven(who, known.ended) <= clock);
        return !runs(who) && (births(who) == 0 || (!on_the_wire(who) && !requested_ && !known.runs && forgiven));
    }
    void start(int who, int context = 0) { send(who, event_kind::started, server_.start(who, context, clock)); }
    void change(int who, payload said) { send(who, event_kind::updated, server_.change(who, said, clock)); }
    /// Its end is sent, with its Context or without (protocol.md 2.4, 2.7), and a straggler behind it.
    void end(int who, int context = 0)
    {
        send(who, event_kind::ended, server_.end(who, context, clock, sends()));
        int const v = server_.next_version();
        message const straggler{last_arrival_, who, static_cast<event_kind>((v - 1) % 3), {100, 3, v}, true};
        if (sends())
            wire_.push_back(straggler);
    }
    /// It ends and nothing of that is sent, ever.
    void vanish(int who) { server_.vanish(who, clock); }

    // ---- the connection

    bool connected() const { return connected_; }
    /// @param listens the server has registered its listener at once
    void connect(bool listens)
    {
        connected_ = true;
        if (listens)
            listen();
    }
    void listen()
    {
        if (!listens_)
            listens_since_ = clock;
        listens_ = !terms_.polls;
    }
    /// What has happened since then was sent, as far as the server sends it at all; `never` while it is not.
    moment sends_since() const { return sends() ? listens_since_ : never; }
    void lose()
    {
        connected_ = listens_ = closed_gap_ = false;
        wire_.clear();
        last_arrival_ = 0;
        requested_.reset();
        carrier_->lost();
        history_.add({.is = history::what::loss, .at = clock});
        ledger_.disconnected();
        for (onlooker* o : onlookers_)
            o->interrupted();
        check();
    }
    bool on_the_wire(int who) const
    {
        return std::any_of(wire_.begin(), wire_.end(), [&](message const& m) { return m.who == who; });
    }
    bool anything_on_the_wire() const { return !wire_.empty(); }
    moment next_arrival() const { return wire_.empty() ? never : wire_.front().at; }
    void deliver()
    {
        message const m = wire_.front();
        wire_.erase(wire_.begin());
        if (m.who < 0) {
            ledger_.peer_confirmed(m.pong);
            if (m.reply == replies_)
                history_.add({.is = history::what::confirmation, .at = clock});
        } else {
            history_.add(
                {.is = history::what::event, .kind = m.kind, .who = static_cast<std::int8_t>(m.who), .at = clock});
            bool const was_full = ledger_.full();
            ledger_.heard(carrier_->event(m.who, m.kind, m.said), now(), out_);
            if (!was_full)
                rules_.heard(history_, m.said, now(), out_);
            tell(was_full);
        }
        check();
        if (!wire_.empty() && wire_.front().straggler)
            deliver();
    }

    // ---- the list

    enum class list_state { none, requested, taken };
    list_state list() const
    {
        return !requested_ ? list_state::none : taken_ ? list_state::taken : list_state::requested;
    }
    bool closed_gap() const { return closed_gap_; }
    void request(bool closes_gap)
    {
        requested_ = clock;
        taken_ = false;
        if (terms_.polls)
            return;
        closed_gap_ = closed_gap_ || closes_gap;
        if (closes_gap)
            listen();
        history_.add({.is = history::what::request, .closes_gap = closes_gap, .at = clock});
        ledger_.snapshot_requested(now(), closes_gap);
        check();
    }
    /// The server makes the list.
    void take_list()
    {
        taken_ = true;
        taken_at_ = clock;
        list_ = server_.list(terms_, clock);
    }
    void reply()
    {
        fact f{.is = history::what::reply, .at = clock, .requested = *requested_};
        for (auto const& [who, said] : list_)
            f.list |= 1u << who;
        std::span<activity_update const> const entries = carrier_->list(list_);
        requested_.reset();
        if (terms_.polls) {
            ledger_.polled(entries, at(f.requested), now(), out_);
            tell(false);
        } else {
            compare_with(f, entries);
        }
        if (!full())
            for (onlooker* o : onlookers_)
                o->listed(f.requested, terms_.polls);
    }
    /// When the server made the last list.
    moment list_taken_at() const { return taken_at_; }
    void fail_list()
    {
        requested_.reset();
        ledger_.snapshot_failed();
        check();
    }
    moment next_settle() const
    {
        auto const at = ledger_.next_settle();
        return at ? std::chrono::duration_cast<std::chrono::milliseconds>(*at - origin).count() : never;
    }
    void settle()
    {
        history_.add({.is = history::what::settlement, .at = clock});
        bool const was_full = ledger_.full();
        ledger_.settle(now(), out_);
        if (!was_full)
            rules_.settled(history_, now(), out_);
        for (auto const& m : out_) {
            int const who = number_of(m.event.activity.uuid());
            hold(!runs(who) || hidden(who), 2, "what runs was ended, though the list shows it");
            concluded_[static_cast<std::size_t>(who)] = births(who);
        }
        inferred_ends_ += out_.size();
        tell(was_full);
        if (!was_full) {
            moment const requested = history_.last_snapshot()->reply.requested;
            hold(ledger_.settled() == at(requested), 2, "the settled snapshot is not the last one");
            for (reader& r : readers_)
                r.settled(requested, at(requested), now());
        }
        check();
    }

    // ---- the subscribers

    void join(int wanted, sync::mailbox_limits limits, std::span<int const> known = {})
    {
        readers_.emplace_back(wanted, limits);
        readers_.back().remember(known, clock, now());
        ledger_.introduce(now(), out_);
        rules_.introduced(now(), out_);
        for (auto const& m : out_)
            readers_.back().post(m);
        out_.clear();
    }
    /// @param reconciled what runs is known
    void watch(onlooker& o, bool reconciled)
    {
        onlookers_.push_back(&o);
        ledger_.introduce(now(), out_);
        for (auto const& m : out_)
            o.told(m);
        out_.clear();
        if (reconciled)
            o.listed(clock, terms_.polls);
    }
    void read(std::size_t who, std::size_t count) { readers_[who].take(count); }
    std::vector<reader> const& readers() const { return readers_; }

    // ---- time

    void pass(moment d) { clock += d; }
    void jump(moment d) { system_ += std::chrono::milliseconds(d); }

    bool full() const { return ledger_.full(); }
    sync::ledger const& ledger() const { return ledger_; }
    std::string story() const { return history_.text() + "\n  now " + std::to_string(clock) + " ms"; }
    std::uint64_t inferred_ends() const { return inferred_ends_; }

    /// The server rests, the connection holds, the readers read: whatever was missed has to come out.
    void quieten()
    {
        delay = 0;
        if (!connected_)
            connect(true);
        if (list() == list_state::requested)
            take_list();
        if (list() == list_state::taken)
            reply();
        finish_snapshot();
        for (int i = closed_gap_ ? 1 : 0; i < 3; ++i) {
            pass(i == 1 && terms_.hidden != 0 ? partial_silence : 5000);
            request(!closed_gap_);
            pass(1);
            take_list();
            reply();
            finish_snapshot();
        }
        for (reader& r : readers_)
            r.take(SIZE_MAX);
        if (!full() && !terms_.polls)
            at_rest();
    }

private:
    static sync::ledger::time_point at(moment m) { return origin + std::chrono::milliseconds(m); }
    sync::instant now() const { return {at(clock), system_ + std::chrono::milliseconds(clock)}; }

    void compare_with(fact const& reply, std::span<activity_update const> entries)
    {
        history_.add(reply);
        bool const was_full = ledger_.full();
        ledger_.snapshot_arrived(entries, now(), out_);
        if (!was_full) {
            rules_.listed(history_, list_, now(), out_);
            ++replies_;
            auto const number = ledger_.awaiting_confirmation();
            hold(number.has_value(), 2, "no pong is waited for after a reply");
            answer(*number);
        }
        tell(was_full);
        check();
    }

    bool sends() const { return connected_ && listens_; }
    void send(int who, event_kind kind, payload const& said)
    {
        if (!sends())
            return;
        last_arrival_ = std::max(clock + delay, last_arrival_);
        wire_.push_back({last_arrival_, who, kind, said});
    }
    /// The server answers a ping: behind all that it has sent by now.
    void answer(std::uint32_t ping)
    {
        if (!terms_.skewed)
            last_arrival_ = std::max(clock + delay, last_arrival_);
        message const pong{terms_.skewed ? clock + on_its_way : last_arrival_, -1, {}, {}, false, ping, replies_};
        auto const place = std::find_if(wire_.begin(), wire_.end(), [&](message const& m) { return m.at > pong.at; });
        wire_.insert(place, pong);
    }

    void tell(bool was_full)
    {
        hold(!was_full || out_.empty(), 4, "a full ledger tells something");
        for (auto const& m : out_) {
            for (onlooker* o : onlookers_)
                o->told(m);
        }
        for (reader& r : readers_)
            r.post(out_);
        out_.clear();
    }
    /// After every step.
    void check()
    {
        if (full() || terms_.polls)
            return;
        rules_.counts(ledger_, terms_.limits);
        auto const s = history_.last_snapshot();
        bool const due = s && s->confirmed && !s->settled && !s->void_;
        hold(next_settle() == (due ? s->reply.at + grace : never), 2, "absences are to be settled at another time");
    }
    void finish_snapshot()
    {
        while (!wire_.empty()) {
            clock = std::max(clock, wire_.front().at);
            deliver();
        }
        if (next_settle() != never) {
            clock = std::max(clock, next_settle());
            settle();
        }
    }

    /// All has come out: each subscriber's picture is the server's truth.
    void at_rest() const
    {
        bool const whole = terms_.hidden == 0;
        if (whole)
            hold(!ledger_.list_is_partial(), 2, "a whole list is taken for partial");
        bool const all_remembered = terms_.limits.remembered_ends > 100;
        for (int who = 0; who < most; ++who) {
            being const& b = truth(who);
            rules::life const& known = rules_.of(who);
            // The one end that no rule finds: without a word, of what no snapshot ever listed.
            bool const untraceable = b.vanished && history_.last_listed(who, known.born) == long_ago;
            hold(b.runs || !known.runs || untraceable, 2, "what has ended is not told to have ended");
            hold(!b.runs || known.runs || hidden(who), 2, "what runs is not told");
            if (b.runs && known.runs && !hidden(who))
                hold(known.is.version == b.is.version && known.is.progress == b.is.progress &&
                         (known.is.context == b.is.context || !terms_.lists_context),
                     2, "what runs is not told as it is");
            if (whole && all_remembered)
                hold(known.told <= b.births, 1, "one life is told twice");
            for (reader const& r : readers_)
                if (!r.overflowed())
                    at_rest(r, who, known);
        }
    }
    void at_rest(reader const& r, int who, rules::life const& known) const
    {
        auto const& heard = r.hears(who);
        hold(!heard || known.runs, 3, "a subscriber was not told of an end");
        if (known.runs && (r.wanted() == 0 || known.is.context == r.wanted()))
            hold(heard.has_value(), r.filtered() ? 8 : 3, "a subscriber was not told of a life");
        if (heard)
            hold(shows(*heard, known.is), 3, "a subscriber was not told the latest state");
    }

    static constexpr sync::ledger::time_point origin{1h};

    model::terms terms_;
    carrier* carrier_;
    server server_;

    bool connected_ = true;
    bool listens_ = true;
    moment listens_since_ = 0;
    bool closed_gap_ = false;
    std::vector<message> wire_;
    moment last_arrival_ = 0;

    std::optional<moment> requested_;
    bool taken_ = false;
    moment taken_at_ = long_ago;
    std::vector<std::pair<int, payload>> list_;
    std::uint32_t replies_ = 0;
    std::uint64_t inferred_ends_ = 0;

    std::chrono::system_clock::time_point system_{1'000'000s};
    sync::ledger ledger_;
    std::vector<sync::mail> out_;
    std::vector<reader> readers_;
    std::vector<onlooker*> onlookers_;
    std::array<int, most> concluded_{}; // births when an end was concluded last
    history history_;
    rules rules_;
};

} // namespace plex::testing::model
