#include "mqtt/home.hpp"

#include "json_lines.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace plex::mqtt {

namespace {

constexpr std::string_view scans = "library.update.section"; // names its section, if late

} // namespace

std::vector<message> home::configured(std::vector<std::string> const& servers)
{
    std::vector<message> out;
    for (auto s = servers_.begin(); s != servers_.end();) {
        if (std::find(servers.begin(), servers.end(), s->first) != servers.end()) {
            ++s;
            continue;
        }
        for (auto const& [topic, d] : s->second.devices) {
            std::vector<message> back = topics_.removal(d.about);
            out.insert(out.end(), std::make_move_iterator(back.begin()), std::make_move_iterator(back.end()));
        }
        out.push_back({topics_.availability(s->first), {}});
        s = servers_.erase(s);
    }
    for (std::string const& name : servers)
        if (servers_.try_emplace(name).second)
            out.push_back({topics_.availability(name), "offline"});
    return out;
}

home::shown* home::device_of(server& s, std::string const& name, activity const& a, std::vector<message>& out)
{
    device about = topics_.device_of(name, a.type(), a.context().text("librarySectionID").value_or(""), a.title());
    auto const found = s.devices.find(about.topic);
    if (found != s.devices.end())
        return &found->second;
    if (s.devices.size() == most_devices)
        return nullptr;
    std::vector<message> told = topics_.discovery(about);
    out.insert(out.end(), std::make_move_iterator(told.begin()), std::make_move_iterator(told.end()));
    std::string topic = about.topic;
    return &s.devices.emplace(std::move(topic), shown{std::move(about), {}, false}).first->second;
}

std::string home::progress_of(shown const& d)
{
    std::optional<int> least; // how far all of it is
    for (auto const& [uuid, progress] : d.running)
        if (progress && (!least || *progress < *least))
            least = progress;
    return least ? std::to_string(*least) : "None"; // Home Assistant's word for what is not known
}

void home::leave(server& s, std::string const& uuid, std::vector<message>& out)
{
    auto const at = s.where.find(uuid);
    if (at == s.where.end())
        return;
    shown& d = s.devices.at(at->second);
    d.running.erase(uuid);
    if (d.running.empty()) {
        out.push_back({topics::running(at->second), "OFF"});
        out.push_back({topics::progress(at->second), progress_of(d)});
        d.moved = false;
    } else {
        d.moved = true;
    }
    s.where.erase(at);
}

std::vector<message> home::event(std::string const& server_name, activity_event const& e)
{
    std::vector<message> out;
    auto const found = servers_.find(server_name);
    if (found == servers_.end())
        return out;
    server& s = found->second;
    bool const has_section = e.activity.context().text("librarySectionID").has_value();
    bool const is_over = e.kind == event_kind::ended;
    if (e.activity.type() == scans && !has_section && !is_over)
        return out;
    shown* const d = device_of(s, server_name, e.activity, out);
    std::string const uuid(e.activity.uuid());
    if (auto const at = s.where.find(uuid); is_over || (d && at != s.where.end() && at->second != d->about.topic))
        leave(s, uuid, out); // or counts elsewhere now
    if (!d)
        return out;
    if (is_over) {
        out.push_back({topics::finished(d->about.topic), command::utc(e.at)});
        if (d->running.empty() && s.stale.erase(d->about.topic) != 0)
            out.push_back({topics::running(d->about.topic), "OFF"});
        return out;
    }
    s.stale.erase(d->about.topic);
    if (d->running.empty())
        out.push_back({topics::running(d->about.topic), "ON"});
    s.where[uuid] = d->about.topic;
    auto const [is, is_new] = d->running.try_emplace(uuid);
    d->moved = d->moved || is_new || is->second != e.activity.progress();
    is->second = e.activity.progress();
    return out;
}

std::vector<message> home::connection(std::string const& name, connection_state state)
{
    auto const s = servers_.find(name);
    if (s == servers_.end())
        return {};
    bool const was_live = std::exchange(s->second.is_live, state == connection_state::reconciled);
    if (was_live == s->second.is_live)
        return {};
    return {{topics_.availability(name), s->second.is_live ? "online" : "offline"}};
}

std::vector<message> home::goodbye() const
{
    std::vector<message> out;
    out.reserve(servers_.size());
    for (auto const& [name, s] : servers_)
        out.push_back({topics_.availability(name), "offline"});
    return out;
}

std::vector<message> home::progress()
{
    std::vector<message> out;
    for (auto& [name, s] : servers_) {
        for (auto& [topic, d] : s.devices)
            if (std::exchange(d.moved, false))
                out.push_back({topics::progress(topic), progress_of(d)});
        if (!s.is_live)
            continue;
        for (std::string const& topic : std::exchange(s.stale, {})) {
            out.push_back({topics::running(topic), "OFF"});
            out.push_back({topics::progress(topic), "None"});
        }
    }
    return out;
}

void home::kept(std::string_view topic, std::string_view payload)
{
    constexpr std::string_view end = "/running";
    if (payload != "ON" || !topic.ends_with(end))
        return;
    std::string const device(topic.substr(0, topic.size() - end.size()));
    for (auto& [name, s] : servers_) {
        if (!device.starts_with(topics_.prefix() + '/' + part(name) + '/'))
            continue;
        auto const known = s.devices.find(device);
        if ((known == s.devices.end() || known->second.running.empty()) && s.stale.size() < most_devices)
            s.stale.insert(device);
    }
}

std::optional<std::string> home::server_of(std::string_view wanted) const
{
    for (auto const& [name, s] : servers_)
        if (part(name) == wanted)
            return name;
    return std::nullopt;
}

} // namespace plex::mqtt
