#include "dashboard/board.hpp"

#include "protocol/json_text.hpp"
#include "protocol/utf8.hpp"

#include <algorithm>
#include <utility>

namespace plex::dashboard {

using protocol::append_json_member;
using protocol::append_json_name;

namespace {

constexpr auto keeps_ends = std::chrono::hours(1);
constexpr std::size_t longest_text = 512; // bytes: more does not fit on a page

std::int64_t milliseconds(board::time t)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

// The page shows text as text; this keeps it from turning the order of what stands beside it, too.
std::string shown(std::string_view text)
{
    return std::string(protocol::cut_utf8(protocol::terminal_safe(text), longest_text));
}

void number(std::string& out, std::string_view name, std::int64_t value)
{
    append_json_name(out, name);
    out += std::to_string(value);
}
void flag(std::string& out, std::string_view name, bool value)
{
    append_json_name(out, name);
    out += value ? "true" : "false";
}

} // namespace

/// A thing that is new to a reader: one of the three.
struct board::change {
    std::uint64_t version = 0;
    board::server const* of = nullptr;
    board::running const* activity = nullptr; ///< of that server
    board::ended const* end = nullptr;

    void append_to(std::string&) const;
};

void board::change::append_to(std::string& out) const
{
    out += '{';
    if (end) {
        append_json_member(out, "is", "ended");
        number(out, "server", static_cast<std::int64_t>(end->server));
        append_json_member(out, "name", end->server_name);
        append_json_member(out, "uuid", end->uuid);
        append_json_member(out, "type", end->type);
        append_json_member(out, "title", end->title);
        append_json_member(out, "subtitle", end->subtitle);
        if (end->progress)
            number(out, "progress", *end->progress);
        number(out, "since", milliseconds(end->since));
        flag(out, "start_seen", end->start_seen);
        number(out, "at", milliseconds(end->at));
        flag(out, "inferred", end->inferred);
    } else if (activity) {
        plex::activity const& a = activity->activity;
        append_json_member(out, "is", "running");
        number(out, "server", static_cast<std::int64_t>(of->id));
        append_json_member(out, "uuid", a.uuid());
        append_json_member(out, "type", shown(a.type()));
        append_json_member(out, "title", shown(a.title()));
        append_json_member(out, "subtitle", shown(a.subtitle()));
        if (a.progress())
            number(out, "progress", *a.progress());
        flag(out, "cancellable", a.cancellable());
        number(out, "since", milliseconds(activity->since));
        flag(out, "start_seen", activity->start_seen);
    } else {
        append_json_member(out, "is", "server");
        number(out, "server", static_cast<std::int64_t>(of->id));
        append_json_member(out, "name", of->name);
        append_json_member(out, "state", to_string(of->state));
        append_json_member(out, "transport", to_string(of->transport));
        append_json_member(out, "why", of->why);
        if (of->next_try)
            number(out, "next_try", milliseconds(*of->next_try));
    }
    out += '}';
}

board::server* board::find(std::string_view name) noexcept
{
    auto const found = std::find_if(servers_.begin(), servers_.end(), [&](auto const& s) { return s->name == name; });
    return found == servers_.end() ? nullptr : found->get();
}

void board::set_can_cancel(bool can)
{
    if (std::exchange(can_cancel_, can) != can)
        anew_ = ++version_;
}

void board::configured(std::vector<std::string> const& names)
{
    std::vector<std::unique_ptr<server>> next;
    bool same = names.size() == servers_.size();
    for (std::string const& name : names) {
        auto const there =
            std::find_if(servers_.begin(), servers_.end(), [&](auto const& s) { return s && s->name == name; });
        same = same && there - servers_.begin() == static_cast<std::ptrdiff_t>(next.size());
        if (there != servers_.end()) {
            next.push_back(std::move(*there));
        } else {
            next.push_back(std::make_unique<server>());
            next.back()->id = next_server_++;
            next.back()->name = name;
            next.back()->version = ++version_;
        }
    }
    servers_ = std::move(next);
    if (!same)
        anew_ = ++version_;
}

void board::connection(std::string_view name, connection_status const& now_is, time now)
{
    server* const s = find(name);
    if (!s)
        return;
    s->state = now_is.state;
    s->transport = now_is.transport;
    s->why = now_is.last_error ? shown(now_is.diagnostics.message()) : std::string();
    if (now_is.state == connection_state::reconciled)
        s->why.clear();
    s->next_try.reset();
    if (now_is.next_try)
        s->next_try = now + std::chrono::duration_cast<time::duration>(*now_is.next_try);
    s->version = ++version_;
}

void board::event(std::string_view name, activity_event const& e)
{
    server* const s = find(name);
    if (!s)
        return;
    auto known = s->activities.find(e.activity.uuid());
    if (known == s->activities.end()) {
        running begins;
        begins.since = e.started_at.value_or(e.at);
        begins.start_seen = e.started_at.has_value();
        known = s->activities.emplace(e.activity.uuid(), begins).first;
    }
    running& r = known->second;
    r.activity = e.activity;
    r.version = ++version_;
    if (e.kind != event_kind::ended)
        return;
    ended end;
    end.version = r.version;
    end.server = s->id;
    end.server_name = s->name;
    end.uuid = e.activity.uuid();
    end.type = shown(e.activity.type());
    end.title = shown(e.activity.title());
    end.subtitle = shown(e.activity.subtitle());
    end.progress = e.activity.progress();
    end.since = r.since;
    end.start_seen = r.start_seen;
    end.at = e.at;
    end.inferred = e.inferred;
    s->activities.erase(known);
    ended_.push_back(std::move(end));
    if (ended_.size() > most_ended)
        drop_oldest_end();
}

void board::drop_oldest_end()
{
    anew_ = std::max(anew_, ended_.front().version);
    ended_.pop_front();
    last_.text.reset(); // which has it yet
}

void board::forget_old(time now)
{
    while (!ended_.empty() && ended_.front().at < now - keeps_ends)
        drop_oldest_end();
}

std::vector<board::change> board::changes_since(std::uint64_t seen) const
{
    std::vector<change> all;
    for (auto const& s : servers_) {
        if (s->version > seen)
            all.push_back({s->version, s.get(), nullptr, nullptr});
        for (auto const& [uuid, r] : s->activities)
            if (r.version > seen)
                all.push_back({r.version, s.get(), &r, nullptr});
    }
    for (auto end = ended_.rbegin(); end != ended_.rend() && end->version > seen; ++end)
        all.push_back({end->version, nullptr, nullptr, &*end});
    std::sort(all.begin(), all.end(), [](change const& a, change const& b) { return a.version < b.version; });
    return all;
}

std::shared_ptr<std::string const> board::news(bookmark& from, time now)
{
    bool const begins_anew = from.seen < anew_ && from.reset < anew_;
    if (!begins_anew && from.seen >= version_)
        return nullptr;
    if (last_.text && last_.version == version_ && last_.from.seen == from.seen && last_.from.reset == from.reset) {
        from = last_.to;
        return last_.text;
    }
    last_.from = from;
    last_.version = version_;
    if (begins_anew)
        from = {0, version_};
    std::string out = "{";
    number(out, "now", milliseconds(now));
    if (begins_anew) {
        flag(out, "anew", true);
        flag(out, "can_cancel", can_cancel_);
        append_json_name(out, "servers");
        out += '[';
        for (auto const& s : servers_)
            out += (out.back() == '[' ? "" : ",") + std::to_string(s->id);
        out += ']';
    }
    append_json_name(out, "changes");
    out += '[';
    std::vector<change> const changes = changes_since(from.seen);
    std::size_t told = 0;
    for (; told != changes.size() && (told == 0 || out.size() <= cut_after_); ++told) {
        if (out.back() != '[')
            out += ',';
        changes[told].append_to(out);
    }
    out += "]}";
    from.seen = told == changes.size() ? version_ : changes[told - 1].version;
    last_.to = from;
    last_.text = std::make_shared<std::string const>(std::move(out));
    return last_.text;
}

std::optional<std::string> board::cancellable(std::uint64_t id, std::string_view uuid) const
{
    for (auto const& s : servers_)
        if (s->id == id)
            if (auto const found = s->activities.find(uuid);
                found != s->activities.end() && found->second.activity.cancellable())
                return s->name;
    return std::nullopt;
}

} // namespace plex::dashboard
