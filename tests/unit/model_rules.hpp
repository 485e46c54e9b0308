#pragma once

#include "model_history.hpp"

#include <algorithm>
#include <span>
#include <stdexcept>

namespace plex::testing::model {

/// Which rule of "What the feed guarantees", and how.
struct broken_rule : std::runtime_error {
    broken_rule(int rule, std::string const& how)
        : std::runtime_error("rule " + std::to_string(rule) + ": " + how), number(rule)
    {
    }
    int number;
};

inline void hold(bool held, int rule, char const* how)
{
    if (!held)
        throw broken_rule(rule, how);
}

/// What the ledger told in one step, read one by one.
class telling
{
public:
    telling(std::span<sync::mail const> mails, sync::instant now) : mails_(mails), now_(now) {}

    bool over() const { return at_ == mails_.size(); }
    sync::mail const& next(int rule, event_kind kind, bool inferred, int who, picture const& p)
    {
        if (over())
            throw broken_rule(rule, "not told: " + sentence(kind, inferred, who));
        sync::mail const& m = mails_[at_++];
        if (m.event.kind != kind || m.event.inferred != inferred || number_of(m.event.activity.uuid()) != who)
            throw broken_rule(rule, "told: " + text_of(m.event) + " instead of: " + sentence(kind, inferred, who));
        if (!shows(m.event.activity, p))
            throw broken_rule(7, "wrong state in: " + text_of(m.event) + " " +
                                     std::string(m.event.activity.context().json()) + ", expected progress " +
                                     std::to_string(p.progress) + ", Context " +
                                     std::string(contexts[static_cast<std::size_t>(p.context)]));
        hold(m.event.at == now_.system, 1, "an event's time is not that of its reception");
        return m;
    }
    sync::mail const* peek() const { return over() ? nullptr : &mails_[at_]; }
    void ends(int rule, char const* how) const
    {
        if (!over())
            throw broken_rule(rule, how + (", but told: " + text_of(mails_[at_].event)));
    }

private:
    static std::string sentence(event_kind kind, bool inferred, int who)
    {
        return std::string(to_string(kind)) + (inferred ? "? " : " ") +
               std::string(names[static_cast<std::size_t>(who)]);
    }

    std::span<sync::mail const> mails_;
    sync::instant now_;
    std::size_t at_ = 0;
};

/// Rules 1, 2, 4 and 7: what the ledger may and must tell, by what had reached the client. What a subscriber then takes
/// is judged in model_reader.hpp (3, 4 and 8); both by what the server knows to be true in model_world.hpp.
class rules
{
public:
    explicit rules(std::size_t remembered_ends) : remembered_ends_(remembered_ends) {}

    struct life {
        bool runs = false;
        enum { none, seen, inferred } end = none; // of the life before
        picture is;
        std::size_t born = 0;     // its first fact
        std::size_t ended_by = 0; // so many ends had been told when it ended
        moment ended = 0;
        std::uint64_t number = 0;
        int told = 0; // lives so far
        std::optional<std::chrono::system_clock::time_point> started_at;
    };
    life const& of(int who) const { return lives_[static_cast<std::size_t>(who)]; }
    std::uint64_t revived() const { return revived_; }
    bool list_is_partial() const { return partial_; }

    /// The feed brought an event; it is the last fact of `h`.
    void heard(history const& h, payload const& said, sync::instant now, std::span<sync::mail const> mails)
    {
        telling told(mails, now);
        fact const f = h.last();
        life& l = lives_[static_cast<std::size_t>(f.who)];
        if (l.runs)
            heard_of_running(l, f, h, said, now, told);
        else
            heard_of_other(l, f, h, said, now, told);
        told.ends(1, "nothing else is to be told of an event");
    }

