// The fake server is what the client is judged by, so it is judged here by the bytes it sends.
#include "fake_server_scene.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <map>
#include <thread>
#include <vector>

using namespace plex::test;
using namespace plex::testing;
using namespace std::chrono_literals;
namespace json = boost::json;

TEST_CASE("the list is JSON only for those who ask for it, and escaped in both forms")
{
    scene s;
    fake_activity activity("media.download", "Tom & \"Jerry\" <1>");
    activity.uuid = "u1";
    activity.progress = 42.5;
    activity.cancellable = true;
    activity.context_json = R"({"metadataID":5,"accessible":true})";
    activity.response_json = R"({"name":"value"})";
    activity.extra_json = R"({"userStopped":false})";
    s.server.start_activity(activity);
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        raw_reply const xml = co_await client.get("/activities");
        CHECK(xml.says("200 OK"));
        CHECK(xml.says("Content-Type: text/xml"));
        CHECK(xml.says("<MediaContainer size=\"1\">"));
        CHECK(xml.says("<Activity uuid=\"u1\" type=\"media.download\" cancellable=\"1\" userID=\"1\" "
                       "title=\"Tom &amp; &quot;Jerry&quot; &lt;1&gt;\" subtitle=\"\" progress=\"42.5\" "
                       "userStopped=\"0\">"));
        CHECK(xml.says("<Context metadataID=\"5\" accessible=\"1\" />"));
        CHECK(xml.says("<Response name=\"value\" />"));
        raw_reply const document = co_await client.get("/activities", as_json);
        CHECK(document.says("Content-Type: application/json"));
        json::value const list = json::parse(document.body);
        json::value const expected = json::parse(
            R"({"MediaContainer":{"size":1,"Activity":[{"uuid":"u1","type":"media.download","cancellable":true,
                "userID":1,"title":"Tom & \"Jerry\" <1>","subtitle":"","progress":42.5,
                "Context":{"metadataID":5,"accessible":true},"Response":{"name":"value"},"userStopped":false}]}})");
        CHECK(list == expected);
    };
    run(s.io, body());
    CHECK(s.server.requests().at(1).connection == s.server.requests().at(0).connection);
}

TEST_CASE("an empty list has no Activity field")
{
    scene s;
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        raw_reply const list = co_await client.get("/activities", as_json);
        CHECK(list.body == R"({"MediaContainer":{"size":0}})");
    };
    run(s.io, body());
}

TEST_CASE("a token is taken from the header and from the query, and anything else gets a page")
{
    fake_server_options options;
    options.token = "secret";
    options.base_path = "/plex";
    options.html_error_script = GENERATE(false, true);
    options.require_client_identifier = true;
    bool const script = options.html_error_script;
    scene s(options);
    CHECK(s.server.url() == "http://127.0.0.1:" + std::to_string(s.server.port()) + "/plex");
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        raw_reply const none = co_await client.get("/plex/activities", as_json);
        CHECK(none.says("401 Unauthorized"));
        CHECK(none.says("Content-Type: text/html"));
        CHECK(none.says("<title>Unauthorized</title>"));
        CHECK(none.says("<script>") == script);
        raw_reply const wrong = co_await client.get("/plex/activities", "X-Plex-Token: other\r\n");
        CHECK(wrong.says("401 Unauthorized"));
        raw_reply const nameless = co_await client.get("/plex/activities", "x-plex-token: secret\r\n");
        CHECK(nameless.says("400 Bad Request"));
        raw_reply const header =
            co_await client.get("/plex/activities", "x-plex-token: secret\r\nX-Plex-Client-Identifier: me\r\n");
        CHECK(header.says("200 OK"));
        raw_reply const query =
            co_await client.get("/plex/activities?X-Plex-Token=s%65cret&X-Plex-Client-Identifier=me");
        CHECK(query.says("200 OK"));
        raw_reply const feed = co_await client.upgrade();
        CHECK(feed.says("404 Not Found")); // outside the base path
        raw_reply const identity = co_await client.get("/plex/identity", as_json);
        CHECK(identity.says(s.server.machine_identifier()));
        s.server.set_token("new");
        raw_reply const old =
            co_await client.get("/plex/activities", "X-Plex-Token: secret\r\nX-Plex-Client-Identifier: me\r\n");
        CHECK(old.says("401 Unauthorized"));
    };
    run(s.io, body());
    seen_request const by_query = s.server.requests().at(4);
    CHECK(by_query.path == "/activities");
    CHECK(by_query.query_value("X-Plex-Token") == "secret");
    CHECK(by_query.header("HOST") == "test");
}

