#pragma once

#include "activity_record.hpp"
#include "sync/ledger.hpp"
#include "sync/mailbox.hpp"

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace plex::testing {

using namespace std::chrono_literals;
using protocol::activity_update;

/// One entry as the decoder gives it, written as a sentence: `news("started", "a").progress(0).context(R"({"k":1})")`.
struct news : activity_update {
    news(std::string_view event, std::string_view id)
    {
        kind = event == "started" ? event_kind::started : event == "ended" ? event_kind::ended : event_kind::updated;
        uuid = id;
        activity_update::type = "library.update.section";
    }
    explicit news(std::string_view id) : news("listed", id) {}

    news& type(std::string_view value) { return set(activity_update::type, value); }
    news& title(std::string_view value) { return set(activity_update::title, value); }
    news& subtitle(std::string_view value) { return set(activity_update::subtitle, value); }
    news& progress(int value) { return set(activity_update::progress, value); }
    news& cancellable(bool value) { return set(activity_update::cancellable, value); }
    news& user(std::int64_t value) { return set(user_id, value); }
    news& context(std::string_view value) { return set(activity_update::context, value); }
    news& response(std::string_view value) { return set(activity_update::response, value); }
    news& extra(std::string_view value) { return set(activity_update::extra, value); }

private:
    template <class Field, class Value>
    news& set(Field& field, Value const& value)
    {
        field = value;
        return *this;
    }
};

/// "started a", "updated a 40" with its progress where known, "ended? a" where inferred.
inline std::string text_of(activity_event const& e)
{
    std::string text(to_string(e.kind));
    if (e.inferred)
        text += '?';
    text += ' ';
    text += e.activity.uuid();
    if (auto const progress = e.activity.progress())
        text += ' ' + std::to_string(*progress);
    return text;
}

inline void add(std::string& list, activity_event const& e)
{
    if (!list.empty())
        list += ", ";
    list += text_of(e);
}

/// All that is pending.
inline std::string drained(sync::mailbox& box)
{
    std::string all;
    while (auto const event = box.take())
        add(all, *event);
    return all;
}

/// A ledger in virtual time. What each step tells is returned as text; `last` keeps the mails.
struct scene {
    explicit scene(sync::ledger_limits limits = {}) : ledger(limits) {}

    sync::ledger ledger;
    sync::instant now{std::chrono::steady_clock::time_point(1h), std::chrono::system_clock::time_point(1'000'000s)};
    std::vector<sync::mail> last;

    void after(std::chrono::steady_clock::duration d)
    {
        now.steady += d;
        now.system += std::chrono::duration_cast<std::chrono::system_clock::duration>(d);
    }

    std::string told()
    {
        std::string all;
        for (auto const& m : last)
            add(all, m.event);
        return all;
    }

    std::string heard(activity_update const& n)
    {
        last.clear();
        ledger.heard(n, now, last);
        return told();
    }

    /// A feed that has been open long enough for its gap to be closed.
    void live()
    {
        ledger.snapshot_requested(now, true);
        ledger.snapshot_failed();
        after(1s);
    }

    void request(bool closes_gap = false) { ledger.snapshot_requested(now, closes_gap); }
    std::string reply(std::initializer_list<activity_update> list)
    {
        last.clear();
        ledger.snapshot_arrived({list.begin(), list.size()}, now, last);
        return told();
    }
    void confirm()
    {
        if (auto const snapshot = ledger.awaiting_confirmation())
            ledger.peer_confirmed(*snapshot);
    }
    std::string settle()
    {
        last.clear();
        ledger.settle(now, last);
        return told();
    }

    /// Asks, is answered at once, and lets the grace pass with the peer's confirmation: what the absences end.
    std::string snapshot(std::initializer_list<activity_update> list, bool closes_gap = false)
    {
        request(closes_gap);
        reply(list);
        confirm();
        after(2s);
        std::string ended = settle();
        after(1s);
        return ended;
    }
};

/// Lives that ran before a gap, and a snapshot after it that lacks them: their ends are inferred.
inline std::string end_by_absence(scene& s, std::initializer_list<std::string_view> lives)
{
    for (auto const id : lives)
        s.heard(news("started", id));
    s.ledger.disconnected();
    s.after(10s);
    return s.snapshot({});
}

} // namespace plex::testing