    /// A snapshot arrived; it is the last fact of `h`. It adds and changes, and ends nothing yet.
    void listed(history const& h, std::span<std::pair<int, payload> const> list, sync::instant now,
                std::span<sync::mail const> mails)
    {
        telling told(mails, now);
        fact const f = h.last();
        for (auto const& [who, said] : list) {
            life& l = lives_[static_cast<std::size_t>(who)];
            if (l.runs) {
                if (h.last_event(who, l.born) > f.requested - grace)
                    continue; // the feed knows better
                picture const before = l.is;
                l.is.take(said);
                if (l.is != before)
                    check(l, told.next(2, event_kind::updated, true, who, l.is));
            } else if (l.end == life::seen && f.requested < h.forgiven(who, l.ended) && !forgotten(l, told, who)) {
                continue; // stale: what was seen to end stays ended
            } else {
                begin(l, h, said, std::nullopt);
                open(l, told.next(2, event_kind::started, true, who, l.is));
            }
        }
        told.ends(2, "a snapshot adds what is unknown and changes what is older than it by the grace, no more");
    }

    /// The time of the last snapshot's absences has come.
    void settled(history const& h, sync::instant now, std::span<sync::mail const> mails)
    {
        telling told(mails, now);
        while (sync::mail const* const m = told.peek()) {
            int const who = number_of(m->event.activity.uuid());
            life& l = lives_[static_cast<std::size_t>(who)];
            hold(l.runs, 1, "an end is told of what does not run");
            check(l, told.next(2, event_kind::ended, true, who, l.is));
            if (char const* const why = why_not_ended(who, h, h.last().at))
                throw broken_rule(2,
                                  std::string(names[static_cast<std::size_t>(who)]) + " ended by absence, but " + why);
            end(l, life::inferred, h.last().at);
        }
        for (int who = 0; who < most; ++who)
            hold(!of(who).runs || why_not_ended(who, h, h.last().at) != nullptr, 2,
                 "an absence that ends was not told");
    }

    /// A late subscriber hears `started`, inferred, for what runs, oldest first.
    void introduced(sync::instant now, std::span<sync::mail const> mails)
    {
        telling told(mails, now);
        std::uint64_t last = 0;
        std::array<bool, most> heard{};
        while (sync::mail const* const m = told.peek()) {
            int const who = number_of(m->event.activity.uuid());
            life const& l = of(who);
            hold(l.runs && !heard[static_cast<std::size_t>(who)], 3, "a late subscriber hears of what does not run");
            check(l, told.next(3, event_kind::started, true, who, l.is));
            hold(l.number > last, 3, "not the oldest first");
            last = l.number;
            heard[static_cast<std::size_t>(who)] = true;
        }
        for (int who = 0; who < most; ++who)
            hold(!of(who).runs || heard[static_cast<std::size_t>(who)], 3, "a late subscriber is not told what runs");
    }

    /// After every step.
    void counts(sync::ledger const& ledger, sync::ledger_limits const& limits)
    {
        if (loose_)
            partial_ = ledger.list_is_partial();
        std::size_t running = 0;
        for (life const& l : lives_)
            running += l.runs ? 1 : 0;
        hold(ledger.running() == running, 1, "what the ledger knows to run is not what it told");
        hold(ledger.remembered_ends() <= limits.remembered_ends, 4, "more ends are remembered than the bound allows");
        hold(ledger.full() || ledger.bytes() <= limits.bytes, 4, "the ledger takes more memory than its bound");
        if (!loose_) {
            hold(ledger.revived() == revived_, 1, "revived lives are not counted right");
            hold(ledger.list_is_partial() == partial_, 2, "the list is taken for partial, or whole, without a sign");
        }
    }

private:
    /// Rule 1. `started` of a known life is an update if it changes anything; only `ended` is the end.
    void heard_of_running(life& l, fact const& f, history const& h, payload const& said, sync::instant now,
                          telling& told)
    {
        if (f.kind == event_kind::updated && lacked(f.who, l, h))
            partial_ = true;
        picture const before = l.is;
        l.is.take(said);
        if (f.kind == event_kind::started && !l.started_at)
            l.started_at = now.system;
        if (f.kind == event_kind::updated || (f.kind == event_kind::started && l.is != before))
            check(l, told.next(1, event_kind::updated, false, f.who, l.is));
        if (f.kind == event_kind::ended) {
            check(l, told.next(1, event_kind::ended, false, f.who, l.is));
            end(l, life::seen, f.at);
        }
    }

