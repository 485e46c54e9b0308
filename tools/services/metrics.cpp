#include "services/metrics.hpp"

#include "protocol/utf8.hpp"

#include <plex/error.hpp>

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

namespace plex::service {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

/// Of what a scan of one folder takes, and of what the conversion of a film does.
prometheus::Histogram::BucketBoundaries const durations{1, 5, 15, 60, 300, 900, 3'600, 14'400, 43'200};

struct activities_of_type {
    std::size_t running = 0;
    std::uint64_t ended = 0;          ///< the server said so
    std::uint64_t ended_inferred = 0; ///< it was concluded
    prometheus::Histogram took{durations};
};

struct watched_server {
    activities_of_type& of(std::string_view type);

    std::map<std::string, activities_of_type, std::less<>> types;
    std::map<std::string, activities_of_type*, std::less<>> running; ///< by uuid
    connection_status connection;
    std::optional<bool> authorised;
    std::optional<metrics::time> last_event;
};

// A label may hold any text but what ends the exposition's line for some reader of it.
activities_of_type& watched_server::of(std::string_view type)
{
    std::string name = protocol::terminal_safe(type);
    auto const known = types.find(name);
    if (known != types.end())
        return known->second;
    if (types.size() >= metrics::most_types)
        name = "other";
    return types[name];
}

template <class Duration>
double seconds(Duration d)
{
    return std::chrono::duration<double>(d).count();
}

/// A number, or nothing while it is not known.
using number = std::optional<double>;

number age(std::optional<std::chrono::steady_clock::duration> const& since)
{
    return since ? number(seconds(*since)) : std::nullopt;
}

number count(std::uint64_t n)
{
    return static_cast<double>(n);
}

struct asked_of_client {
    char const* name;
    char const* help;
    MetricType type;
    number (*value)(counters const&);
};

constexpr asked_of_client of_clients[] = {
    {"plex_feed_events_total", "Events of activities that the server has sent.", MetricType::Counter,
     [](counters const& c) { return count(c.events); }},
    {"plex_feed_malformed_total", "Messages and entries of the feed that could not be read.", MetricType::Counter,
     [](counters const& c) { return count(c.malformed); }},
    {"plex_feed_conflated_total", "Updates that were left out because this service was slow.", MetricType::Counter,
     [](counters const& c) { return count(c.conflated); }},
    {"plex_feed_reconnects_total", "Connections of the feed that were opened after the first.", MetricType::Counter,
     [](counters const& c) { return count(c.reconnects); }},
    {"plex_feed_queue_depth", "Events that this service has not taken yet.", MetricType::Gauge,
     [](counters const& c) { return count(c.pending); }},
    {"plex_feed_silent_seconds", "Since the server was last heard on the open feed, pongs too.", MetricType::Gauge,
     [](counters const& c) { return age(c.since_last_sign); }},
    {"plex_feed_last_snapshot_age_seconds", "Since the list of what runs was last compared with the feed.",
     MetricType::Gauge, [](counters const& c) { return age(c.since_last_snapshot); }},
};

constexpr connection_state states[] = {connection_state::idle,        connection_state::connecting,
                                       connection_state::connected,   connection_state::reconciled,
                                       connection_state::interrupted, connection_state::ended};
constexpr transport transports[] = {transport::websocket, transport::eventsource, transport::polling};

/// A family that is being written down.
struct family : prometheus::MetricFamily {
    family(char const* its_name, char const* its_help, MetricType its_type)
    {
        name = its_name;
        help = its_help;
        type = its_type;
    }
    void add(labels of, ClientMetric m)
    {
        m.label = std::move(of);
        metric.push_back(std::move(m));
    }
    void add(labels of, double value)
    {
        ClientMetric m;
        (type == MetricType::Counter ? m.counter.value : m.gauge.value) = value;
        add(std::move(of), std::move(m));
    }
};

} // namespace

struct metrics::state {
    explicit state(counters_function f) : counters_of(std::move(f)) {}

    watched_server* find(std::string const& name)
    {
        auto const found = servers.find(name);
        return found == servers.end() ? nullptr : &found->second;
    }
    void tell_activities(std::vector<prometheus::MetricFamily>&) const;
    void tell_connections(std::vector<prometheus::MetricFamily>&, time now) const;
    void tell_clients(std::vector<prometheus::MetricFamily>&) const;

