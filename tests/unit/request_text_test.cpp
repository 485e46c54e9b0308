#include "catch.hpp"

#include "chosen_seed.hpp"
#include "protocol/request_text.hpp"
#include "refusal.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace plex::protocol {

using testing::refusal;

namespace {

base_url const base{false, "plex.example", 32400, "/plex", false};

std::string refused(request const& r)
{
    return refusal([&r] { check_request(r); });
}

std::vector<std::string> lines_of(std::string_view head)
{
    std::vector<std::string> lines;
    while (!head.empty()) {
        auto const end = head.find("\r\n");
        if (end == head.npos) {
            lines.push_back("unfinished: " + std::string(head));
            break;
        }
        lines.emplace_back(head.substr(0, end));
        head.remove_prefix(end + 2);
    }
    return lines;
}

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("a request has its line, Host, Accept and the end of its head", "[request]")
{
    CHECK(request_bytes(base, "", "", request("GET", "/activities")) == "GET /plex/activities HTTP/1.1\r\n"
                                                                        "Host: plex.example:32400\r\n"
                                                                        "Accept: application/json\r\n"
                                                                        "\r\n");
}

TEST_CASE("identity and token go with every request and the upgrade", "[request]")
{
    identity who;
    who.client_identifier = "c-1";
    who.product = "demo";
    who.version = "1.2";
    who.device_name = "Ana's box";
    std::string const constant = identity_headers(who);
    CHECK(constant == "User-Agent: demo/1.2\r\nX-Plex-Client-Identifier: c-1\r\nX-Plex-Product: demo\r\n"
                      "X-Plex-Version: 1.2\r\nX-Plex-Device-Name: Ana's box\r\n");
    CHECK(lines_of(request_bytes(base, constant, "t0k", request("DELETE", "/activities/u"))) ==
          lines{"DELETE /plex/activities/u HTTP/1.1", "Host: plex.example:32400", "Accept: application/json",
                "User-Agent: demo/1.2", "X-Plex-Client-Identifier: c-1", "X-Plex-Product: demo", "X-Plex-Version: 1.2",
                "X-Plex-Device-Name: Ana's box", "X-Plex-Token: t0k", ""});
    CHECK(lines_of(upgrade_bytes(base, constant, "t0k", "/:/websockets/notifications?filters=activity", "a2V5")) ==
          lines{"GET /plex/:/websockets/notifications?filters=activity HTTP/1.1", "Host: plex.example:32400",
                "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: a2V5",
                "User-Agent: demo/1.2", "X-Plex-Client-Identifier: c-1", "X-Plex-Product: demo", "X-Plex-Version: 1.2",
                "X-Plex-Device-Name: Ana's box", "X-Plex-Token: t0k", ""});
}

TEST_CASE("what the identity does not have is not sent, and what could not be sent is refused", "[request]")
{
    identity who;
    who.product.clear();
    CHECK(identity_headers(who).empty());
    who.product = "My Product";
    CHECK(identity_headers(who) == "User-Agent: My Product\r\nX-Plex-Product: My Product\r\n");
    for (auto const* bad : {"a\r\nX: y", "a\nb", "\x1b", "\x7f"}) {
        who.device_name = bad;
        CHECK_FALSE(refusal([&who] { identity_headers(who); }).empty());
    }
}

TEST_CASE("the length is told where there is a body or the method expects one", "[request]")
{
    auto const has_length = [](request const& r, std::string const& length) {
        return request_bytes(base, "", "", r).find("\r\nContent-Length: " + length + "\r\n") != std::string::npos;
    };
    for (auto const* method : {"POST", "PUT", "PATCH"})
        CHECK(has_length(request(method, "/"), "0"));
    for (auto const* method : {"GET", "DELETE", "HEAD", "OPTIONS"})
        CHECK_FALSE(has_length(request(method, "/"), "0"));
    auto const with_body = request("DELETE", "/").body("a\r\n\r\nb", "text/plain");
    CHECK(has_length(with_body, "6"));
    auto const bytes = request_bytes(base, "", "", with_body);
    CHECK(bytes.ends_with("\r\nContent-Type: text/plain\r\n\r\na\r\n\r\nb"));
}

TEST_CASE("a request's own headers come last and take the place of ours", "[request]")
{
    auto const bytes =
        request_bytes(base, "User-Agent: ours\r\nX-Plex-Product: p\r\n", "t",
                      request("GET", "/").header("accept", "text/xml").header("user-agent", "mine").header("X-A", ""));
    CHECK(lines_of(bytes) == lines{"GET /plex/ HTTP/1.1", "Host: plex.example:32400", "X-Plex-Product: p",
                                   "X-Plex-Token: t", "accept: text/xml", "user-agent: mine", "X-A: ", ""});
}

TEST_CASE("headers of framing, of the connection and of the token are not a request's to set", "[request]")
{
    for (auto const* name : {"Host", "host", "Content-Length", "TRANSFER-ENCODING", "Connection", "Upgrade",
                             "Proxy-Connection", "Keep-Alive", "TE", "Trailer", "Expect", "x-plex-token"}) {
        CAPTURE(name);
        auto const message = refused(request("GET", "/").header(name, "s3cret"));
        CHECK_FALSE(message.empty());
        CHECK(message.find("s3cret") == std::string::npos);
    }
}

TEST_CASE("headers that are none are refused without repeating the value", "[request]")
{
    for (auto const* name : {"", "a b", "a:", "a\r\nb", "\xc3\xa9", "a\t", "(a)", "a\x7f"}) {
        CAPTURE(name);
        CHECK_FALSE(refused(request("GET", "/").header(name, "v")).empty());
    }
    CHECK_FALSE(refused(request("GET", "/").header(std::string("a\0b", 3), "v")).empty());
    for (auto const* value : {"s3cret\r\nX: y", "s3cret\n", "\rs3cret", "s3cret\x1b", "s3cret\x7f"}) {
        auto const message = refused(request("GET", "/").header("X-A", value));
        CHECK_FALSE(message.empty());
        CHECK(message.find("s3cret") == std::string::npos);
    }
    CHECK_FALSE(refused(request("GET", "/").header("X-A", std::string("a\0b", 3))).empty());
    CHECK(refused(request("GET", "/").header("X-A", "a\tb \xc3\xa9" + std::string(8'000, 'x'))).empty());
    CHECK(refused(request("GET", "/").header("X-A", std::string(8'192, 'x'))).empty());
    CHECK_FALSE(refused(request("GET", "/").header("X-A", std::string(8'193, 'x'))).empty());
}

TEST_CASE("methods and targets that are none are refused, and so is CONNECT", "[request]")
{
    for (auto const* method : {"", "GET /", "GET\r\n", "G\xc3\xa9T", "CONNECT"}) {
        CAPTURE(method);
        CHECK_FALSE(refused(request(method, "/")).empty());
    }
    CHECK(refused(request("PROPFIND", "/")).empty());
    CHECK_FALSE(refused(request("GET", "activities")).empty());
    CHECK_FALSE(refusal([] { request_bytes(base, "", "", request("GET", "/a b")); }).empty());
    CHECK_FALSE(refusal([] { upgrade_bytes(base, "", "", "/../x", "k"); }).empty());
}

TEST_CASE("a token that could not be sent as it is, is refused without repeating it", "[request]")
{
    for (auto const* token : {"s3cret\n", " s3cret", "s3cret s3cret", "s3cret\r\nX: y", "s3cret\xc3\xa9"}) {
        for (auto const& message :
             {refusal([token] { check_token(token); }), refusal([token] { request_bytes(base, "", token, request()); }),
              refusal([token] { upgrade_bytes(base, "", token, "/x", "k"); })}) {
            CHECK_FALSE(message.empty());
            CHECK(message.find("s3cret") == std::string::npos);
        }
    }
    CHECK(refusal([] { check_token("eyJ.a-b_c=+/~"); }).empty());
    CHECK(refusal([] { check_token(""); }).empty());
}

TEST_CASE("a token has one place, and a request that has it in another is refused without repeating it", "[request]")
{
    std::string const token = "s3cret-s3cret";
    base_url elsewhere = base;
    elsewhere.path = "/s3cret%2Ds3cret";
    auto const refuses = [&](auto make) {
        std::string const why = refusal([&] { make(); });
        CHECK_FALSE(why.empty());
        CHECK(why.find("s3cret") == why.npos);
    };
    refuses([&] { request_bytes(elsewhere, "", token, request("GET", "/x")); });
    refuses([&] { common_headers(elsewhere, "", token); });
    refuses([&] { upgrade_bytes(elsewhere, "", token, "/x", "key"); });
    refuses([&] { common_headers(base, "X-Plex-Product: s3cret-s3cret\r\n", token); });
    refuses([&] { request_bytes(base, "", token, request("GET", "/s3cret-s3cret")); });
    refuses([&] { request_bytes(base, "", token, request("GET", "/x").header("X-Other", "is s3cret-s3cret")); });
    refuses([&] { request_bytes(base, "", token, request("POST", "/x").body("it is s3cret-s3cret", "text/plain")); });
    refuses([&] { upgrade_bytes(base, "", token, "/x?t=s3cret-s3cret", "key"); });
    CHECK_FALSE(request_bytes(base, "", token, request("POST", "/x").body("s3cret-s3cre", "text/plain")).empty());
}

TEST_CASE("whatever a request is made of, it is refused or its head has exactly its lines", "[request]")
{
    std::uint32_t const start = test::chosen_seed();
    CAPTURE(start); // PLEX_TEST_SEED=start runs the same again
    std::mt19937 random(start);
    auto const below = [&random](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
    auto const text = [&](std::string out) {
        for (int count = below(6); count != 0; --count) {
            static std::string const nasty("\r\n\0 :\t/?#%.\\\x7f\xc3", 15);
            int const kind = below(12);
            out.push_back(kind == 0   ? static_cast<char>(below(256))
                          : kind == 1 ? nasty[static_cast<std::size_t>(below(15))]
                                      : static_cast<char>('a' + below(26)));
        }
        return out;
    };
    int accepted = 0;
    for (int round = 0; round != 20'000; ++round) {
        request r(text("G"), text("/"));
        int const headers = below(3);
        for (int i = 0; i != headers; ++i)
            r.header(text("X"), text(""));
        std::string const token = text("");
        std::string bytes;
        if (!refusal([&] { bytes = request_bytes(base, "X-Plex-Product: p\r\n", token, r); }).empty())
            continue;
        ++accepted;
        lines expected = {r.method() + " /plex" + r.target() + " HTTP/1.1", "Host: plex.example:32400",
                          "Accept: application/json", "X-Plex-Product: p"};
        if (!token.empty())
            expected.push_back("X-Plex-Token: " + token);
        for (auto const& [name, value] : r.headers())
            expected.push_back(name + ": " + value);
        expected.push_back("");
        bool const lone = bytes.find('\0') != std::string::npos ||
                          std::count(bytes.begin(), bytes.end(), '\n') != static_cast<int>(expected.size()) ||
                          std::count(bytes.begin(), bytes.end(), '\r') != static_cast<int>(expected.size());
        if (lone || lines_of(bytes) != expected) {
            CAPTURE(bytes);
            FAIL_CHECK("the head is not what was asked for");
        }
    }
    CHECK(accepted > 1'000);
}

} // namespace plex::protocol
