#include "catch.hpp"

#include "chosen_seed.hpp"
#include "decoding.hpp"
#include "protocol/server_reply.hpp"
#include "protocol/utf8.hpp"

#include <array>
#include <cstdint>
#include <random>
#include <string>

namespace plex::protocol {

using testing::read_data;

TEST_CASE("each status has its condition, whatever was called", "[reply]")
{
    auto const kind = GENERATE(call_kind::list, call_kind::cancel, call_kind::upgrade);
    for (int const status : {300, 301, 302, 304, 307, 308, 399})
        CHECK(status_to_errc(status, kind) == errc::redirected);
    CHECK(status_to_errc(401, kind) == errc::unauthorized);
    CHECK(status_to_errc(403, kind) == errc::forbidden);
    CHECK(status_to_errc(200, kind) == (kind == call_kind::upgrade ? errc::malformed_reply : errc::server_error));
    for (int const status : {0, 100, 402, 405, 408, 409, 426, 429, 500, 501, 502, 503, 504, 599, 999})
        CHECK(status_to_errc(status, kind) == errc::server_error);
}

TEST_CASE("400 and 404 to a cancel are about the activity, else about the request", "[reply]")
{
    CHECK(status_to_errc(400, call_kind::cancel) == errc::not_cancellable);
    CHECK(status_to_errc(404, call_kind::cancel) == errc::activity_not_found);
    for (auto const kind : {call_kind::list, call_kind::upgrade}) {
        CHECK(status_to_errc(400, kind) == errc::bad_request);
        CHECK(status_to_errc(404, kind) == errc::not_found);
    }
}

TEST_CASE("a cancel without a client identifier is a bad request, not an activity that cannot be cancelled", "[reply]")
{
    auto const said = describe_reply(400, read_data("error_400_client_identifier.json"));
    REQUIRE(said.server_errors.size() == 1);
    CHECK(said.server_errors[0].code == 1000);
    CHECK(said.server_errors[0].status == 400);
    CHECK(said.server_errors[0].message == "X-Plex-Client-Identifier is missing");
    CHECK(status_to_errc(400, call_kind::cancel, said.server_errors) == errc::bad_request);
    auto const other = describe_reply(400, R"({"errors":[{"code":7,"message":"Activity is not cancellable"}]})");
    CHECK(status_to_errc(400, call_kind::cancel, other.server_errors) == errc::not_cancellable);
}

TEST_CASE("the recorded error bodies are read", "[reply]")
{
    auto const json = describe_reply(401, read_data("error_401_errors.json"));
    CHECK(json.http_status == 401);
    CHECK(json.message.empty());
    REQUIRE(json.server_errors.size() == 1);
    CHECK(json.server_errors[0].code == 1001);
    CHECK(json.server_errors[0].message == "User could not be authenticated");
    for (auto const* file : {"error_401.html", "error_401_script.html"}) {
        auto const html = describe_reply(401, read_data(file));
        CHECK(html.body_excerpt == "Unauthorized");
        CHECK(html.server_errors.empty());
    }
    CHECK(describe_reply(503, read_data("error_503_maintenance.xml")).body_excerpt ==
          "Maintenance: Plex Media Server is currently running database migrations.");
}

TEST_CASE("other bodies are excerpted", "[reply]")
{
    CHECK(describe_reply(500, "").body_excerpt.empty());
    CHECK(describe_reply(500, " \r\n oh\tno\n").body_excerpt == "oh no");
    CHECK(describe_reply(500, "<p>no title</p>").body_excerpt == "<p>no title</p>");
    CHECK(describe_reply(500, "<title>unclosed").body_excerpt == "<title>unclosed");
    CHECK(describe_reply(500, R"(<?xml version="1.0"?><Response code="500" title="Only this"/>)").body_excerpt ==
          "Only this");
    CHECK(describe_reply(500, R"(<Response status="Only that"/>)").body_excerpt == "Only that");
    CHECK(describe_reply(500, std::string(1'000, 'x')).body_excerpt == std::string(200, 'x'));
    CHECK(describe_reply(500, std::string(199, 'x') + "\xc3\xa9").body_excerpt == std::string(199, 'x'));
}

TEST_CASE("what the server says cannot command a terminal", "[reply]")
{
    CHECK(describe_reply(500, "a\x1b[2Jb\xe2\x80\xae"
                              "c\xff")
              .body_excerpt == "a[2Jbc\xef\xbf\xbd");
    CHECK(describe_reply(500, "<title>x\x1b]0;t\x07y</title>").body_excerpt == "x]0;ty");
    auto const said = describe_reply(400, R"({"errors":[{"code":1,"message":"a\u001b[2J\u202e\nb"}]})");
    REQUIRE(said.server_errors.size() == 1);
    CHECK(said.server_errors[0].message == "a[2J b");
    auto const invalid = describe_reply(400, "{\"errors\":[{\"message\":\"caf\xe9\"}]}");
    REQUIRE(invalid.server_errors.size() == 1);
    CHECK(invalid.server_errors[0].message == "caf\xef\xbf\xbd");
}

TEST_CASE("a secret that the server repeats is left out, wherever the excerpt ends", "[reply]")
{
    std::string const secret = "S3CRET/xyzzy+012345";
    auto const said = [&](std::string const& body) {
        diagnostics::content const c = describe_reply(500, body, std::array{std::string_view(secret)});
        std::string all = c.body_excerpt;
        for (auto const& entry : c.server_errors)
            all += '|' + entry.message;
        return all;
    };
    CHECK(said("the token " + secret + " is wrong, " + secret) == "the token *** is wrong, ***");
    CHECK(said("<title>no " + secret + "</title>") == "no ***");
    CHECK(said("<Response title=\"" + secret + "\" status=\"" + secret + "\"/>") == "***: ***");
    CHECK(said("{\"errors\":[{\"message\":\"no " + secret + "\"}]}") ==
          "{\"errors\":[{\"message\":\"no ***\"}]}|no ***");
    CHECK(said("S3CRE\x01T/xyzzy+\x7f"
               "012345")
              .find("S3CRET") == std::string::npos); // as it would be shown
    for (std::size_t before = 0; before != 260; ++before)
        for (std::size_t left_out : {0u, 1u, 7u, 30u, 300u}) {
            std::string const text = std::string(left_out, '\x02') + std::string(before, 'x');
            for (std::string const& body :
                 {text + secret, text + secret + secret + "y", text + secret + std::string(300, 'y')}) {
                CAPTURE(before, left_out);
                CHECK(said(body).find("S3C") == std::string::npos);
                CHECK(said(body).size() <= 200);
            }
        }
    using hidden = std::array<std::string_view, 1>;
    CHECK(redirect_target("http://h/" + secret + "/x?t=" + secret, hidden{secret}) == "http://h/***/x");
    CHECK(describe_reply(500, "a good word", hidden{"good"}).body_excerpt == "a good word"); // too short to be one
    CHECK(describe_reply(500, std::string(300, 'S'), hidden{""}).body_excerpt == std::string(200, 'S'));
    std::array<std::string_view, 2> const two = {"an-older-token", secret};
    CHECK(describe_reply(500, "not an-older-token, but " + secret, two).body_excerpt == "not ***, but ***");
    CHECK(describe_reply(500, std::string(195, 'x') + "an-older-token" + std::string(99, 'y'), two).body_excerpt ==
          std::string(195, 'x') + "***yy");
}

TEST_CASE("errors[] of a long body are not read", "[reply]")
{
    std::string const start = R"({"errors":[{"code":7,"message":"x"}],"filler":")";
    std::string const end = "\"}";
    CHECK(describe_reply(400, start + std::string((64u << 10) - start.size() - end.size(), 'y') + end)
              .server_errors.size() == 1);
    CHECK(describe_reply(400, start + std::string((64u << 10) - start.size() - end.size() + 1, 'y') + end)
              .server_errors.empty());
}

TEST_CASE("errors of any other shape are taken for what can be read of them", "[reply]")
{
    CHECK(describe_reply(400, R"({"errors":7})").server_errors.empty());
    CHECK(describe_reply(400, R"({"errors":[7,"x",null,[]]})").server_errors.empty());
    CHECK(describe_reply(400, R"({"errors":[{"code":1}]})").body_excerpt == R"({"errors":[{"code":1}]})");
    CHECK(describe_reply(400, R"([{"errors":[{"code":1}]}])").server_errors.empty());
    CHECK(describe_reply(400, R"({"errors":[{"code":1)").server_errors.empty());
    auto const odd =
        describe_reply(400, R"({"errors":[{"code":"1","status":1e400,"message":{}},{"code":99999999999}]})");
    REQUIRE(odd.server_errors.size() == 2);
    CHECK(odd.server_errors[0].code == 0);
    CHECK(odd.server_errors[0].status == 0);
    CHECK(odd.server_errors[0].message.empty());
    CHECK(odd.server_errors[1].code == 0);
    std::string many = R"({"errors":[)";
    for (int i = 0; i != 100; ++i)
        many += R"({"code":5},)";
    CHECK(describe_reply(400, many + "{}]}").server_errors.size() == 16);
    CHECK(describe_reply(400, R"({"errors":[{"message":")" + std::string(500, 'x') + "\"}]}")
              .server_errors.at(0)
              .message.size() == 200);
    CHECK(describe_reply(400, std::string(100'000, '{')).server_errors.empty());
}

TEST_CASE("whatever the body, what is said of it is short, valid and safe", "[reply]")
{
    std::uint32_t const start = test::chosen_seed();
    CAPTURE(start); // PLEX_TEST_SEED=start runs the same again
    std::mt19937 random(start);
    std::vector<std::string> const pieces = {"<title>",
                                             "</title>",
                                             "<Response",
                                             " title=\"",
                                             " status=\"",
                                             "\"",
                                             "/>",
                                             "&amp;",
                                             "&lt",
                                             "\x1b[31m",
                                             "\xe2\x80\xae",
                                             "\xf0\x9f",
                                             "\r\n",
                                             R"({"errors":[{"code":1,"message":")",
                                             "\"}]}",
                                             "xyz",
                                             "<",
                                             "{"};
    for (int round = 0; round != 10'000; ++round) {
        std::string body;
        for (auto count = random() % 40; count != 0; --count)
            body += random() % 4 == 0 ? std::string(1, static_cast<char>(random() % 256))
                                      : pieces[random() % pieces.size()];
        auto const said = describe_reply(500, body);
        auto const safe = [](std::string const& text) {
            return text.size() <= 200 && valid_utf8(text) && terminal_safe(text) == text;
        };
        bool good = safe(said.body_excerpt) && said.server_errors.size() <= 16;
        for (auto const& entry : said.server_errors)
            good = good && safe(entry.message);
        if (!good) {
            CAPTURE(body, said.body_excerpt);
            FAIL_CHECK("unsafe");
        }
    }
}

TEST_CASE("Retry-After is seconds or a date, and never asks to wait for the past", "[reply]")
{
    using namespace std::chrono;
    auto const now = sys_days(2026y / November / 27) + 7h + 59min + 30s + 250ms;
    CHECK(retry_after("120", now) == 120s);
    CHECK(retry_after("0", now) == 0s);
    CHECK(retry_after("Fri, 27 Nov 2026 08:00:00 GMT", now) == 30s);
    CHECK(retry_after("Fri, 27 Nov 2026 07:00:00 GMT", now) == 0s);
    // Found by tests/fuzz/http_reply: years that the clock's nanoseconds do not reach.
    CHECK(retry_after("Fri, 27 Nov 0236 08:00:00 GMT", now) == 0s);
    CHECK(retry_after("Fri, 27 Nov 9999 08:00:00 GMT", now) == seconds(4294967295));
    CHECK(retry_after("4294967295", now) == seconds(4294967295));
    for (char const* const neither :
         {"", "-1", "1.5", "soon", "12 s", "4294967296", "Fri, 27 Nov", "Fri, 27 Nov 2026 08:00:00"})
        CHECK_FALSE(retry_after(neither, now));
}

} // namespace plex::protocol
