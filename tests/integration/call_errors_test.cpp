#include "calls_fixture.hpp"

// What a refusal means, and what its text says: what was being done, at which server, what to do; never the token.

using namespace plex;
using namespace plex::test;

namespace {

struct refused_calls {
    error list;
    error cancel;
};

refused_calls refuse_both(unsigned status, std::string const& body = {}, std::string const& type = "text/html")
{
    call_scene s;
    s.settings.token = "sEcReT";
    s.server.refuse("/activities", status, body, type, 2);
    refused_calls both;
    s.run([&]() -> asio::awaitable<void> {
        both.list = co_await failure_of(s.client().get_server_activities());
        both.cancel = co_await failure_of(s.client().cancel_server_activities("uuid-1"));
    });
    for (error const& failure : {both.list, both.cancel}) {
        INFO(failure.what());
        CHECK(failure.diagnostics().http_status() == static_cast<int>(status));
        CHECK(contains(failure.what(), "HTTP " + std::to_string(status)));
        CHECK(contains(failure.what(), s.settings.url));
        CHECK_FALSE(contains(failure.what(), "sEcReT"));
        CHECK_FALSE(contains(failure.what(), "<"));
        CHECK_FALSE(contains(failure.what(), "\n"));
    }
    CHECK(contains(both.list.what(), "listing the activities"));
    CHECK(contains(both.cancel.what(), "cancelling an activity"));
    return both;
}

/// The error of a client that cannot be made.
error refused_config(config const& settings)
{
    asio::io_context io;
    try {
        client const c(io.get_executor(), settings);
    } catch (error const& e) {
        return e;
    }
    return error();
}

} // namespace

TEST_CASE("an error of nothing has no code and no details")
{
    error const none;
    CHECK(none.code() == error_code());
    CHECK(none.diagnostics().message().empty());
    CHECK(none.diagnostics().http_status() == 0);
}

TEST_CASE("each refusing status has its condition, for a list and for a cancel")
{
    struct row {
        unsigned status;
        errc list;
        errc cancel;
    };
    for (row const& r :
         {row{400, errc::bad_request, errc::not_cancellable}, row{401, errc::unauthorized, errc::unauthorized},
          row{403, errc::forbidden, errc::forbidden}, row{404, errc::not_found, errc::activity_not_found},
          row{301, errc::redirected, errc::redirected}, row{302, errc::redirected, errc::redirected},
          row{308, errc::redirected, errc::redirected}, row{429, errc::server_error, errc::server_error},
          row{500, errc::server_error, errc::server_error}, row{502, errc::server_error, errc::server_error},
          row{503, errc::server_error, errc::server_error}, row{504, errc::server_error, errc::server_error}}) {
        INFO(r.status);
        refused_calls const both = refuse_both(r.status);
        CHECK(both.list.code() == r.list);
        CHECK(both.cancel.code() == r.cancel);
    }
}

TEST_CASE("401 is told with both of Plex's pages, and says what to do")
{
    for (bool const script : {false, true}) {
        fake_server_options options;
        options.token = "good";
        options.html_error_script = script;
        call_scene s(options);
        s.settings.token = "wr0ng-sEcReT";
        s.run([&]() -> asio::awaitable<void> {
            error const failure = co_await failure_of(s.client().get_server_activities());
            CHECK(failure.code() == errc::unauthorized);
            CHECK(failure.diagnostics().body_excerpt() == "Unauthorized");
            CHECK(contains(failure.what(), "token"));
            CHECK_FALSE(contains(failure.what(), "window.location"));
            CHECK_FALSE(contains(failure.what(), "wr0ng-sEcReT"));
            CHECK_FALSE(is_retryable(failure.code()));
        });
    }
}

TEST_CASE("a server in maintenance is worth trying again, and its own words are kept")
{
    call_scene s;
    s.server.refuse_for_maintenance("/activities", 2);
    s.run([&]() -> asio::awaitable<void> {
        error const list = co_await failure_of(s.client().get_server_activities());
        CHECK(list.code() == errc::server_error);
        CHECK(is_retryable(list.code()));
        CHECK(contains(list.diagnostics().body_excerpt(), "Maintenance"));
        error const cancel = co_await failure_of(s.client().cancel_server_activities("a"));
        CHECK(cancel.code() == errc::server_error);
    });
}

