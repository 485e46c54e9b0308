// Recorded sessions, read and played.
#include "feed_fixture.hpp"
#include "raw_client.hpp"

#include <plex/testing/recording.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <sstream>

using namespace plex;
using namespace plex::test;
using plex::testing::read_recording;
using plex::testing::recording;

namespace {

std::string const head = R"({"recording":"plex-activities","version":1,"date":"2026-11-24","transport":"automatic"})";
std::string const websocket = R"("connection":"connected","transport":"websocket"})";
std::string const eventsource = R"("connection":"connected","transport":"eventsource"})";
std::string const polling = R"("connection":"connected","transport":"polling"})";
std::string const interrupted = R"("connection":"interrupted","error":"connection failed"})";

std::string one(std::string const& uuid, int progress)
{
    return R"({"uuid":")" + uuid +
           R"(","type":"media.download","cancellable":true,"userID":2,"title":"Xxx","subtitle":)" +
           R"("","progress":)" + std::to_string(progress) + R"(,"userStopped":false})";
}

std::string entry(std::string const& event, std::string const& uuid, int progress)
{
    return R"({"event":")" + event + R"(","uuid":")" + uuid + R"(","Activity":)" + one(uuid, progress) + "}";
}

std::string heard(std::string const& event, std::string const& uuid, int progress)
{
    return R"("notification":{"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[)" +
           entry(event, uuid, progress) + R"(]}},"bytes":300})";
}

std::string list(std::string const& activities)
{
    return R"("list":{"MediaContainer":{"size":1)" + (activities.empty() ? "" : ",\"Activity\":[" + activities + "]") +
           R"(}},"bytes":300})";
}

/// A recording whose lines come some milliseconds apart.
recording session(std::vector<std::string> const& lines)
{
    std::string text = head + "\n";
    int at = 0;
    for (std::string const& line : lines)
        text += R"({"ms":)" + std::to_string(at += 20) + "," + line + "\n";
    std::istringstream in(text);
    return read_recording(in);
}

/// Plays it to a client, and gives so many events.
std::vector<std::string> played(served& s, recording const& what, std::size_t count)
{
    client c(s.io.get_executor(), s.settings);
    feed f = c.subscribe();
    asio::co_spawn(s.io, s.server.play(what), asio::detached);
    std::vector<std::string> told;
    auto body = [&]() -> asio::awaitable<void> { told = co_await take(f, count); };
    s.run(c, body());
    return told;
}

std::string refusal(std::string const& text)
{
    std::istringstream in(text);
    try {
        read_recording(in);
    } catch (std::runtime_error const& e) {
        return e.what();
    }
    return "none";
}

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("a recording is played as it came: what the list showed, what was told, in order")
{
    served s;
    recording const what =
        session({websocket, list(one("runs", 5)), heard("updated", "runs", 6), heard("started", "new", 0),
                 heard("ended", "runs", 100), heard("ended", "new", 100)});
    CHECK(what.size() == 6);
    CHECK(what.duration() == 120ms);
    CHECK(played(s, what, 5) ==
          strings{"started! runs 5", "updated runs 6", "started new 0", "ended runs 100", "ended new 100"});
    std::vector<testing::told_event> const truth = s.server.truth();
    CHECK(truth.size() == 4);
    CHECK(s.server.running().empty());
}

TEST_CASE("a recorded event stream and a recorded WebSocket are told over either transport")
{
    bool const recorded_as_events = GENERATE(false, true);
    plex::transport const heard_over = GENERATE(transport::websocket, transport::eventsource);
    served s;
    s.settings.transport = heard_over;
    std::string const message = recorded_as_events
                                    ? R"("notification":{"ActivityNotification":)" + entry("started", "a", 1) + "}}"
                                    : R"("notification":{"NotificationContainer":{"type":"activity","size":2,)"
                                      R"("ActivityNotification":[)" +
                                          entry("started", "a", 1) + "," + entry("started", "b", 2) + "]}}}";
    recording const what = session({recorded_as_events ? eventsource : websocket, list(""), message,
                                    recorded_as_events ? heard("started", "b", 2) : heard("updated", "b", 3)});
    strings expected{"started a 1", "started b 2"};
    if (!recorded_as_events)
        expected.emplace_back("updated b 3");
    CHECK(played(s, what, expected.size()) == expected);
}

