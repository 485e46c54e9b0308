#include "diagnosis.hpp"

#include "catch.hpp"
#include "made_up.hpp"

#include <boost/asio/error.hpp>
#include <boost/json.hpp>

#include <openssl/x509.h>

#include <string>
#include <utility>
#include <vector>

using namespace plex;
using namespace plex::command;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using end = net::live_link::end;

// What a socket cannot be made to do at will; the rest is doctor_test.py, with the real things.

namespace {

bool says(std::string const& text, std::string const& part)
{
    UNSCOPED_INFO(text);
    return text.find(part) != std::string::npos;
}

error failure(errc code, int http_status = 0, std::string said = {})
{
    diagnostics::content content;
    content.http_status = http_status;
    content.body_excerpt = std::move(said);
    return error(make_error_code(code), diagnostics(std::move(content)));
}

protocol::base_url url(char const* text)
{
    return protocol::parse_base_url(text);
}

listening_seen refused_with(errc code, int http_status = 0)
{
    listening_seen seen;
    seen.refusal = failure(code, http_status);
    seen.waited = 20s;
    return seen;
}

listening_seen ended_with(end how)
{
    listening_seen seen;
    seen.ended = how;
    seen.waited = 5s;
    return seen;
}

listening_seen alive()
{
    listening_seen seen;
    seen.sign_after = 1ms;
    return seen;
}

std::vector<finding> findings(std::initializer_list<finding> all)
{
    return all;
}

} // namespace

TEST_CASE("a machine that does not answer and one that has no way there are told apart")
{
    finding const silent = judge_reaching(url("http://10.9.8.7:1"), asio::error::timed_out, 5s, 5s);
    CHECK(silent.good == false);
    CHECK(says(silent.text, "no answer from 10.9.8.7:1 in 5.0 s"));
    CHECK(says(silent.advice, "firewall"));
    finding const away = judge_reaching(url("http://[fe80::1]:1"), asio::error::network_unreachable, 1ms, 5s);
    CHECK(away.good == false);
    CHECK(says(away.text, "[fe80::1]:1 cannot be reached: Network is unreachable"));
    CHECK(says(away.advice, "network"));
}

TEST_CASE("a handshake that fails for neither the certificate nor the scheme is TLS's own matter")
{
    encryption_seen seen;
    seen.handshake = asio::error::connection_reset;
    for (std::optional<int> const plain : {std::optional<int>(), std::optional<int>(400)}) {
        seen.plain_http = plain; // 400 is what TLS ports say to plain HTTP
        finding const f = judge_encryption(url("https://h:1"), seen, 5s);
        CHECK(f.good == false);
        CHECK(says(f.text, "the TLS handshake failed: Connection reset"));
        CHECK(says(f.advice, "TLS 1.2"));
    }
}

TEST_CASE("a certificate that is refused for yet another reason is refused with that reason")
{
    struct of_certificates final : boost::system::error_category {
        char const* name() const noexcept override { return "certificate"; }
        std::string message(int value) const override { return X509_verify_cert_error_string(value); }
    } const category;
    encryption_seen seen;
    seen.handshake = error_code(X509_V_ERR_CERT_REVOKED, category);
    finding const f = judge_encryption(url("https://h:1"), seen, 5s);
    CHECK(f.good == false);
    CHECK(says(f.text, "certificate is not accepted: certificate revoked"));
    CHECK_FALSE(f.advice.empty());
}

TEST_CASE("plain HTTP that is understood is fine, also where TLS would be too")
{
    encryption_seen seen;
    seen.plain_http = 401;
    seen.speaks_tls = true; // a Plex server's one port speaks both
    CHECK(judge_encryption(url("http://h:1"), seen, 5s).good == true);
    seen.plain_http = 400;
    CHECK(judge_encryption(url("http://h:1"), seen, 5s).good == false);
    seen.speaks_tls = false;
    CHECK(judge_encryption(url("http://h:1"), seen, 5s).good == true);
}

TEST_CASE("a reply that is no list is another server's or a login page's")
{
    error const page = failure(errc::malformed_reply, 200, "Please log in");
    finding const f = judge_list(url("http://h:1"), &page, {});
    CHECK(f.good == false);
    CHECK(says(f.text, "no Plex server"));
    CHECK(says(f.text, "(the server said: Please log in)"));
    CHECK(says(f.advice, "login page"));
    CHECK_FALSE(judge_token(true, &page).good.has_value()); // nobody has looked at it
    CHECK_FALSE(is_worth_listening(&page));
}

TEST_CASE("a list that fails says whose fault it is")
{
    struct row {
        errc code;
        int status;
        char const* text;
        char const* advice;
    };
    for (row const& r :
         {row{errc::server_error, 504, "a proxy answers", "Is the server running"},
          row{errc::server_error, 500, "the server refuses (HTTP 500)", "log of the server"},
          row{errc::bad_request, 400, "the server refuses (HTTP 400)", "log of the server"},
          row{errc::timeout, 0, "does not answer it", "overloaded"},
          row{errc::connection_failed, 0, "no reply that makes sense to http://h:1/p/activities", "32400"}}) {
        error const e = failure(r.code, r.status);
        finding const f = judge_list(url("http://h:1/p"), &e, {});
        CAPTURE(r.status, f.text);
        CHECK(f.good == false);
        CHECK_FALSE(f.of_rights);
        CHECK(says(f.text, r.text));
        CHECK(says(f.advice, r.advice));
        CHECK_FALSE(is_worth_listening(&e));
    }
}