TEST_CASE("an activity is told as it starts, changes and ends, in that order, and is listed meanwhile")
{
    scene s;
    auto client = s.client();
    auto other = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await client.upgrade("?filters=activity");
        s.server.start_activity(named("a"));
        s.server.update_activity("a", 30, "One (1999)", R"({"librarySectionID":"3"})");
        raw_reply const list = co_await other.get("/activities", as_json);
        CHECK(list.says(R"x("subtitle":"One (1999)","progress":30,"Context":{"librarySectionID":"3"}})x"));
        s.server.end_activity("a");
        s.server.announce("updated", named("a"));
        raw_reply const after = co_await other.get("/activities", as_json);
        CHECK(after.says(R"("size":0)"));
        s.server.notify_raw("last");
        auto const heard = co_await heard_until(client, "last");
        CHECK(heard == std::vector<std::string>{"started a 0", "updated a 30", "ended a 100", "updated a 0"});
    };
    run(s.io, body());
    auto const truth = s.server.truth();
    REQUIRE(truth.size() == 3);
    CHECK(truth[1].event == "updated");
    CHECK(truth[1].subtitle == "One (1999)");
    CHECK(truth[0].at <= truth[2].at);
    CHECK_THROWS_AS(s.server.end_activity("a"), std::out_of_range);
    CHECK_THROWS_AS(s.server.update_activity("a", 1), std::out_of_range);
}

TEST_CASE("an activity that is replaced is told and listed as its new self, and one that does not run cannot be")
{
    scene s;
    auto client = s.client();
    auto other = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await client.upgrade("?filters=activity");
        s.server.start_activity(named("a"));
        fake_activity next = named("a");
        next.title = "one\ntwo\x01"; // in JSON as escapes
        next.progress = 30;
        next.user_id.reset();
        s.server.update_activity(next);
        raw_reply const list = co_await other.get("/activities", as_json);
        CHECK(list.says(R"("title":"one\u000atwo\u0001","subtitle":"","progress":30}])"));
        s.server.notify_raw("last");
        auto const heard = co_await heard_until(client, "last");
        CHECK(heard == std::vector<std::string>{"started a 0", "updated a 30"});
    };
    run(s.io, body());
    CHECK_THROWS_AS(s.server.update_activity(named("b")), std::out_of_range);
    s.server.forget_records();
    CHECK(s.server.requests().empty());
    CHECK(s.server.truth().empty());
    CHECK(s.server.running().size() == 1);
}

TEST_CASE("a cancel request is answered, and the end follows as an event")
{
    scene s;
    auto client = s.client();
    auto feed = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        fake_activity download = named("d");
        download.cancellable = true;
        download.progress = 7;
        s.server.start_activity(download);
        s.server.start_activity(named("s"));
        raw_reply const done = co_await client.ask("DELETE", "/activities/d");
        CHECK(done.says("200 OK"));
        CHECK(done.says("Content-Type: text/html"));
        CHECK(done.body.empty());
        std::vector<std::string> heard;
        while (heard.size() < 3) {
            raw_frame const frame = co_await feed.frame();
            heard.push_back(summary(frame.payload));
        }
        CHECK(heard.back() == "ended d 7");
        raw_reply const refused = co_await client.ask("DELETE", "/activities/s");
        CHECK(refused.says("400 Bad Request"));
        raw_reply const gone = co_await client.ask("DELETE", "/activities/d");
        CHECK(gone.says("404 Not Found"));
        CHECK(gone.says("<html>"));
    };
    run(s.io, body());
}

