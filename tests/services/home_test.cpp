#include "mqtt/home.hpp"

#include "catch.hpp"

#include <plex/json.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

using namespace plex;
using namespace plex::mqtt;

namespace {

using strings = std::vector<std::string>;

// "TOPIC PAYLOAD", without what only makes a device known.
strings states(std::vector<message> const& all)
{
    strings out;
    for (message const& m : all)
        if (!m.topic.starts_with("homeassistant/"))
            out.push_back(m.topic + (m.payload.empty() ? "" : " ") + m.payload);
    return out;
}

strings discovered(std::vector<message> const& all)
{
    strings out;
    for (message const& m : all)
        if (m.topic.starts_with("homeassistant/"))
            out.push_back(m.topic);
    return out;
}

activity_event told(event_kind kind, std::string const& rest)
{
    activity_event e;
    e.kind = kind;
    e.at = std::chrono::system_clock::time_point(std::chrono::hours(12));
    std::optional<activity> const a = activity_from_json_text("{" + rest + "}");
    REQUIRE(a);
    e.activity = *a;
    return e;
}

std::string scan(std::string const& uuid, int progress, std::string const& section = "3")
{
    std::string text = R"("uuid":")" + uuid +
                       R"(","type":"library.update.section","title":"Scanning Movies","progress":)" +
                       std::to_string(progress);
    return section.empty() ? text : text + R"(,"Context":{"librarySectionID":")" + section + "\"}";
}

struct scene {
    scene() { shown.configured({"cabin"}); }
    home shown{topics("p", "homeassistant", "1.0")};
    std::string const at = "p/cabin/library.update.section/3";

    strings event(event_kind kind, std::string const& rest) { return states(shown.event("cabin", told(kind, rest))); }
};

} // namespace

TEST_CASE("a scan is a device of its section that runs, moves and has finished")
{
    scene s;
    std::vector<message> const first = s.shown.event("cabin", told(event_kind::started, scan("u", 0)));
    CHECK(discovered(first).size() == 3);
    CHECK(states(first) == strings{s.at + "/running ON"});
    CHECK(states(s.shown.progress()) == strings{s.at + "/progress 0"});
    CHECK(s.event(event_kind::updated, scan("u", 30)).empty());
    CHECK(states(s.shown.progress()) == strings{s.at + "/progress 30"});
    CHECK(s.shown.progress().empty());
    CHECK(s.event(event_kind::ended, scan("u", 100)) ==
          strings{s.at + "/running OFF", s.at + "/progress None", s.at + "/finished 1970-01-01T12:00:00.000Z"});
    CHECK(s.shown.progress().empty());
    CHECK(discovered(s.shown.event("cabin", told(event_kind::started, scan("v", 0)))).empty()); // it is known
}

TEST_CASE("a scan counts once it has said of which section it is")
{
    scene s;
    CHECK(s.event(event_kind::started, scan("u", 0, "")).empty());
    CHECK(s.event(event_kind::updated, scan("u", 1)) == strings{s.at + "/running ON"});
    CHECK(s.event(event_kind::started, scan("v", 0, "")).empty());
    CHECK(s.event(event_kind::ended, scan("v", 0, "")) ==
          strings{"p/cabin/library.update.section/finished 1970-01-01T12:00:00.000Z"});
}

TEST_CASE("a device runs until the last of its activities has ended, and is as far as the least of them")
{
    scene s;
    s.event(event_kind::started, scan("u", 80));
    CHECK(s.event(event_kind::started, scan("v", 10)).empty());
    CHECK(states(s.shown.progress()) == strings{s.at + "/progress 10"});
    CHECK(s.event(event_kind::ended, scan("v", 100)) == strings{s.at + "/finished 1970-01-01T12:00:00.000Z"});
    CHECK(states(s.shown.progress()) == strings{s.at + "/progress 80"});
    CHECK(s.event(event_kind::ended, scan("u", 100)).front() == s.at + "/running OFF");
}

TEST_CASE("an activity without a section is of its type's device, and one that names a section later moves to that")
{
    scene s;
    std::string const of_type = R"("uuid":"u","type":"media.download")";
    CHECK(s.event(event_kind::started, of_type) == strings{"p/cabin/media.download/running ON"});
    CHECK(s.event(event_kind::updated, of_type + R"(,"Context":{"librarySectionID":"3"})") ==
          strings{"p/cabin/media.download/running OFF", "p/cabin/media.download/progress None",
                  "p/cabin/media.download/3/running ON"});
}