TEST_CASE("lost connections, time-outs and a server in trouble are worth trying again, and nothing else is")
{
    std::vector<errc> worth;
    for (int code = static_cast<int>(errc::invalid_argument); code <= static_cast<int>(errc::connection_failed); ++code)
        if (is_retryable(static_cast<errc>(code)))
            worth.push_back(static_cast<errc>(code));
    CHECK(worth == std::vector<errc>{errc::server_error, errc::timeout, errc::connection_failed});
    CHECK_FALSE(is_retryable(error_code()));
    CHECK_FALSE(is_retryable(asio::error::operation_aborted));
}

TEST_CASE("a server that says when to come back is heard")
{
    call_scene s;
    s.server.refuse_with("/activities", 503, "Retry-After", "7");
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.diagnostics().retry_after() == 7s);
    });
}

TEST_CASE("errors[] of a reply are given as they are, for both calls")
{
    std::string const unauthorized =
        R"({"errors":[{"code":1001,"message":"User could not be authenticated","status":401}]})";
    for (error const& failure : {refuse_both(401, unauthorized, "application/json").list,
                                 refuse_both(401, unauthorized, "application/json").cancel}) {
        CHECK(failure.code() == errc::unauthorized);
        REQUIRE(failure.diagnostics().server_errors().size() == 1);
        CHECK(failure.diagnostics().server_errors()[0].code == 1001);
        CHECK(failure.diagnostics().server_errors()[0].status == 401);
        CHECK(failure.diagnostics().server_errors()[0].message == "User could not be authenticated");
        CHECK(contains(failure.what(), "User could not be authenticated"));
    }
    refused_calls const bad =
        refuse_both(400, R"({"errors":[{"code":1000,"message":"X-Plex-Client-Identifier is missing","status":400}]})",
                    "application/json");
    CHECK(bad.list.code() == errc::bad_request);
    CHECK(bad.cancel.code() == errc::bad_request); // it was the request that was bad, not the activity
}

TEST_CASE("the server's words are shown without control characters, and not at length")
{
    std::string const nasty = "\x1b[31mred\x07\r\nline \xe2\x80\xae bidi " + std::string(10'000, 'x');
    refused_calls const both = refuse_both(500, nasty, "text/plain");
    CHECK(both.list.diagnostics().body_excerpt().size() <= 200);
    CHECK(contains(both.list.diagnostics().body_excerpt(), "red"));
    CHECK_FALSE(contains(both.list.what(), "\x1b"));
    CHECK_FALSE(contains(both.list.what(), "\xe2\x80\xae"));
}

TEST_CASE("a redirect is not followed, and no token goes there")
{
    call_scene s;
    fake_server elsewhere(s.io.get_executor());
    s.settings.token = "sEcReT";
    s.server.refuse_with("/activities", 302, "Location", elsewhere.url() + "/activities");
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::redirected);
        CHECK(contains(failure.what(), "base URL"));
    });
    CHECK(elsewhere.requests().empty());
    CHECK(s.server.requests().size() == 1);
}

TEST_CASE("a uuid that could name anything else than one activity is refused before anything is sent")
{
    call_scene s;
    std::vector<std::string> const uuids = {"",
                                            ".",
                                            "..",
                                            "../library/sections/1",
                                            "a/b",
                                            "a\\b",
                                            "%2e%2e",
                                            "%2F",
                                            "a%00",
                                            "a\r\nb",
                                            "a\r\nX-Evil: 1",
                                            std::string("a\0b", 3),
                                            "a b\x7f",
                                            "a\n",
                                            "..\\..",
                                            std::string(300, 'a'),
                                            "/",
                                            "....",
                                            "\t"};
    s.run([&]() -> asio::awaitable<void> {
        for (std::string const& uuid : uuids) {
            error const failure = co_await failure_of(s.client().cancel_server_activities(uuid));
            INFO(uuid);
            CHECK(failure.code() == errc::invalid_argument);
            CHECK_FALSE(is_retryable(failure.code()));
        }
    });
    CHECK(s.server.requests().empty());
    CHECK(s.server.counters().connections_accepted == 0);
}

