#include "calls_fixture.hpp"

using namespace plex;
using namespace plex::test;

TEST_CASE("the list holds what runs, in the server's order, with all that the server said")
{
    call_scene s;
    fake_activity scan("library.update.section", "Scanning Movies", "1984 (1984)");
    scan.uuid = "one";
    scan.progress = 42.7;
    scan.user_id = 7;
    scan.context_json = R"({"librarySectionID":"3"})";
    scan.response_json = R"({"found":2})";
    scan.extra_json = R"({"userStopped":true})";
    fake_activity loudness("media.generate.loudness", "Generating loudness data");
    loudness.uuid = "two";
    loudness.progress = -1;
    loudness.cancellable = true;
    loudness.user_id.reset();
    s.server.start_activity(scan);
    s.server.start_activity(loudness);
    s.run([&]() -> asio::awaitable<void> {
        std::vector<activity> const list = co_await s.client().get_server_activities();
        REQUIRE(list.size() == 2);
        CHECK(list[0].uuid() == "one");
        CHECK(list[0].type() == "library.update.section");
        CHECK(list[0].title() == "Scanning Movies");
        CHECK(list[0].subtitle() == "1984 (1984)");
        CHECK(list[0].progress() == 42);
        CHECK_FALSE(list[0].cancellable());
        CHECK(list[0].user_id() == 7);
        CHECK(list[0].context().text("librarySectionID") == "3");
        CHECK(list[0].response().text("found") == "2");
        CHECK(list[0].extra().text("userStopped") == "true");
        CHECK(list[1].uuid() == "two");
        CHECK_FALSE(list[1].progress().has_value());
        CHECK(list[1].cancellable());
        CHECK_FALSE(list[1].user_id().has_value());
        CHECK(list[1].context().empty());
    });
}

TEST_CASE("where nothing runs the list is empty")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        std::vector<activity> const list = co_await s.client().get_server_activities();
        CHECK(list.empty());
    });
    REQUIRE(s.server.requests().size() == 1);
    CHECK(s.server.requests()[0].method == "GET");
    CHECK(s.server.requests()[0].target == "/activities");
}

TEST_CASE("an activity outlives the client that listed it")
{
    std::vector<activity> kept;
    {
        call_scene s;
        s.server.start_activity(activity_called("one", "Scanning Movies"));
        s.run([&]() -> asio::awaitable<void> { kept = co_await s.client().get_server_activities(); });
    }
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].title() == "Scanning Movies");
}

TEST_CASE("cancelling ends the activity on the server")
{
    call_scene s;
    fake_activity a = activity_called("to-cancel");
    a.cancellable = true;
    s.server.start_activity(a);
    s.run([&]() -> asio::awaitable<void> {
        co_await s.client().cancel_server_activities("to-cancel");
        co_await until([&] { return s.server.running().empty(); });
    });
    REQUIRE(s.server.requests().size() == 1);
    CHECK(s.server.requests()[0].method == "DELETE");
    CHECK(s.server.requests()[0].target == "/activities/to-cancel");
}

TEST_CASE("cancelling says whether there is no such activity or it cannot be cancelled")
{
    call_scene s;
    s.server.start_activity(activity_called("fixed"));
    s.run([&]() -> asio::awaitable<void> {
        error const unknown = co_await failure_of(s.client().cancel_server_activities("unknown"));
        CHECK(unknown.code() == errc::activity_not_found);
        CHECK(unknown.diagnostics().http_status() == 404);
        error const fixed = co_await failure_of(s.client().cancel_server_activities("fixed"));
        CHECK(fixed.code() == errc::not_cancellable);
        CHECK(fixed.diagnostics().http_status() == 400);
    });
    CHECK(s.server.running().size() == 1);
}

TEST_CASE("any 2xx to a cancel is success, with a body or without")
{
    call_scene s;
    s.server.refuse("DELETE /activities", 204);
    s.server.refuse("DELETE /activities", 202, "<html>on its way</html>");
    s.run([&]() -> asio::awaitable<void> {
        co_await s.client().cancel_server_activities("a");
        co_await s.client().cancel_server_activities("b");
    });
    CHECK(s.server.requests().size() == 2);
}

TEST_CASE("a request of any kind gives status, headers, body and the activity that it started")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        request reload("POST", "/livetv/dvrs/5/reloadGuide");
        reply const answer = co_await s.client().send(std::move(reload));
        CHECK(answer.status() == 200);
        REQUIRE(s.server.running().size() == 1);
        CHECK(answer.activity_uuid() == s.server.running()[0].uuid);
        CHECK(answer.header("x-plex-ACTIVITY") == answer.activity_uuid());
        CHECK(answer.header("X-Plex-Protocol") == "1.0");
        CHECK(answer.header("No-Such-Header").empty());

        request identity("GET", "/identity");
        reply const json = co_await s.client().send(std::move(identity));
        CHECK(contains(json.body(), s.server.machine_identifier()));
        CHECK(json.header("Content-Type") == "application/json");
        CHECK(json.activity_uuid().empty());
    });
}

TEST_CASE("a request of any kind is answered, not thrown, whatever the status")
{
    call_scene s;
    s.server.refuse("/one", 404);
    s.server.refuse("/two", 503, "later", "text/plain");
    s.server.refuse_with("/three", 302, "Location", "http://127.0.0.1:1/elsewhere");
    s.run([&]() -> asio::awaitable<void> {
        reply const one = co_await s.client().send(request("GET", "/one"));
        CHECK(one.status() == 404);
        reply const two = co_await s.client().send(request("GET", "/two"));
        CHECK(two.status() == 503);
        CHECK(two.body() == "later");
        reply const three = co_await s.client().send(request("GET", "/three"));
        CHECK(three.status() == 302);
        CHECK(three.header("location") == "http://127.0.0.1:1/elsewhere");
    });
    CHECK(s.server.requests().size() == 3);
}