    /// Rule 1. What was seen to end stays ended; what was inferred to have ended may go on, and is counted.
    void heard_of_other(life& l, fact const& f, history const& h, payload const& said, sync::instant now, telling& told)
    {
        bool const ended = f.kind == event_kind::ended;
        if (l.end != life::none && forgotten(l, told, f.who, f.kind))
            l.end = life::none;
        if (l.end == life::seen && f.at < h.forgiven(f.who, l.ended))
            return; // stale
        if (l.end == life::inferred && ended) {
            l.end = life::seen; // late
            l.ended = f.at;
            return;
        }
        bool const revives = l.end == life::inferred;
        partial_ = partial_ || revives;
        bool const inferred = revives || f.kind != event_kind::started;
        begin(l, h, said, inferred ? std::nullopt : std::optional(now.system));
        open(l, told.next(1, event_kind::started, inferred, f.who, l.is));
        if (ended) {
            check(l, told.next(1, event_kind::ended, false, f.who, l.is));
            end(l, life::seen, f.at);
        }
    }

    /// Rule 2. Why the last snapshot, whose grace is over, does not end a life; null if it does.
    char const* why_not_ended(int who, history const& h, moment now) const
    {
        life const& l = of(who);
        auto const s = h.last_snapshot();
        if (!s || s->void_)
            return "a reconnect discards a snapshot";
        if (!s->confirmed)
            return "the pong to a ping sent after the reply has not come";
        if (now < s->reply.at + grace)
            return "the grace after the reply has not passed";
        int const missing = h.missing_from(who, l.born);
        if (missing == 0)
            return "the snapshot lists it, or was requested before it began";
        moment const event = h.last_event(who, l.born);
        if (event >= s->reply.requested)
            return "an event came after the request";
        moment const listed = h.last_listed(who, l.born);
        moment const closed = h.gap_closed();
        if (closed != never && std::max(event, listed) >= closed) // no gap since it was last heard of
            return listed == long_ago ? "no snapshot ever listed it"
                   : missing < 2      ? "one snapshot alone lacks it"
                                      : nullptr;
        if (!list_is_partial() || listed != long_ago)
            return nullptr;
        bool const silent = closed != never && s->reply.requested >= closed + partial_silence;
        return silent ? nullptr : "the list is partial and never showed it";
    }

    /// Rule 2. Whether the last snapshot lacked a life, and nothing older than its reply can still come.
    static bool lacked(int who, life const& l, history const& h)
    {
        auto const s = h.last_snapshot();
        if (!s || h.missing_from(who, l.born) == 0)
            return false;
        return s->void_ || s->settled || (s->confirmed && h.last().at > s->reply.at + grace);
    }

    /// Rule 4. Behind as many ends as are remembered an older one may be forgotten or not: what is told shows which.
    bool forgotten(life const& l, telling const& told, int who, event_kind kind = event_kind::updated)
    {
        if (ends_ - l.ended_by < remembered_ends_)
            return false;
        loose_ = true;
        sync::mail const* const m = told.peek();
        bool const expected = l.end == life::inferred && kind != event_kind::ended;
        return m && number_of(m->event.activity.uuid()) == who && (!expected || !m->event.inferred);
    }

    void begin(life& l, history const& h, payload const& said,
               std::optional<std::chrono::system_clock::time_point> started_at)
    {
        if (l.end == life::inferred)
            ++revived_;
        l.is = picture();
        l.is.take(said);
        l.born = h.size() - 1;
        l.started_at = started_at;
    }
    void open(life& l, sync::mail const& m)
    {
        hold(m.life > newest_, 1, "a new life has an old number");
        newest_ = l.number = m.life;
        l.runs = true;
        l.end = life::none;
        ++l.told;
        check(l, m);
    }
    void end(life& l, decltype(life::end) how, moment at)
    {
        l.runs = false;
        l.end = how;
        l.ended = at;
        l.ended_by = ++ends_;
    }
    static void check(life const& l, sync::mail const& m)
    {
        hold(m.life == l.number, 1, "an event has the number of another life");
        hold(m.event.started_at == l.started_at, 1, "the time of the start is wrong");
    }

    std::array<life, most> lives_;
    std::size_t remembered_ends_;
    std::uint64_t newest_ = 0;
    std::uint64_t revived_ = 0;
    std::size_t ends_ = 0;
    bool partial_ = false;
    bool loose_ = false; // what is remembered has become the ledger's choice
};

} // namespace plex::testing::model