    counters_function counters_of;
    std::map<std::string, watched_server> servers;
    prometheus::Registry own;
};

metrics::metrics(counters_function f) : state_(std::make_unique<state>(std::move(f))) {}

metrics::~metrics() = default;

prometheus::Registry& metrics::own() noexcept
{
    return state_->own;
}

prometheus::Gauge& metrics::own_gauge(char const* name, char const* help)
{
    return prometheus::BuildGauge().Name(name).Help(help).Register(own()).Add({});
}

void metrics::configured(std::vector<std::string> const& names)
{
    std::erase_if(state_->servers,
                  [&](auto const& s) { return std::find(names.begin(), names.end(), s.first) == names.end(); });
    for (std::string const& name : names)
        state_->servers.try_emplace(name);
}

void metrics::event(std::string const& server, activity_event const& e)
{
    watched_server* const s = state_->find(server);
    if (!s)
        return;
    s->last_event = e.at;
    auto known = s->running.find(e.activity.uuid());
    if (known == s->running.end()) {
        activities_of_type& begins = s->of(e.activity.type());
        ++begins.running;
        known = s->running.emplace(e.activity.uuid(), &begins).first;
    }
    if (e.kind != event_kind::ended)
        return;
    activities_of_type& ends = *known->second;
    s->running.erase(known);
    --ends.running;
    ++(e.inferred ? ends.ended_inferred : ends.ended);
    if (!e.inferred && e.started_at) // else it is not known how long it took
        ends.took.Observe(std::max(0.0, seconds(e.at - *e.started_at)));
}

void metrics::connection(std::string const& server, connection_status const& now)
{
    watched_server* const s = state_->find(server);
    if (!s)
        return;
    s->connection = now;
    if (now.state == connection_state::connected || now.state == connection_state::reconciled)
        s->authorised = true;
    else if (now.last_error == errc::unauthorized || now.last_error == errc::forbidden)
        s->authorised = false;
}

void metrics::state::tell_activities(std::vector<prometheus::MetricFamily>& all) const
{
    family running("plex_activities_running", "Activities that run, by type.", MetricType::Gauge);
    family ended("plex_activities_ended_total",
                 "Activities that have ended; inferred where the server did not say so and it was concluded.",
                 MetricType::Counter);
    family took("plex_activity_duration_seconds", "How long activities ran whose start and end the server has told.",
                MetricType::Histogram);
    for (auto const& [name, s] : servers) {
        for (auto const& [type, a] : s.types) {
            labels const both{{"server", protocol::terminal_safe(name)}, {"type", type}};
            running.add(both, static_cast<double>(a.running));
            took.add(both, a.took.Collect());
            labels how = both;
            how.push_back({"inferred", "false"});
            ended.add(how, static_cast<double>(a.ended));
            how.back().value = "true";
            ended.add(how, static_cast<double>(a.ended_inferred));
        }
    }
    all.insert(all.end(), {running, ended, took});
}

void metrics::state::tell_connections(std::vector<prometheus::MetricFamily>& all, time now) const
{
    family stands("plex_feed_state", "1 for how the feed stands, 0 for the other states.", MetricType::Gauge);
    family by("plex_feed_transport", "1 for the transport in use, 0 for the others.", MetricType::Gauge);
    family authorised("plex_feed_authorised", "0 once the server has refused the token, 1 once it has let us in.",
                      MetricType::Gauge);
    family last_event("plex_feed_last_event_age_seconds", "Since the last event of an activity.", MetricType::Gauge);
    for (auto const& [name, s] : servers) {
        labels const one{{"server", protocol::terminal_safe(name)}};
        auto const with = [&](char const* label, std::string_view value) {
            labels both = one;
            both.push_back({label, std::string(value)});
            return both;
        };
        for (connection_state const each : states)
            stands.add(with("state", to_string(each)), each == s.connection.state ? 1 : 0);
        for (transport const each : transports)
            by.add(with("transport", to_string(each)), each == s.connection.transport ? 1 : 0);
        if (s.authorised)
            authorised.add(one, *s.authorised ? 1 : 0);
        if (s.last_event)
            last_event.add(one, std::max(0.0, seconds(now - *s.last_event)));
    }
    all.insert(all.end(), {stands, by, authorised, last_event});
}

void metrics::state::tell_clients(std::vector<prometheus::MetricFamily>& all) const
{
    std::vector<family> families;
    for (asked_of_client const& each : of_clients)
        families.emplace_back(each.name, each.help, each.type);
    for (auto const& [name, s] : servers) {
        std::optional<counters> const counted = counters_of(name);
        for (std::size_t i = 0; counted && i != families.size(); ++i)
            if (number const value = of_clients[i].value(*counted))
                families[i].add({{"server", protocol::terminal_safe(name)}}, *value);
    }
    all.insert(all.end(), families.begin(), families.end());
}

std::string metrics::text(time now) const
{
    std::vector<prometheus::MetricFamily> all;
    state_->tell_activities(all);
    state_->tell_connections(all, now);
    state_->tell_clients(all);
    std::erase_if(all, [](prometheus::MetricFamily const& f) { return f.metric.empty(); });
    std::vector<prometheus::MetricFamily> own = state_->own.Collect();
    std::move(own.begin(), own.end(), std::back_inserter(all));
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, all);
    return std::move(out).str();
}

metrics::totals metrics::count() const noexcept
{
    totals all;
    all.servers = state_->servers.size();
    for (auto const& [name, s] : state_->servers) {
        all.live += s.connection.state == connection_state::reconciled ? 1 : 0;
        all.running += s.running.size();
    }
    return all;
}

std::string metrics::none_live() const
{
    if (count().live != 0)
        return {};
    std::string why = "no server is live";
    for (auto const& [name, s] : state_->servers) {
        why += why.find(':') == why.npos ? ": " : "; ";
        why += name + ": " + std::string(to_string(s.connection.state));
        if (s.connection.last_error)
            why += ": " + s.connection.diagnostics.message();
    }
    return protocol::terminal_safe(why);
}

} // namespace plex::service
