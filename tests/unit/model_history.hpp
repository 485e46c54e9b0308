#pragma once

#include "sync_scene.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The model of the guarantees: a server that knows the truth, a wire, the ledger and mailboxes under test, and the
/// rules that judge what they tell. Time is virtual, in milliseconds.
namespace plex::testing::model {

using moment = std::int64_t;
inline constexpr moment never = INT64_MAX;
inline constexpr moment long_ago = -1'000'000'000;
inline constexpr moment grace = 2000;
inline constexpr moment partial_silence = 600'000;

// ---- activities, by number

inline constexpr int most = 6;
inline constexpr std::array<std::string_view, most> names = {"a", "b", "c", "d", "e", "f"};
inline constexpr std::array<std::string_view, 4> contexts = {"", R"({"section":1})", R"({"section":"2"})",
                                                             R"({"other":true})"};

inline int number_of(std::string_view uuid)
{
    return uuid[0] - 'a';
}

/// Each state of a life has a title of its own, so that no two are taken for each other.
inline std::string_view title_of(int version)
{
    static std::vector<std::string> const titles = [] {
        std::vector<std::string> all;
        for (int i = 0; i < 1000; ++i)
            all.push_back("state " + std::to_string(i));
        return all;
    }();
    return titles[static_cast<std::size_t>(version)];
}

/// What one entry on the wire says; what it does not mention is not said.
struct payload {
    static constexpr int unsaid = -2;
    int progress = unsaid; // -1: indeterminate
    int context = 0;       // into `contexts`; 0: unsaid
    int version = 0;
};

/// The state of an activity, as the server has it or as it follows from what the wire said.
struct picture {
    int progress = -1;
    int context = 0;
    int version = -1;
    friend bool operator==(picture const&, picture const&) = default;

    /// Rule 7: what is not mentioned stays; a Context that is there replaces the known one whole.
    void take(payload const& said)
    {
        if (said.progress != payload::unsaid)
            progress = said.progress;
        if (said.context != 0)
            context = said.context;
        version = said.version;
    }
};

inline bool shows(activity const& a, picture const& p)
{
    auto const& f = detail::activity_access::record(a)->fields();
    auto const progress = p.progress == -1 ? std::optional<int>() : p.progress;
    return f.progress == progress && f.context == contexts[static_cast<std::size_t>(p.context)] &&
           f.title == title_of(p.version);
}

inline activity_update entry(int who, event_kind kind, payload const& said)
{
    activity_update u;
    u.kind = kind;
    u.uuid = names[static_cast<std::size_t>(who)];
    u.type = "library.update.section";
    u.title = title_of(said.version);
    if (said.progress != payload::unsaid)
        u.progress = said.progress;
    if (said.context != 0)
        u.context = contexts[static_cast<std::size_t>(said.context)];
    return u;
}

// ---- what reached the client, and when

struct fact {
    enum class what : std::uint8_t { event, request, reply, confirmation, settlement, loss };
    what is;
    event_kind kind = event_kind::updated;
    bool closes_gap = false; // of a request
    std::int8_t who = -1;    // of an event
    std::uint32_t list = 0;  // of a reply: who stands in it, a bit each
    moment at = 0;
    moment requested = 0; // of a reply

    bool lists(int u) const { return (list >> u & 1) != 0; }
};

/// Only questions that a rule asks; each is answered by reading the record, from its beginning or its end.
class history
{
public:
    using what = fact::what;

    void add(fact const& f) { facts_.push_back(f); }
    std::size_t size() const { return facts_.size(); }
    fact const& last() const { return facts_.back(); }

    /// When a life was first known that began with fact number `born`: a list speaks of the time it was asked for.
    moment first_known(std::size_t born) const
    {
        fact const& f = facts_[born];
        return f.is == what::reply ? f.requested : f.at;
    }
    /// The last live event of a life, `long_ago` if none.
    moment last_event(int u, std::size_t born) const
    {
        for (std::size_t i = facts_.size(); i-- > born;)
            if (facts_[i].is == what::event && facts_[i].who == u)
                return facts_[i].at;
        return long_ago;
    }
    moment last_listed(int u, std::size_t born) const
    {
        for (std::size_t i = facts_.size(); i-- > born;)
            if (facts_[i].is == what::reply && facts_[i].lists(u))
                return facts_[i].requested;
        return long_ago;
    }
    /// From so many snapshots in a row, the last one included, a life is missing that was known when they were asked
    /// for.
    int missing_from(int u, std::size_t born) const
    {
        int missing = 0;
        for (std::size_t i = facts_.size(); i-- > born;) {
            if (facts_[i].is != what::reply)
                continue;
            if (facts_[i].lists(u) || facts_[i].requested <= first_known(born))
                break;
            ++missing;
        }
        return missing;
    }
    /// When the last gap was closed: with the request of the 5 s snapshot; `never` while it is open.
    moment gap_closed() const
    {
        for (std::size_t i = facts_.size(); i-- > 0;) {
            if (facts_[i].is == what::loss)
                return never;
            if (facts_[i].is == what::request && facts_[i].closes_gap)
                return facts_[i].at;
        }
        return never; // the time before the first connection is a gap too
    }

    struct snapshot {
        fact reply;
        bool confirmed = false;
        bool settled = false;
        bool void_ = false; // the connection was lost since
    };
    std::optional<snapshot> last_snapshot() const
    {
        snapshot s{};
        for (std::size_t i = facts_.size(); i-- > 0;) {
            switch (facts_[i].is) {
            case what::reply:
                s.reply = facts_[i];
                return s;
            case what::confirmation:
                s.confirmed = true;
                break;
            case what::settlement:
                s.settled = true;
                break;
            case what::loss:
                s.void_ = true;
                break;
            case what::event:
            case what::request:
                break;
            }
        }
        return std::nullopt;
    }

    /// From when on what was seen to end at `ended` may live again: a snapshot requested later no longer lists it, and
    /// the grace has passed without one that does.
    moment forgiven(int u, moment ended) const
    {
        moment from = never;
        for (fact const& f : facts_) {
            if (f.is != what::reply || f.requested <= ended)
                continue;
            if (!f.lists(u))
                from = std::min(from, f.at + grace);
            else if (f.requested < from)
                from = never;
        }
        return from;
    }

    /// What had reached the client when a rule was broken.
    std::string text() const
    {
        static constexpr std::string_view words[] = {"event", "request", "reply", "pong", "settled", "lost"};
        std::string all;
        for (fact const& f : facts_) {
            all += "\n  " + std::to_string(f.at) + " ms: " + std::string(words[static_cast<std::size_t>(f.is)]);
            if (f.is == what::event)
                all += ' ' + std::string(to_string(f.kind)) + ' ' + std::string(names[static_cast<std::size_t>(f.who)]);
            if (f.closes_gap)
                all += ", closes the gap";
            if (f.is == what::reply)
                all += " to " + std::to_string(f.requested) + " ms:";
            for (int who = 0; who < most; ++who)
                if (f.lists(who))
                    all += ' ' + std::string(names[static_cast<std::size_t>(who)]);
        }
        return all;
    }

private:
    std::vector<fact> facts_;
};

} // namespace plex::testing::model
