#pragma once

#include "model_history.hpp"

#include <span>
#include <utility>

namespace plex::testing::model {

/// What holds in a world.
struct terms {
    std::uint32_t hidden = 0;     // whom the list never shows, a bit each: they run for another user
    bool lists_context = true;    // recorded lists lack it (protocol.md 2.3)
    moment lag = 0;               // so long may the list show what has changed or ended
    bool skewed = false;          // the feed may be late against the list, by less than the grace
    bool polls = false;           // there is no feed beside the list
    sync::ledger_limits limits{}; // of the ledger
};

/// One activity as the server knows it; its latest life, if the uuid was given more than once.
struct being {
    bool runs = false;
    bool vanished = false; // it ended without a word
    bool end_sent = false;
    int births = 0;
    picture is;
    picture before;
    moment born_at = 0;
    moment changed_at = 0;
    moment ended_at = 0;
    std::array<moment, contexts.size()> had = {never, never, never, never}; // each Context, from when on
};

/// The server's activities and its list; what its functions return is what it says of them on the feed.
class server
{
public:
    being const& truth(int who) const { return truth_[static_cast<std::size_t>(who)]; }

    payload start(int who, int context, moment now)
    {
        int const births = truth(who).births + 1;
        being& b = of(who) = being();
        b.runs = true;
        b.births = births;
        b.is = b.before = {0, context, ++versions_};
        b.born_at = b.changed_at = now;
        has(b, context, now);
        return {0, context, versions_};
    }
    payload change(int who, payload said, moment now)
    {
        being& b = of(who);
        b.before = b.is;
        b.changed_at = now;
        said.version = ++versions_;
        b.is.take(said);
        has(b, said.context, now);
        return said;
    }
    payload end(int who, int context, moment now, bool sent)
    {
        vanish(who, now);
        being& b = of(who);
        b.vanished = false;
        b.end_sent = sent;
        b.is.version = ++versions_;
        has(b, context, now);
        return {payload::unsaid, context, versions_};
    }
    void vanish(int who, moment now)
    {
        being& b = of(who);
        b.runs = false;
        b.vanished = true;
        b.ended_at = now;
    }
    int next_version() { return ++versions_; }

    std::vector<std::pair<int, payload>> list(terms const& t, moment now)
    {
        shown_ = std::max(shown_, now - t.lag);
        std::vector<std::pair<int, payload>> all;
        for (int who = 0; who < most; ++who) {
            being const& b = truth(who);
            if ((t.hidden >> who & 1) != 0 || !(b.runs || (b.births != 0 && b.ended_at > shown_)))
                continue;
            picture const& p = b.changed_at > shown_ ? b.before : b.is;
            all.emplace_back(who, payload{p.progress, t.lists_context ? p.context : 0, p.version});
        }
        return all;
    }

private:
    being& of(int who) { return truth_[static_cast<std::size_t>(who)]; }
    static void has(being& b, int context, moment now)
    {
        moment& since = b.had[static_cast<std::size_t>(context)];
        since = std::min(since, now);
    }

    std::array<being, most> truth_;
    int versions_ = 0;
    moment shown_ = 0;
};

/// On the wire.
struct message {
    moment at = 0;
    int who = -1; // none: a pong
    event_kind kind = event_kind::updated;
    payload said{};
    bool straggler = false; // comes in one read with what it follows
    std::uint32_t pong = 0;
    std::uint32_t reply = 0;
};

/// How what the server says reaches the ledger: as it is, or by way of bytes. What it returns stands until its next
/// call.
class carrier
{
public:
    virtual ~carrier() = default;
    virtual activity_update const& event(int who, event_kind kind, payload const& said)
    {
        event_ = entry(who, kind, said);
        return event_;
    }
    virtual std::span<activity_update const> list(std::span<std::pair<int, payload> const> list)
    {
        list_.clear();
        for (auto const& [who, said] : list)
            list_.push_back(entry(who, event_kind::updated, said));
        return list_;
    }
    /// The connection is gone, with what was half sent.
    virtual void lost() {}

private:
    activity_update event_;
    std::vector<activity_update> list_;
};

/// Who is told everything, as src/onlooker.hpp says.
class onlooker
{
public:
    virtual ~onlooker() = default;
    virtual void told(sync::mail const&) = 0;
    virtual void listed(moment requested, bool polled) = 0;
    virtual void interrupted() = 0;
};

} // namespace plex::testing::model