TEST_CASE("each transport has its own envelope, and the recorded one has it as it was sent")
{
    bool const recorded_as_events = GENERATE(false, true);
    std::string const object = entry("started", "a", 1);
    std::string const event = R"({"ActivityNotification":)" + object + "}";
    std::string const message =
        recorded_as_events
            ? R"({"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[)" + object + "]}}"
            : R"({"NotificationContainer":{"size":1,"ActivityNotification":[)" + object +
                  R"(],"type":"activity","more":{}}})";
    recording const what = session({recorded_as_events ? eventsource : websocket, list(""),
                                    R"("notification":)" + (recorded_as_events ? event : message) + "}"});
    served s;
    raw_client hearer(s.io, s.server.port());
    raw_client stream(s.io, s.server.port());
    auto body = [&]() -> asio::awaitable<void> {
        co_await hearer.upgrade();
        stream.request("GET", "/:/eventsource/notifications");
        co_await s.server.listeners_reached(2);
        co_await s.server.play(what, 0);
        raw_frame const heard_there = co_await hearer.frame();
        CHECK(heard_there.payload == message);
        s.server.close_listeners();
        std::string const streamed = co_await stream.rest();
        CHECK(streamed.find("event: activity\ndata: " + event + "\n\n") != std::string::npos);
        CHECK(streamed.find("NotificationContainer") == std::string::npos);
    };
    s.run(body());
}

TEST_CASE("the list follows what is played")
{
    served s;
    recording const what =
        session({websocket, list(one("stays", 5) + "," + one("goes", 5)), heard("updated", "stays", 6),
                 heard("started", "comes", 1), heard("ended", "goes", 100)});
    client c(s.io.get_executor(), s.settings);
    feed f = c.subscribe();
    auto body = [&]() -> asio::awaitable<void> {
        co_await s.server.play(what);
        std::vector<activity> const now = co_await c.get_server_activities();
        REQUIRE(now.size() == 2);
        CHECK(now[0].uuid() == "stays");
        CHECK(now[0].progress() == 6);
        CHECK(now[0].cancellable());
        CHECK(now[0].user_id() == 2);
        CHECK(now[0].extra().text("userStopped") == "false");
        CHECK(now[1].uuid() == "comes");
    };
    s.run(c, body());
}

TEST_CASE("where the recorded connection was lost the listener is dropped, and sees the list that came then")
{
    served s;
    recording const what =
        session({websocket, list(one("stays", 5) + "," + one("vanishes", 7)), heard("updated", "stays", 6), interrupted,
                 interrupted, websocket, list(one("stays", 6) + "," + one("comes", 1)), heard("updated", "comes", 2)});
    strings const told = played(s, what, 6);
    CHECK(strings(told.begin(), told.begin() + 3) ==
          strings{"started! stays 5", "started! vanishes 7", "updated stays 6"});
    CHECK(std::count(told.begin(), told.end(), "started! comes 1") == 1);
    CHECK(std::count(told.begin(), told.end(), "updated comes 2") == 1);
    CHECK(told.back() == "ended! vanishes 7");
}

TEST_CASE("a recorded connection that was lost before its list is lost again, with the list as it was")
{
    served s;
    recording const what = session({websocket, list(one("before", 1)), interrupted, websocket, interrupted, websocket,
                                    list(one("before", 1) + "," + one("after", 2)), heard("updated", "after", 3)});
    client c(s.io.get_executor(), s.settings);
    feed f = c.subscribe();
    asio::co_spawn(s.io, s.server.play(what), asio::detached);
    strings told;
    auto body = [&]() -> asio::awaitable<void> {
        for (int i = 0; i != 3; ++i) {
            strings const next = co_await take(f, 1);
            told.push_back(next.at(0) + " over connection " + std::to_string(s.server.counters().websocket_upgrades));
        }
    };
    s.run(c, body());
    CHECK(told == strings{"started! before 1 over connection 1", "started! after 2 over connection 3",
                          "updated after 3 over connection 3"});
}

TEST_CASE("what was told of an activity without a uuid is told again, and starts none")
{
    served s;
    std::string const nameless =
        R"("notification":{"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[)"
        R"({"event":"started","Activity":{"type":"media.download","title":"Xxx"}}]}},"bytes":200})";
    CHECK(played(s, session({websocket, list(""), nameless, heard("started", "a", 1)}), 1) == strings{"started a 1"});
    CHECK(s.server.truth().size() == 1);
}

TEST_CASE("what polling saw is told as events")
{
    served s;
    recording const what = session({list(one("a", 5)), polling, list(one("a", 9) + "," + one("b", 1)), list("")});
    CHECK(played(s, what, 5) == strings{"started! a 5", "updated a 9", "started b 1", "ended a 9", "ended b 1"});
}

