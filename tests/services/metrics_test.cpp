#include "services/metrics.hpp"

#include "catch.hpp"
#include "command/made_up.hpp"

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <chrono>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

using plex::connection_state;
using plex::errc;
using plex::event_kind;
using plex::service::metrics;
using namespace std::chrono_literals;

namespace {

metrics::time const noon{std::chrono::hours(500'000)};

/// Of one activity, at so long after noon.
plex::activity_event happens(event_kind kind, std::string const& uuid, std::chrono::milliseconds at = 0ms,
                             std::string const& type = "media.download")
{
    plex::test::fields f;
    f.uuid = uuid;
    f.type = type;
    f.title = "A private title";
    plex::activity_event e = plex::test::event(kind, f);
    e.at = noon + at;
    return e;
}

plex::connection_status is(connection_state state, errc why = {}, std::string message = {})
{
    plex::connection_status s;
    s.state = state;
    if (why != errc{}) {
        s.last_error = why;
        plex::diagnostics::content said;
        said.message = std::move(message);
        s.diagnostics = plex::diagnostics(said);
    }
    return s;
}

struct scene {
    explicit scene(std::vector<std::string> const& servers = {"a"}) { shown.configured(servers); }

    /// Each series with its value, as Prometheus reads them.
    std::map<std::string, double> series(metrics::time now = noon) const
    {
        std::map<std::string, double> all;
        std::istringstream in(shown.text(now));
        for (std::string line; std::getline(in, line);) {
            if (line.starts_with('#'))
                continue;
            std::size_t const space = line.rfind(' ');
            bool const is_new = all.emplace(line.substr(0, space), std::stod(line.substr(space))).second;
            CHECK(is_new);
        }
        return all;
    }
    bool tells_of(std::string const& part) const { return shown.text(noon).find(part) != std::string::npos; }

    std::map<std::string, plex::counters> counted;
    metrics shown{[this](std::string const& server) {
        auto const found = counted.find(server);
        return found == counted.end() ? std::optional<plex::counters>() : found->second;
    }};
};

std::string running(std::string const& type)
{
    return "plex_activities_running{server=\"a\",type=\"" + type + "\"}";
}
std::string ended(std::string const& inferred)
{
    return "plex_activities_ended_total{server=\"a\",type=\"media.download\",inferred=\"" + inferred + "\"}";
}
std::string took(std::string const& part, std::string const& le = {})
{
    return "plex_activity_duration_seconds_" + part + "{server=\"a\",type=\"media.download\"" +
           (le.empty() ? "" : ",le=\"" + le + '"') + '}';
}
std::string of_feed(std::string const& name, std::string const& more = {})
{
    return "plex_feed_" + name + "{server=\"a\"" + more + '}';
}

} // namespace

TEST_CASE("what runs is counted by server and type, and what has ended leaves a nought")
{
    scene s({"a", "b"});
    s.shown.event("a", happens(event_kind::started, "one"));
    s.shown.event("a", happens(event_kind::updated, "one"));
    s.shown.event("a", happens(event_kind::updated, "two")); // as after a reload
    s.shown.event("a", happens(event_kind::started, "three", 0ms, "butler"));
    s.shown.event("b", happens(event_kind::started, "one"));
    s.shown.event("stranger", happens(event_kind::started, "one"));
    auto all = s.series();
    CHECK(all.at(running("media.download")) == 2);
    CHECK(all.at(running("butler")) == 1);
    CHECK(all.at(R"(plex_activities_running{server="b",type="media.download"})") == 1);
    CHECK_FALSE(s.tells_of("stranger"));
    CHECK(s.shown.count().running == 4);

    s.shown.event("a", happens(event_kind::ended, "one"));
    s.shown.event("a", happens(event_kind::ended, "three", 0ms, "butler"));
    all = s.series();
    CHECK(all.at(running("media.download")) == 1);
    CHECK(all.at(running("butler")) == 0);
    CHECK(all.at(R"(plex_activities_running{server="b",type="media.download"})") == 1);
}

TEST_CASE("how long it took is known of what was seen to begin and end; an end that was concluded is counted apart")
{
    scene s;
    auto const ends = [&](std::string const& uuid, bool inferred, bool start_seen, std::chrono::milliseconds at) {
        s.shown.event("a", happens(event_kind::started, uuid));
        plex::activity_event e = happens(event_kind::ended, uuid, at);
        e.inferred = inferred;
        if (start_seen)
            e.started_at = noon;
        s.shown.event("a", e);
    };
    ends("seen", false, true, 20s);
    ends("seen too", false, true, 2min);
    ends("ran before us", false, false, 20s);
    ends("concluded", true, true, 20s);
    ends("the clock was set back", false, true, -20s);
    auto const all = s.series();
    CHECK(all.at(ended("false")) == 4);
    CHECK(all.at(ended("true")) == 1);
    CHECK(all.at(took("count")) == 3);
    CHECK(all.at(took("sum")) == 140);
    CHECK(all.at(took("bucket", "15")) == 1);
    CHECK(all.at(took("bucket", "60")) == 2);
    CHECK(all.at(took("bucket", "300")) == 3);
    CHECK(all.at(took("bucket", "+Inf")) == 3);
}

TEST_CASE("the feed stands in one state and has one transport, or none")
{
    scene s;
    CHECK(s.series().at(of_feed("state", ",state=\"idle\"")) == 1);
    plex::connection_status now = is(connection_state::reconciled);
    now.transport = plex::transport::eventsource;
    s.shown.connection("a", now);
    auto all = s.series();
    double states = 0;
    for (auto const& [name, value] : all)
        states += name.starts_with("plex_feed_state{") ? value : 0;
    CHECK(states == 1);
    CHECK(all.at(of_feed("state", ",state=\"reconciled\"")) == 1);
    CHECK(all.at(of_feed("state", ",state=\"interrupted\"")) == 0);
    CHECK(all.at(of_feed("transport", ",transport=\"eventsource\"")) == 1);
    CHECK(all.at(of_feed("transport", ",transport=\"websocket\"")) == 0);
    s.shown.connection("a", is(connection_state::interrupted));
    all = s.series();
    CHECK(all.at(of_feed("state", ",state=\"interrupted\"")) == 1);
    CHECK(all.at(of_feed("transport", ",transport=\"eventsource\"")) == 0);
}

TEST_CASE("a server that refuses the token is told of, until it takes it")
{
    scene s;
    s.shown.connection("a", is(connection_state::connecting));
    CHECK_FALSE(s.tells_of("plex_feed_authorised"));
    s.shown.connection("a", is(connection_state::interrupted, errc::connection_failed, "away"));
    CHECK_FALSE(s.tells_of("plex_feed_authorised"));
    for (errc const why : {errc::unauthorized, errc::forbidden}) {
        s.shown.connection("a", is(connection_state::ended, why, "refused"));
        CHECK(s.series().at(of_feed("authorised")) == 0);
        s.shown.connection("a", is(connection_state::connecting));
        CHECK(s.series().at(of_feed("authorised")) == 0);
        s.shown.connection("a", is(connection_state::connected));
        CHECK(s.series().at(of_feed("authorised")) == 1);
    }
    s.shown.connection("a", is(connection_state::interrupted, errc::connection_failed, "away"));
    CHECK(s.series().at(of_feed("authorised")) == 1);
}

TEST_CASE("what a client has counted is told, and what is not known yet is left out")
{
    scene s({"a", "b"});
    CHECK_FALSE(s.tells_of("plex_feed_reconnects_total"));
    CHECK_FALSE(s.tells_of("plex_feed_last_event_age_seconds"));
    plex::counters& c = s.counted["a"];
    c.events = 7;
    c.malformed = 6;
    c.conflated = 5;
    c.reconnects = 4;
    c.pending = 3;
    CHECK_FALSE(s.tells_of("plex_feed_silent_seconds"));
    CHECK_FALSE(s.tells_of("plex_feed_last_snapshot_age_seconds"));
    c.since_last_sign = 2500ms;
    c.since_last_snapshot = 90s;
    s.shown.event("a", happens(event_kind::started, "one"));
    auto const all = s.series(noon + 30s);
    CHECK(all.at(of_feed("events_total")) == 7);
    CHECK(all.at(of_feed("malformed_total")) == 6);
    CHECK(all.at(of_feed("conflated_total")) == 5);
    CHECK(all.at(of_feed("reconnects_total")) == 4);
    CHECK(all.at(of_feed("queue_depth")) == 3);
    CHECK(all.at(of_feed("silent_seconds")) == 2.5);
    CHECK(all.at(of_feed("last_snapshot_age_seconds")) == 90);
    CHECK(all.at(of_feed("last_event_age_seconds")) == 30);
    CHECK(all.count("plex_feed_events_total{server=\"b\"}") == 0);
}

TEST_CASE("a server that is configured no more is told of no more, and one that stays keeps what is known")
{
    scene s({"a", "b"});
    s.counted["b"].events = 1;
    s.shown.event("a", happens(event_kind::started, "one"));
    s.shown.event("b", happens(event_kind::started, "one"));
    s.shown.connection("b", is(connection_state::reconciled));
    CHECK(s.tells_of("\"b\""));
    s.shown.configured({"c", "a"});
    CHECK_FALSE(s.tells_of("\"b\""));
    CHECK(s.tells_of("\"c\""));
    CHECK(s.series().at(running("media.download")) == 1);
    s.shown.configured({"a", "b"});
    auto const all = s.series();
    CHECK(all.count(R"(plex_activities_running{server="b",type="media.download"})") == 0);
    CHECK(all.at(R"(plex_feed_state{server="b",state="reconciled"})") == 0);
}

TEST_CASE("a server that invents types gets fifty, and the rest counts as other")
{
    scene s;
    for (int i = 0; i < 1000; ++i)
        s.shown.event("a", happens(event_kind::started, std::to_string(i), 0ms, "type." + std::to_string(i)));
    auto all = s.series();
    double sum = 0;
    int types = 0;
    for (auto const& [name, value] : all)
        if (name.starts_with("plex_activities_running")) {
            sum += value;
            ++types;
        }
    CHECK(types == 51);
    CHECK(sum == 1000);
    CHECK(all.at(running("other")) == 950);
    s.shown.event("a", happens(event_kind::ended, "999", 0ms, "type.999"));
    s.shown.event("a", happens(event_kind::ended, "0", 0ms, "type.0"));
    all = s.series();
    CHECK(all.at(running("other")) == 949);
    CHECK(all.at(running("type.0")) == 0);
}

TEST_CASE("whatever servers and types are called, each series is a line, and no title is told")
{
    std::string const name = "the \"living\\room\"";
    scene s({name});
    s.shown.event(name, happens(event_kind::started, "one", 0ms, "a\"} 1\nplex_evil 1\r\x1b[2J"));
    s.shown.event(name, happens(event_kind::started, "two", 0ms, std::string("nul\0nul", 7)));
    auto const all = s.series();
    std::string const server = R"(server="the \"living\\room\"")";
    CHECK(all.at("plex_activities_running{" + server + R"(,type="a\"} 1 plex_evil 1 [2J"})") == 1);
    CHECK(all.at("plex_activities_running{" + server + R"(,type="nulnul"})") == 1);
    CHECK_FALSE(s.tells_of("private"));
}

TEST_CASE("what a service measures beside the servers stands with the rest")
{
    scene s;
    prometheus::BuildGauge().Name("plex_made_up").Help("Made up.").Register(s.shown.own()).Add({}).Set(12);
    CHECK(s.series().at("plex_made_up") == 12);
}

TEST_CASE("while no server is live it is told why, of each")
{
    scene s({"a", "b"});
    CHECK(s.shown.none_live() == "no server is live: a: idle; b: idle");
    s.shown.connection("a", is(connection_state::interrupted, errc::connection_failed, "GET http://a: refused"));
    s.shown.connection("b", is(connection_state::connecting));
    CHECK(s.shown.none_live() == "no server is live: a: interrupted: GET http://a: refused; b: connecting");
    CHECK(s.shown.count().live == 0);
    s.shown.connection("b", is(connection_state::reconciled));
    CHECK(s.shown.none_live().empty());
    CHECK(s.shown.count().live == 1);
    CHECK(s.shown.count().servers == 2);
}