TEST_CASE("the documented calls name the activity they start, and a section refresh does not")
{
    struct call {
        char const *method, *target;
        bool names_it;
    };
    auto const asked = GENERATE(
        call{"GET", "/livetv/epg/lineup?device=1", true}, call{"POST", "/livetv/dvrs/3/reloadGuide", true},
        call{"POST", "/media/grabbers/devices/2/scan", true}, call{"POST", "/media/subscriptions/process", true},
        call{"POST", "/livetv/dvrs/3/channels/7/tune", true}, call{"GET", "/library/sections/3/refresh", false},
        call{"POST", "/library/sections/3/refresh", false}, call{"PUT", "/library/metadata/513/refresh", false},
        call{"PUT", "/library/optimize?async=1", false}, call{"DELETE", "/library/sections/3?async=1", false},
        call{"GET", "/library/metadata/513?asyncCheckFiles=1", false});
    INFO(asked.method << " " << asked.target);
    fake_server_options options;
    options.activity_header_everywhere = GENERATE(false, true);
    bool const everywhere = options.activity_header_everywhere;
    scene s(options);
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        raw_reply const reply = co_await client.ask(asked.method, asked.target);
        REQUIRE(s.server.running().size() == 1);
        std::string const header = "X-Plex-Activity: " + s.server.running().front().uuid + "\r\n";
        CHECK(reply.says("200 OK"));
        CHECK(reply.says(header) == (asked.names_it || everywhere));
    };
    run(s.io, body());
}

TEST_CASE("an activity that a request has started lives for call_duration, its Context coming late")
{
    fake_server_options options;
    options.call_duration = 4ms;
    scene s(options);
    auto client = s.client();
    auto feed = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await feed.upgrade();
        co_await client.ask("POST", "/library/sections/3/refresh");
        raw_frame const started = co_await feed.frame();
        CHECK(started.payload.find("Context") == std::string::npos);
        raw_frame const updated = co_await feed.frame();
        CHECK(updated.payload.find(R"("Context":{"librarySectionID":"3"})") != std::string::npos);
        raw_frame const ended = co_await feed.frame();
        CHECK(ended.payload.find(R"("event":"ended")") != std::string::npos);
    };
    run(s.io, body());
}

TEST_CASE("the scan of one section is cancelled by its own request")
{
    scene s;
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        for (char const* section : {"3", "4"}) {
            std::string const target = std::string("/library/sections/") + section + "/refresh";
            co_await client.ask("POST", target);
            s.server.update_activity(s.server.running().back().uuid, 5, std::nullopt,
                                     std::string(R"({"librarySectionID":")") + section + "\"}");
        }
        co_await client.ask("DELETE", "/library/sections/4/refresh");
        REQUIRE(s.server.running().size() == 1);
        CHECK(s.server.running().front().context_json == R"({"librarySectionID":"3"})");
    };
    run(s.io, body());
}

TEST_CASE("a guide's reload and a scan of channels are cancelled by their own requests")
{
    struct call {
        char const *type, *target;
    };
    for (call const& c : {call{"provider.epg.load", "/livetv/dvrs/3/reloadGuide"},
                          call{"media.grabbers.scan", "/media/grabbers/devices/2/scan"}}) {
        INFO(c.target);
        scene s;
        auto client = s.client();
        auto body = [&]() -> asio::awaitable<void> {
            s.server.start_activity(named("other"));
            co_await client.ask("POST", c.target);
            REQUIRE(s.server.running().size() == 2);
            CHECK(s.server.running().back().type == c.type);
            raw_reply const cancelled = co_await client.ask("DELETE", c.target);
            CHECK(cancelled.says("200 OK"));
            REQUIRE(s.server.running().size() == 1);
            CHECK(s.server.running().front().uuid == "other");
        };
        run(s.io, body());
    }
}

TEST_CASE("a section refresh may play the recorded scan, named in the reply where every call is")
{
    fake_server_options options;
    options.refresh_plays_recording = true;
    options.activity_header_everywhere = GENERATE(false, true);
    options.call_duration = 0ms;
    bool const everywhere = options.activity_header_everywhere;
    scene s(options);
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        raw_reply const reply = co_await client.ask("GET", "/library/sections/3/refresh");
        CHECK(reply.says("200 OK"));
        co_await until([&] { return s.server.truth().size() == fake_server::scan_events; });
        CHECK(reply.says("X-Plex-Activity: " + s.server.truth().front().uuid + "\r\n") == everywhere);
    };
    run(s.io, body());
}