TEST_CASE("method, query, headers and body arrive as they were given")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        request asked("PUT", "/library/sections/3?title=a%20b&type=1");
        asked.header("X-Custom", "some value").body(R"({"a":1})", "application/json");
        reply const answer = co_await s.client().send(std::move(asked));
        CHECK(answer.status() == 404); // the fake server has no such thing
    });
    REQUIRE(s.server.requests().size() == 1);
    seen_request const seen = s.server.requests()[0];
    CHECK(seen.method == "PUT");
    CHECK(seen.target == "/library/sections/3?title=a%20b&type=1");
    CHECK(seen.header("X-Custom") == "some value");
    CHECK(seen.header("Content-Type") == "application/json");
    CHECK(seen.header("Content-Length") == "7");
    CHECK(seen.body == R"({"a":1})");
}

TEST_CASE("who we are goes with every request, and the token in a header alone")
{
    fake_server_options options;
    options.token = "sEcReT";
    options.require_client_identifier = true;
    call_scene s(options);
    s.settings.token = "sEcReT";
    s.settings.identity.client_identifier = "installation-1";
    s.settings.identity.product = "tests";
    s.settings.identity.version = "9.9";
    s.settings.identity.device_name = "bench";
    s.run([&]() -> asio::awaitable<void> {
        std::vector<activity> const list = co_await s.client().get_server_activities();
        CHECK(list.empty());
        error const unknown = co_await failure_of(s.client().cancel_server_activities("u"));
        CHECK(unknown.code() == errc::activity_not_found);
        reply const answer = co_await s.client().send(request("GET", "/identity"));
        CHECK(answer.status() == 200);
    });
    REQUIRE(s.server.requests().size() == 3);
    for (seen_request const& seen : s.server.requests()) {
        CHECK(seen.header("X-Plex-Client-Identifier") == "installation-1");
        CHECK(seen.header("X-Plex-Product") == "tests");
        CHECK(seen.header("X-Plex-Version") == "9.9");
        CHECK(seen.header("X-Plex-Device-Name") == "bench");
        CHECK(seen.header("X-Plex-Token") == "sEcReT");
        CHECK(seen.header("Accept") == "application/json");
        CHECK(seen.header("Host") == s.settings.url.substr(std::string("http://").size()));
        CHECK_FALSE(contains(seen.target, "sEcReT"));
        CHECK_FALSE(contains(seen.target, "oken"));
    }
}

TEST_CASE("without an identifier of its own a process has one, the same for all its clients")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        client other(s.io.get_executor(), s.settings);
        std::vector<activity> const mine = co_await s.client().get_server_activities();
        std::vector<activity> const others = co_await other.get_server_activities();
        CHECK(mine.size() == others.size());
    });
    REQUIRE(s.server.requests().size() == 2);
    std::string const identifier = s.server.requests()[0].header("X-Plex-Client-Identifier").value_or("");
    CHECK(identifier.size() >= 16);
    CHECK(s.server.requests()[1].header("X-Plex-Client-Identifier") == identifier);
}

TEST_CASE("a reverse proxy's base path comes before every target")
{
    fake_server_options options;
    options.base_path = "/media/plex";
    call_scene s(options);
    s.server.start_activity(activity_called("one"));
    s.run([&]() -> asio::awaitable<void> {
        std::vector<activity> const list = co_await s.client().get_server_activities();
        CHECK(list.size() == 1);
        error const failure = co_await failure_of(s.client().cancel_server_activities("one"));
        CHECK(failure.code() == errc::not_cancellable);
        CHECK(contains(failure.what(), s.settings.url));
    });
    REQUIRE(s.server.requests().size() == 2);
    CHECK(s.server.requests()[0].target == "/media/plex/activities");
    CHECK(s.server.requests()[1].target == "/media/plex/activities/one");
}

TEST_CASE("interim replies are passed over")
{
    call_scene s;
    s.server.reply_raw("/activities",
                       "HTTP/1.1 100 Continue\r\n\r\n"
                       "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                       "HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n"
                       R"({"MediaContainer": {"size": 0}})",
                       true);
    s.run([&]() -> asio::awaitable<void> {
        std::vector<activity> const list = co_await s.client().get_server_activities();
        CHECK(list.empty());
        std::vector<activity> const again = co_await s.client().get_server_activities();
        CHECK(again.empty());
    });
    CHECK(s.server.counters().connections_accepted == 1);
}

TEST_CASE("a HEAD request has no body to wait for, and leaves the connection clean")
{
    call_scene s;
    s.server.reply_raw("HEAD /activities", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", true);
    s.run([&]() -> asio::awaitable<void> {
        reply const head = co_await s.client().send(request("HEAD", "/activities"));
        CHECK(head.status() == 200);
        CHECK(head.header("Content-Length") == "500");
        CHECK(head.body().empty());
        std::vector<activity> const list = co_await s.client().get_server_activities();
        CHECK(list.empty());
    });
    CHECK(s.server.counters().connections_accepted == 1);
}

TEST_CASE("calls and connections are counted")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
            std::vector<activity> const list = co_await s.client().get_server_activities();
            CHECK(list.empty());
        }
        counters const counted = s.client().counters();
        CHECK(counted.requests == 3);
        CHECK(counted.connections == 1);
    });
}