TEST_CASE("a uuid of odd characters reaches its own path and no other")
{
    call_scene s;
    std::vector<std::string> const uuids = {"a?b=c", "a#b", "a b", "a;b", "a:b", "caf\xc3\xa9", "a+b", "a&b", "\"a\""};
    s.run([&]() -> asio::awaitable<void> {
        for (std::string const& uuid : uuids) {
            error const failure = co_await failure_of(s.client().cancel_server_activities(uuid));
            bool const known = failure.code() == errc::activity_not_found || failure.code() == errc::invalid_argument;
            INFO(uuid);
            CHECK(known);
        }
    });
    for (seen_request const& seen : s.server.requests()) {
        INFO(seen.target);
        CHECK(seen.method == "DELETE");
        CHECK(seen.query.empty());
        bool const asked_for = std::find(uuids.begin(), uuids.end(), seen.path.substr(12)) != uuids.end();
        CHECK(seen.path.starts_with("/activities/"));
        CHECK(asked_for);
    }
}

TEST_CASE("a request that could break out of its place is refused before anything is sent, and not echoed")
{
    call_scene s;
    std::vector<request> bad;
    bad.emplace_back("GET", "");
    bad.emplace_back("GET", "activities");
    bad.emplace_back("GET", "http://elsewhere/activities");
    bad.emplace_back("GET", "/a b");
    bad.emplace_back("GET", "/a\r\nX-Evil: 1");
    bad.emplace_back("GET", "/a#sEcReT");
    bad.emplace_back("GET", "/a/../b");
    bad.emplace_back("GET", "/%2e%2E/b");
    bad.emplace_back("", "/");
    bad.emplace_back("GE T", "/");
    bad.emplace_back("GET /sEcReT HTTP/1.1\r\n\r\n", "/");
    bad.emplace_back("CONNECT", "/");
    bad.push_back(request("GET", "/").header("X-A", "sEcReT\r\nX-Evil: 1"));
    bad.push_back(request("GET", "/").header("X-A", "sEcReT\nX-Evil: 1"));
    bad.push_back(request("GET", "/").header("X-A", std::string("sEcReT\0", 7)));
    bad.push_back(request("GET", "/").header("X A", "sEcReT"));
    bad.push_back(request("GET", "/").header("", "sEcReT"));
    bad.push_back(request("GET", "/").header("X-A:", "sEcReT"));
    bad.push_back(request("GET", "/").header("Content-Length", "5"));
    bad.push_back(request("GET", "/").header("transfer-encoding", "chunked"));
    bad.push_back(request("GET", "/").header("Host", "elsewhere"));
    bad.push_back(request("GET", "/").header("Connection", "close"));
    bad.push_back(request("POST", "/").body("x", "text/plain\r\nX-Evil: 1"));
    s.run([&]() -> asio::awaitable<void> {
        for (std::size_t i = 0; i < bad.size(); ++i) {
            error const failure = co_await failure_of(s.client().send(bad[i]));
            INFO(i << ": " << failure.what());
            CHECK(failure.code() == errc::invalid_argument);
            CHECK_FALSE(contains(failure.what(), "sEcReT"));
        }
    });
    CHECK(s.server.requests().empty());
    CHECK(s.server.counters().connections_accepted == 0);
}