TEST_CASE("a list that is older than what was told takes nothing back")
{
    served s;
    recording const what = session({websocket, list(""), heard("started", "new", 1), heard("started", "done", 1),
                                    heard("ended", "done", 100), list(one("done", 1))});
    client c(s.io.get_executor(), s.settings);
    feed const f = c.subscribe();
    s.run(s.server.play(what));
    recording const later = session({list(one("done", 1)), list(one("x", 1))});
    std::vector<testing::fake_activity> const running = s.server.running();
    REQUIRE(running.size() == 1);
    CHECK(running[0].uuid == "new");
    s.run(s.server.play(later)); // ... and one that is not does
    CHECK(s.server.running().at(0).uuid == "x");
}

TEST_CASE("a message that was malformed when it was recorded is malformed when it is played")
{
    served s;
    s.settings.transport = GENERATE(transport::websocket, transport::eventsource);
    recording const what = session({websocket, list(""), R"("malformed":"notification","why":"no JSON","bytes":200})",
                                    R"("malformed":"list","why":"no JSON","bytes":200})", heard("started", "a", 1)});
    client c(s.io.get_executor(), s.settings);
    feed f = c.subscribe();
    auto body = [&]() -> asio::awaitable<void> {
        co_await s.server.play(what, 0);
        strings const told = co_await take(f, 1);
        CHECK(told == strings{"started a 1"});
    };
    s.run(c, body());
    CHECK(c.counters().malformed == 1);
}

TEST_CASE("a recording is played at its own pace, or at another")
{
    double const speed = GENERATE(1.0, 20.0, 0.0);
    served s;
    recording const what = session({websocket, list(""), heard("started", "a", 1), heard("updated", "a", 2),
                                    heard("updated", "a", 3), heard("updated", "a", 4), heard("ended", "a", 100)});
    client c(s.io.get_executor(), s.settings);
    feed f = c.subscribe();
    std::chrono::steady_clock::duration took{};
    auto body = [&]() -> asio::awaitable<void> {
        co_await s.server.play(what, speed);
        std::vector<testing::told_event> const truth = s.server.truth();
        took = truth.back().at - truth.front().at;
    };
    s.run(c, body());
    auto const recorded = 80ms;
    if (speed != 1)
        CHECK(took < recorded);
    else
        CHECK(took > recorded - 10ms);
}

TEST_CASE("a server that is stopped plays no further")
{
    served s;
    std::string const far = head + "\n{\"ms\":1," + websocket + "\n{\"ms\":3600000," + heard("started", "a", 1) + "\n";
    std::istringstream in(far);
    recording const what = read_recording(in);
    client c(s.io.get_executor(), s.settings);
    feed f = c.subscribe();
    auto stop = [&]() -> asio::awaitable<void> {
        co_await s.server.listeners_reached(1);
        s.server.stop();
    };
    asio::co_spawn(s.io, stop(), asio::detached);
    s.run(s.server.play(what));
    CHECK(s.server.truth().empty());
}

TEST_CASE("what is no recording is refused by the number of the line, without its content")
{
    CHECK(refusal("") == "line 1 of the recording: there is none");
    CHECK(refusal("secret") == "line 1 of the recording: it is no JSON object");
    CHECK(refusal(R"({"recording":"other","version":1})") ==
          "line 1 of the recording: it is no recording of plex-activities");
    CHECK(refusal(R"({"recording":"plex-activities","version":2})") ==
          "line 1 of the recording: it is of a version that is not known here");
    CHECK(refusal(head + "\n{\"ms\":1," + websocket + "\n{\"ms\":") == "line 3 of the recording: it is no JSON object");
    CHECK(refusal(head + "\n{" + websocket) == "line 2 of the recording: a number is missing or out of range");
    CHECK(refusal(head + "\n{\"ms\":2," + websocket + "\n{\"ms\":1," + websocket) ==
          "line 3 of the recording: it is older than the one before it");
    CHECK(refusal(head + R"(
{"ms":2,"connection":"connected","transport":"pigeon"})") == "line 2 of the recording: an unknown transport");
    CHECK(refusal(head + R"(
{"ms":2,"malformed":"notification","bytes":99999999999})") ==
          "line 2 of the recording: a number is missing or out of range");
    CHECK(refusal(head + R"(
{"ms":2,"list":{"Activity":[]}})") == "line 2 of the recording: a list without a MediaContainer");
    CHECK(refusal(head + "\n{\"ms\":1,\"something\":\"new\"}\n") == "none");
}