TEST_CASE("an upgrade that fails is the proxy's, the server's or lost")
{
    for (auto const& [seen, text] : {std::pair(refused_with(errc::malformed_reply), "not a WebSocket's"),
                                     std::pair(refused_with(errc::malformed_reply, 200), "refused (HTTP 200)"),
                                     std::pair(refused_with(errc::server_error, 426), "refused (HTTP 426)"),
                                     std::pair(refused_with(errc::timeout), "no answer to the upgrade"),
                                     std::pair(refused_with(errc::connection_failed), "lost during the upgrade")}) {
        finding const f = judge_websocket(seen);
        CAPTURE(f.text);
        CHECK(f.good == false);
        CHECK(says(f.text, text));
        CHECK(says(f.advice, "proxy_set_header Upgrade $http_upgrade"));
    }
}

TEST_CASE("what keeps either transport away is told of both")
{
    for (auto const& [seen, text, advice] :
         {std::tuple(refused_with(errc::redirected, 302), "redirected", "not followed"),
          std::tuple(refused_with(errc::server_error, 502), "a proxy gets no answer", "proxy's log"),
          std::tuple(refused_with(errc::server_error, 503), "the server refuses (HTTP 503)", "Try again")})
        for (finding const& f : {judge_websocket(seen), judge_event_stream(seen)}) {
            CAPTURE(f.check, f.text);
            CHECK(f.good == false);
            CHECK_FALSE(f.of_rights);
            CHECK(says(f.text, text));
            CHECK(says(f.advice, advice));
        }
}

TEST_CASE("a feed that opens and ends says how")
{
    CHECK(says(judge_ping(ended_with(end::lost)).text, "was lost before a ping was answered"));
    CHECK(says(judge_ping(ended_with(end::violation)).text, "cannot be read"));
    CHECK(says(judge_ping(ended_with(end::none)).text, "brought nothing"));
    CHECK(says(judge_event_stream(ended_with(end::message_too_big)).text, "cannot be read"));
    CHECK(says(judge_event_stream(ended_with(end::lost)).text, "was lost"));
    CHECK(says(judge_event_stream(refused_with(errc::malformed_reply, 200)).text, "no event stream"));
    CHECK(says(judge_event_stream(refused_with(errc::connection_failed)).text, "before the stream began"));
}

TEST_CASE("a client takes the first transport that is alive")
{
    finding const ping = judge_ping(alive());
    finding const no_ping = judge_ping(ended_with(end::silent));
    finding const stream = judge_event_stream(alive());
    finding const no_stream = judge_event_stream(ended_with(end::silent));
    finding const list = judge_list(url("http://h:1"), nullptr, {});
    CHECK(says(judge_feed(ping, stream, list).text, "WebSocket"));
    CHECK(says(judge_feed(no_ping, stream, list).text, "EventSource"));
    CHECK(says(judge_feed(no_ping, no_stream, list).text, "every few seconds"));
    CHECK_FALSE(judge_feed(no_ping, no_stream, not_tried("list")).good.has_value());
    finding unread;
    unread.good = false;
    CHECK(judge_feed(ping, stream, unread).good == false);
    CHECK(judge_feed(no_ping, stream, unread).good == false);
}

TEST_CASE("the status is that of rights only where nothing else is wrong")
{
    error const forbidden = failure(errc::forbidden, 403);
    finding const rights = judge_token(true, &forbidden);
    finding const broken = judge_ping(ended_with(end::lost));
    finding const good = judge_ping(alive());
    CHECK(outcome(findings({good, not_tried("ping")})) == done);
    CHECK(outcome(findings({good, rights, not_tried("list")})) == refused);
    CHECK(outcome(findings({rights, broken})) == failed);
    CHECK(outcome(findings({broken, rights})) == failed);
}

TEST_CASE("what a server says commands no terminal and breaks no line")
{
    finding f;
    f.check = "list";
    f.good = false;
    f.text = "said \x1b[31m\"red\"\r\n\xff";
    f.advice = "one \x1b]0;x\x07\ntwo";
    CHECK(text_lines(f) == "list         FAILED  said [31m\"red\"  \xef\xbf\xbd\n    one ]0;x\n    two\n");
    std::string const line = json_line(f);
    CHECK(line.find('\n') == line.size() - 1);
    boost::json::object const object = boost::json::parse(line).as_object();
    CHECK(object.at("text").as_string() == "said [31m\"red\"  \xef\xbf\xbd");
    CHECK(object.at("advice").as_string() == "one ]0;x two");
    CHECK(object.at("ok").as_bool() == false);
    f.good.reset();
    CHECK(boost::json::parse(json_line(f)).at("ok").is_null());
    CHECK(says(text_lines(f), "list         -       said"));
}