TEST_CASE("a configuration that cannot be used is refused when the client is made, and not echoed")
{
    config good;
    good.url = "http://127.0.0.1:1";
    CHECK(refused_config(good).code() == error_code());
    for (char const* url :
         {"", "plex.local:32400", "ftp://127.0.0.1", "http://", "http://user:sEcReT@127.0.0.1",
          "http://sEcReT@127.0.0.1", "http://127.0.0.1/?X-Plex-Token=sEcReT", "http://127.0.0.1#sEcReT",
          "http://127.0.0.1:99999", "http://127.0.0.1:0", "http://127.0.0.1:x", "http://a b",
          "http://127.0.0.1/a\r\nX-Evil: sEcReT", "http://127.0.0.1/../sEcReT", "//127.0.0.1"}) {
        config bad = good;
        bad.url = url;
        error const failure = refused_config(bad);
        INFO(url << " -> " << failure.what());
        CHECK(failure.code() == errc::invalid_argument);
        CHECK_FALSE(contains(failure.what(), "sEcReT"));
    }
    for (std::string const& token : {std::string("sEcReT\r\nX-Evil: 1"), std::string("sEcReT\n"),
                                     std::string("sEcReT\0", 7), std::string("sEcReT\x7f")}) {
        config bad = good;
        bad.token = token;
        error const failure = refused_config(bad);
        CHECK(failure.code() == errc::invalid_argument);
        CHECK_FALSE(contains(failure.what(), "sEcReT"));
    }
    config bad = good;
    bad.identity.product = "evil\r\nX-Evil: 1";
    CHECK(refused_config(bad).code() == errc::invalid_argument);
}

TEST_CASE("times and sizes that cannot be used are refused by name when the client is made, and their bounds are not")
{
    using namespace std::chrono_literals;
    auto const outcome = [](auto member, auto value) {
        config c;
        c.url = "http://127.0.0.1:1";
        c.*member = value;
        return refused_config(c);
    };
    auto const is_refused = [&](std::string_view name, auto member, auto value) {
        error const failure = outcome(member, value);
        INFO(name);
        CHECK(failure.code() == errc::invalid_argument);
        CHECK(contains(failure.what(), "config::" + std::string(name) + " has to be "));
    };
    std::chrono::milliseconds const century = std::chrono::years(100);
    struct time {
        std::string_view name;
        std::chrono::milliseconds config::* member;
        std::chrono::milliseconds least;
    };
    for (time const& t : {time{"connect_timeout", &config::connect_timeout, 1ms},
                          {"request_timeout", &config::request_timeout, 1ms},
                          {"idle_connection", &config::idle_connection, 0ms},
                          {"ping_after", &config::ping_after, 1ms},
                          {"idle_limit", &config::idle_limit, 1ms},
                          {"upward_every", &config::upward_every, 1ms},
                          {"appear_timeout", &config::appear_timeout, 0ms}}) {
        is_refused(t.name, t.member, t.least - 1ms);
        is_refused(t.name, t.member, century + 1ms);
        is_refused(t.name, t.member, std::chrono::milliseconds::max());
        CHECK(outcome(t.member, t.least).code() == error_code());
        CHECK(outcome(t.member, century).code() == error_code());
    }
    struct size {
        std::string_view name;
        std::size_t config::* member;
    };
    for (size const& n : {size{"max_connections", &config::max_connections},
                          {"max_body", &config::max_body},
                          {"max_message", &config::max_message},
                          {"max_header", &config::max_header},
                          {"conflate_after", &config::conflate_after},
                          {"mailbox_bytes", &config::mailbox_bytes},
                          {"ledger_bytes", &config::ledger_bytes}}) {
        is_refused(n.name, n.member, std::size_t{0});
        CHECK(outcome(n.member, std::size_t{1}).code() == error_code());
        CHECK(outcome(n.member, std::numeric_limits<std::size_t>::max()).code() == error_code());
    }
    CHECK(outcome(&config::max_waiting, std::size_t{0}).code() == error_code());
    is_refused("max_depth", &config::max_depth, 5u);
    is_refused("max_depth", &config::max_depth, 65u);
    CHECK(outcome(&config::max_depth, 6u).code() == error_code());
    CHECK(outcome(&config::max_depth, 64u).code() == error_code());
}

TEST_CASE("the token is in no log line, and nothing is formatted below the level")
{
    fake_server_options options;
    options.token = "other";
    call_scene s(options);
    std::vector<std::string> lines;
    s.settings.token = "sEcReT";
    s.settings.logger.level = log_level::debug;
    s.settings.logger.write = [&](log_level, std::string_view line) { lines.emplace_back(line); };
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::unauthorized);
    });
    REQUIRE_FALSE(lines.empty());
    for (std::string const& line : lines)
        CHECK_FALSE(contains(line, "sEcReT"));
    lines.clear();
    s.drop_client();
    s.settings.logger.level = log_level::error;
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::unauthorized);
    });
    CHECK(lines.empty());
}