TEST_CASE("a played scan has the recording's counts and shapes")
{
    fake_server_options options;
    options.other_notifications = GENERATE(true, false);
    bool const others = options.other_notifications;
    scene s(options);
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        co_await client.upgrade();
        scan_options one;
        one.uuid = "scan";
        asio::co_spawn(s.io, s.server.play_scan(one), asio::detached);
        std::map<std::string, std::size_t> counts;
        std::map<std::int64_t, std::size_t> with_progress;
        bool ended = false;
        while (!ended) {
            raw_frame const frame = co_await client.frame();
            json::value const message = json::parse(frame.payload);
            json::value const& container = message.at("NotificationContainer");
            std::string const type(container.at("type").as_string());
            ++counts[type];
            if (type != "activity")
                continue;
            json::value const& told = container.at("ActivityNotification").at(0);
            std::string const event(told.at("event").as_string());
            ended = event == "ended";
            ++counts[event];
            ++with_progress[told.at("Activity").at("progress").to_number<std::int64_t>()];
            bool const has_context = told.at("Activity").as_object().contains("Context");
            if (has_context == (event == "started"))
                FAIL(frame.payload);
        }
        CHECK(counts["activity"] == fake_server::scan_events);
        CHECK(counts["started"] == 1);
        CHECK(counts["ended"] == 1);
        CHECK(counts["status"] == (others ? 4 : 0));
        CHECK(counts["timeline"] == (others ? 2 : 0));
        CHECK(with_progress[50] > 10);
        CHECK(with_progress[100] == 1);
    };
    run(s.io, body());
    CHECK(s.server.truth().size() == 1556);
    CHECK(s.server.running().empty());
}

TEST_CASE("a scan takes the time it is given and ends with its activity")
{
    scene s;
    auto body = [&]() -> asio::awaitable<void> {
        auto const began = std::chrono::steady_clock::now();
        scan_options slow;
        slow.duration = 60ms;
        co_await s.server.play_scan(slow);
        CHECK(std::chrono::steady_clock::now() - began >= 60ms);
        scan_options endless;
        endless.duration = 24h;
        endless.uuid = "endless";
        bool over = false;
        asio::co_spawn(s.io, s.server.play_scan(endless), [&](std::exception_ptr) { over = true; });
        auto client = s.client();
        while (s.server.running().empty())
            co_await client.get("/activities");
        s.server.end_activity("endless");
        while (!over)
            co_await client.get("/activities");
        CHECK(s.server.running().empty());
    };
    run(s.io, body());
}

TEST_CASE("calls from many threads and an executor with many threads lose nothing")
{
    asio::io_context io;
    fake_server server(io.get_executor());
    std::vector<std::thread> pool;
    auto const work = asio::make_work_guard(io);
    for (int i = 0; i < 3; ++i)
        pool.emplace_back([&] { io.run(); });
    asio::io_context client_io;
    raw_client client(client_io, server.port());
    std::size_t heard = 0;
    auto body = [&]() -> asio::awaitable<void> {
        co_await client.upgrade("?filters=activity");
        std::vector<std::thread> callers;
        for (int i = 0; i < 3; ++i)
            callers.emplace_back([&] {
                for (int n = 0; n < 100; ++n) {
                    std::string const uuid = server.start_activity(fake_activity());
                    server.update_activity(uuid, 50);
                    server.ping_listeners();
                    server.end_activity(uuid);
                }
            });
        for (auto& caller : callers)
            caller.join();
        server.notify_raw("last");
        for (raw_frame frame = co_await client.frame(); frame.payload != "last"; frame = co_await client.frame())
            heard += frame.opcode == 1;
    };
    run(client_io, body());
    CHECK(heard == 900);
    CHECK(server.truth().size() == 900);
    server.stop();
    io.stop();
    for (auto& thread : pool)
        thread.join();
}