TEST_CASE("a server is available while what is known of it is so, and one that is not configured any more is forgotten")
{
    home shown(topics("p", "homeassistant", "1.0"));
    CHECK(states(shown.configured({"a", "b"})) == strings{"p/a/availability offline", "p/b/availability offline"});
    CHECK(states(shown.connection("a", connection_state::connected)).empty());
    CHECK(states(shown.connection("a", connection_state::reconciled)) == strings{"p/a/availability online"});
    CHECK(states(shown.connection("a", connection_state::reconciled)).empty());
    CHECK(states(shown.connection("a", connection_state::interrupted)) == strings{"p/a/availability offline"});
    shown.event("a", told(event_kind::started, scan("u", 0)));
    std::vector<message> const back = shown.configured({"b"});
    CHECK(back.size() == 7);
    CHECK(std::all_of(back.begin(), back.end(), [](message const& m) { return m.payload.empty(); }));
    CHECK(shown.event("a", told(event_kind::updated, scan("u", 1))).empty());
    CHECK(shown.connection("a", connection_state::reconciled).empty());
}

TEST_CASE("what ran by the account of an earlier run, and does not, is told to be off once that is known")
{
    scene s;
    s.shown.kept(s.at + "/running", "ON");
    s.shown.kept("p/cabin/library.update.section/4/running", "ON");
    s.shown.kept("p/cabin/library.update.section/5/running", "OFF");
    s.shown.kept("p/other/library.update.section/4/running", "ON");
    CHECK(s.shown.progress().empty());
    s.event(event_kind::started, scan("u", 0)); // this one does
    s.shown.progress();
    s.shown.connection("cabin", connection_state::reconciled);
    CHECK(states(s.shown.progress()) ==
          strings{"p/cabin/library.update.section/4/running OFF", "p/cabin/library.update.section/4/progress None"});
    CHECK(s.shown.progress().empty());
}

TEST_CASE("a server that invents types has no more than 200 devices")
{
    scene s;
    std::size_t devices = 0;
    for (int i = 0; i != 300; ++i)
        devices += discovered(s.shown.event("cabin",
                                            told(event_kind::started, R"("uuid":"u)" + std::to_string(i) +
                                                                          R"(","type":"t)" + std::to_string(i) + "\"")))
                       .size() /
                   3;
    CHECK(devices == 200);
    CHECK(s.event(event_kind::ended, R"("uuid":"u299","type":"t299")").empty());
}

TEST_CASE("a topic has letters, digits, dots, dashes and lines alone, and two names have two topics")
{
    CHECK(part("library.update.section") == "library.update.section");
    std::set<std::string> all;
    strings const names = {"a b", "a/b", "a#b", "a+b", "a_b", "", std::string(65, 'x'), std::string(66, 'x'),
                           "é",   "\x01"};
    for (std::string const& name : names) {
        std::string const p = part(name);
        CAPTURE(name, p);
        CHECK_FALSE(p.empty());
        CHECK(p.size() <= 80);
        CHECK(p.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == p.npos);
        all.insert(p);
    }
    CHECK(all.size() == names.size());
}

TEST_CASE("a cancel's topic names a server, and no other topic does")
{
    topics const t("a/b", "homeassistant", "1.0");
    CHECK(t.cancel("x") == "a/b/x/cancel");
    CHECK(t.cancelled_at("a/b/x/cancel") == "x");
    for (char const* other : {"a/b/cancel", "a/b//cancel/x", "a/b/x/y/cancel", "x/cancel", "a/b/x/running", ""})
        CHECK(t.cancelled_at(other).empty());
    home shown(t);
    shown.configured({"living room"});
    CHECK(shown.server_of(part("living room")) == "living room");
    CHECK_FALSE(shown.server_of("living room"));
}

TEST_CASE("a hostile title is shown as text of bounded length, and in no topic")
{
    scene s;
    std::string const nasty = R"("uuid":"u","type":"a/../#","title":"\u001b[2Jx\n\u202e)" + std::string(5'000, 'y') +
                              R"(","Context":{"librarySectionID":"+/#"})";
    std::vector<message> const all = s.shown.event("cabin", told(event_kind::started, nasty));
    REQUIRE(all.size() == 4);
    for (message const& m : all) {
        CHECK(m.topic.find_first_of("#+") == std::string::npos);
        CHECK(m.payload.size() < 2'000);
        if (m.topic.starts_with("homeassistant/")) {
            std::string const name(boost::json::parse(m.payload).at("device").at("name").as_string());
            CHECK(name.find('\x1b') == std::string::npos);
            CHECK(name.find('\n') == std::string::npos);
            CHECK(name.find("\u202e") == std::string::npos);
        }
    }
}
