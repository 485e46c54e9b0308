#include "calls_fixture.hpp"
#include "child_process.hpp"
#include "chosen_seed.hpp"
#include "hex.hpp"
#include "raw_client.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <sstream>

// Whatever a user is made to ask for, what arrives is nothing, or one request whose method, path and headers are what
// was asked for: as two HTTP parsers see it that share no code with this project.

using namespace plex;
using namespace plex::test;

namespace {

/// A request as it arrived.
struct arrived {
    std::string method;
    std::string url;
    request::headers_type headers;
    std::string body;

    /// The values of all headers of that name, in any case of letters.
    std::vector<std::string> values(std::string_view name) const
    {
        auto const same = [&](std::string_view other) {
            auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
            return std::equal(name.begin(), name.end(), other.begin(), other.end(),
                              [&](char a, char b) { return lower(a) == lower(b); });
        };
        std::vector<std::string> result;
        for (auto const& [n, value] : headers)
            if (same(n))
                result.push_back(value);
        return result;
    }
};

/// White space around a header's value is no part of it (RFC 9110, 5.5).
std::string trimmed(std::string_view value)
{
    auto const is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!value.empty() && is_space(value.front()))
        value.remove_prefix(1);
    while (!value.empty() && is_space(value.back()))
        value.remove_suffix(1);
    return std::string(value);
}

class witness
{
public:
    explicit witness(std::string const& program) : process_(words(program), folder_ / "output")
    {
        process_.wait_for_listener(port_);
        lines(); // of the look for its port
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_.number()); }

    /// What has come since the last call.
    std::vector<std::string> lines() const
    {
        asio::io_context io;
        raw_client asking(io, port_.number());
        std::vector<std::string> result;
        auto ask = [&]() -> asio::awaitable<void> {
            raw_reply const said = co_await asking.get("/seen");
            std::istringstream in(said.body);
            for (std::string line; std::getline(in, line);)
                result.push_back(line);
        };
        test::run(io, ask());
        return result;
    }
    std::vector<arrived> requests() const
    {
        std::vector<arrived> result;
        for (std::string const& line : lines()) {
            INFO(line);
            REQUIRE(line != "bad");
            std::istringstream in(line);
            std::string method;
            std::string target;
            std::string headers;
            std::string body;
            in >> method >> target >> headers >> body;
            arrived r;
            r.method = from_hex(method);
            r.url = from_hex(target);
            r.body = from_hex(body);
            std::istringstream fields(headers);
            for (std::string field; std::getline(fields, field, ',');)
                if (std::size_t const colon = field.find(':'); colon != std::string::npos)
                    r.headers.emplace_back(from_hex(field.substr(0, colon)),
                                           trimmed(from_hex(field.substr(colon + 1))));
            result.push_back(std::move(r));
        }
        return result;
    }

private:
    std::vector<std::string> words(std::string const& program) const
    {
        std::string const script =
            std::string(PLEX_TEST_DATA) + "/../integration/witness." + (program == "node" ? "js" : "py");
        if (program == "node")
            ::setenv("NODE_PATH", "/usr/share/nodejs", 0); // of the distribution (node-ws)
        return {program, script, std::to_string(port_.number())};
    }

    temporary_folder folder_;
    reserved_port port_;
    child_process process_;
};

/// Random text, of which enough is harmless to be sent.
class texts
{
public:
    explicit texts(std::uint32_t seed) : random_(seed) {}

    int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
    std::string any(std::string out = {})
    {
        static std::string const nasty("\r\n\0 :\t/?#%.\\;,&=@\"<>\x7f\x80\x85\xa0\xc3\xff", 27);
        static std::vector<std::string> const phrases = {
            "\r\nX-Evil: 1",     "\r\n\r\nGET /evil HTTP/1.1\r\nHost: e\r\n\r\n",
            " HTTP/1.1\r\nX: ",  "%0d%0a",
            "%0D%0AX-Evil:%201", "/../",
            "/%2e%2e/",          "\xe5\x98\x8d\xe5\x98\x8a",
            "\n X-Evil: 1",      "?X-Plex-Token=1",
            "chunked",           "//evil/"};
        bool const is_tame = below(2) == 0;
        for (int count = below(12); count != 0; --count) {
            int const kind = is_tame ? 99 : below(8);
            if (kind == 0)
                out += static_cast<char>(below(256));
            else if (kind == 1)
                out += nasty[static_cast<std::size_t>(below(27))];
            else if (kind == 2 && below(4) == 0)
                out += phrases[static_cast<std::size_t>(below(static_cast<int>(phrases.size())))];
            else
                out += static_cast<char>('a' + below(26));
        }
        return out;
    }

private:
    std::mt19937 random_;
};

std::string percent_decoded(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            out += text[at];
            continue;
        }
        REQUIRE(at + 2 < text.size());
        out += from_hex(text.substr(at + 1, 2));
        at += 2;
    }
    return out;
}

request::headers_type trimmed(request::headers_type headers)
{
    for (auto& [name, value] : headers)
        value = trimmed(value);
    return headers;
}

/// How an operation of a client with these settings came out; whatever the witness answers to it is a 400.
error outcome_of(config const& settings, std::function<asio::awaitable<error>(client&)> operation)
{
    asio::io_context io;
    std::optional<client> c;
    try {
        c.emplace(io.get_executor(), settings);
    } catch (error const& e) {
        return e;
    }
    error result;
    auto body = [&]() -> asio::awaitable<void> { result = co_await operation(*c); };
    test::run(io, c->get_executor(), body());
    return result;
}

error send(config const& settings, request const& asked)
{
    return outcome_of(settings, [&asked](client& c) -> asio::awaitable<error> {
        error failure;
        try {
            co_await c.send(asked);
        } catch (error const& e) {
            failure = e;
        }
        co_return failure;
    });
}

error list(config const& settings)
{
    return outcome_of(settings, [](client& c) { return failure_of(c.get_server_activities()); });
}

error open_feed(config const& settings)
{
    return outcome_of(settings, [](client& c) -> asio::awaitable<error> {
        feed const held = c.subscribe();
        error const failure = co_await failure_of(c.ready(10s));
        co_return failure;
    });
}

config settings_for(witness const& w)
{
    config settings;
    settings.url = w.url() + "/base";
    settings.token = "S3CRET-token";
    settings.identity.client_identifier = "c";
    return settings;
}

/// One that was refused reached nobody; else exactly one request arrived, which is given.
std::optional<arrived> arrival(witness const& w, error const& outcome)
{
    std::vector<arrived> const came = w.requests();
    INFO(outcome.what());
    if (outcome.code() == errc::invalid_argument) {
        CHECK(came.empty());
        return std::nullopt;
    }
    REQUIRE(came.size() == 1);
    return came.front();
}

int const rounds = std::getenv("PLEX_TEST_LONG") ? 1'000 : 50;

/// Runs `check` with both witnesses and random text, and sees that not everything was refused.
void with_witnesses(std::vector<std::string> const& programs, std::function<bool(witness const&, texts&)> const& check,
                    bool may_refuse_none = false)
{
    std::uint32_t const seed = chosen_seed();
    INFO("PLEX_TEST_SEED=" << seed << " runs the same again");
    for (std::string const& program : programs) {
        INFO(program);
        witness const w(program);
        texts random(seed);
        int accepted = 0;
        for (int i = 0; i != rounds; ++i)
            accepted += check(w, random) ? 1 : 0;
        CHECK(accepted > rounds / 20);
        CHECK((may_refuse_none || accepted < rounds)); // else it was not hostile enough
    }
}

std::vector<std::string> const both = {"node", "python3"};

} // namespace

TEST_CASE("whatever method, target, headers and body a request has, it is refused or arrives as one such request")
{
    with_witnesses(both, [](witness const& w, texts& random) {
        // node knows the methods that are registered, and no other.
        static std::vector<std::string> const methods = {"GET",   "POST",    "PUT",     "DELETE",
                                                         "PATCH", "OPTIONS", "PROPFIND"};
        std::string method = methods[static_cast<std::size_t>(random.below(static_cast<int>(methods.size())))];
        if (random.below(4) == 0)
            method += random.any("\r");
        request asked(method, random.any("/"));
        request::headers_type mine;
        for (int i = random.below(3); i != 0; --i) {
            mine.emplace_back(random.any("X-" + std::to_string(i)), random.any());
            asked.header(mine.back().first, mine.back().second);
        }
        if (random.below(3) == 0) {
            asked.body(random.any(), "text/plain");
            mine.emplace_back("Content-Type", "text/plain");
        }
        config const settings = settings_for(w);
        error const outcome = send(settings, asked);
        std::optional<arrived> const came = arrival(w, outcome);
        if (!came)
            return false;
        CHECK(came->method == method);
        CHECK(came->url == "/base" + asked.target());
        CHECK(came->body == asked.body());
        CHECK(came->values("X-Plex-Token") == std::vector<std::string>{settings.token});
        CHECK(came->values("Host").size() == 1);
        CHECK(came->values("X-Evil").empty());
        CHECK(came->values("Transfer-Encoding").empty());
        // Its own headers are the last ones, as they were given; before them are ours.
        static std::vector<std::string> const ours = {"Host",           "Accept",       "User-Agent",
                                                      "X-Plex-Product", "X-Plex-Token", "X-Plex-Client-Identifier",
                                                      "Content-Length"};
        REQUIRE(came->headers.size() >= mine.size());
        auto const end_of_ours = came->headers.end() - static_cast<std::ptrdiff_t>(mine.size());
        CHECK(trimmed({end_of_ours, came->headers.end()}) == trimmed(mine));
        for (auto h = came->headers.begin(); h != end_of_ours; ++h)
            CHECK(std::find(ours.begin(), ours.end(), h->first) != ours.end());
        return true;
    });
}

TEST_CASE("any token that Python's parser would take for a method arrives as that, or is refused")
{
    with_witnesses({"python3"}, [](witness const& w, texts& random) {
        request const asked(random.any("M"), "/");
        std::optional<arrived> const came = arrival(w, send(settings_for(w), asked));
        if (came) {
            CHECK(came->method == asked.method());
            CHECK(came->url == "/base/");
        }
        return came.has_value();
    });
}

TEST_CASE("whatever the uuid, its cancel is refused or names that activity and no other path")
{
    with_witnesses(both, [](witness const& w, texts& random) {
        std::string const uuid = random.any(random.below(2) == 0 ? "" : "u");
        error const outcome =
            outcome_of(settings_for(w), [&uuid](client& c) { return failure_of(c.cancel_server_activities(uuid)); });
        std::optional<arrived> const came = arrival(w, outcome);
        if (!came)
            return false;
        constexpr std::string_view path = "/base/activities/";
        CHECK(came->method == "DELETE");
        REQUIRE(came->url.starts_with(path));
        std::string const segment = came->url.substr(path.size());
        CHECK(segment.find_first_of("/\\?#;&") == std::string::npos);
        CHECK(percent_decoded(segment) == uuid);
        CHECK(came->body.empty());
        return true;
    });
}

TEST_CASE("whatever folder or key a known request is given, it stays within its path")
{
    with_witnesses(
        both,
        [](witness const& w, texts& random) {
            bool const scans = random.below(2) == 0;
            std::string const given = random.any(scans ? "/" : "/library/metadata/1");
            request const asked = scans ? scan_section(3, given).request() : refresh_item(given).request();
            std::optional<arrived> const came = arrival(w, send(settings_for(w), asked));
            if (!came)
                return false;
            if (scans) {
                constexpr std::string_view start = "/base/library/sections/3/refresh?path=";
                REQUIRE(came->url.starts_with(start));
                std::string const value = came->url.substr(start.size());
                CHECK(value.find_first_of("&#?") == std::string::npos);
                CHECK(percent_decoded(value) == given);
            } else {
                CHECK(came->method == "PUT");
                CHECK(came->url.find_first_of("?#") == std::string::npos);
                CHECK(percent_decoded(came->url) == "/base" + given + "/refresh");
            }
            return true;
        },
        true); // what is percent-encoded harms nobody
}

TEST_CASE("whatever the token, it is refused or is the value of one header")
{
    with_witnesses(both, [](witness const& w, texts& random) {
        config settings = settings_for(w);
        settings.token = random.any("t");
        std::optional<arrived> const came = arrival(w, list(settings));
        if (!came)
            return false;
        CHECK(came->url == "/base/activities");
        CHECK(came->values("X-Plex-Token") == std::vector<std::string>{settings.token});
        CHECK(came->headers.size() == 6);
        return true;
    });
}

TEST_CASE("whatever the identity, it is refused or is the values of its headers")
{
    with_witnesses(both, [](witness const& w, texts& random) {
        config settings = settings_for(w);
        settings.identity.product = random.any("p");
        settings.identity.version = random.any("v");
        settings.identity.device_name = random.any("d");
        settings.identity.client_identifier = random.any("c");
        std::optional<arrived> const came = arrival(w, list(settings));
        if (!came)
            return false;
        auto const one = [&](char const* name) { return came->values(name); };
        CHECK(came->url == "/base/activities");
        CHECK(one("X-Plex-Product") == std::vector<std::string>{trimmed(settings.identity.product)});
        CHECK(one("X-Plex-Version") == std::vector<std::string>{trimmed(settings.identity.version)});
        CHECK(one("X-Plex-Device-Name") == std::vector<std::string>{trimmed(settings.identity.device_name)});
        CHECK(one("X-Plex-Client-Identifier") ==
              std::vector<std::string>{trimmed(settings.identity.client_identifier)});
        CHECK(came->headers.size() == 8);
        return true;
    });
}

TEST_CASE("whatever path a base URL has, it is refused or stands before each request's")
{
    with_witnesses(both, [](witness const& w, texts& random) {
        config settings = settings_for(w);
        std::string path = random.any("/");
        settings.url = w.url() + path;
        std::optional<arrived> const came = arrival(w, list(settings));
        if (!came)
            return false;
        while (path.ends_with('/'))
            path.pop_back();
        CHECK(came->method == "GET");
        CHECK(came->url == path + "/activities");
        CHECK_FALSE(came->url.starts_with("//"));
        CHECK(came->values("Host").size() == 1);
        CHECK(came->headers.size() == 6);
        return true;
    });
}

TEST_CASE("whatever filters and path the feed has, it is refused or opened by one such request")
{
    with_witnesses(both, [](witness const& w, texts& random) {
        config settings = settings_for(w);
        settings.transport = random.below(2) == 0 ? transport::websocket : transport::eventsource;
        settings.feed_filters = random.any();
        settings.websocket_path = random.any("/");
        std::optional<arrived> const came = arrival(w, open_feed(settings));
        if (!came)
            return false;
        bool const is_websocket = settings.transport == transport::websocket;
        std::string const path = is_websocket ? settings.websocket_path : "/:/eventsource/notifications";
        char const joint = path.find('?') == std::string::npos ? '?' : '&';
        std::string const start = "/base" + path + joint + "filters=";
        REQUIRE(came->url.starts_with(start));
        std::string const value = came->url.substr(start.size());
        CHECK(value.find_first_of("&#?") == std::string::npos);
        CHECK(percent_decoded(value) == settings.feed_filters);
        CHECK(came->method == "GET");
        CHECK(came->values("Upgrade").size() == (is_websocket ? 1 : 0));
        CHECK(came->headers.size() == (is_websocket ? 9 : 6));
        return true;
    });
}

TEST_CASE("whatever the server's pings hold, node's ws gets each of them back as a pong, and no other frame")
{
    witness const w("node");
    config settings = settings_for(w);
    settings.url = w.url() + "/frames";
    settings.transport = transport::websocket;
    std::vector<std::string> lines;
    outcome_of(settings, [&](client& c) -> asio::awaitable<error> {
        feed const held = c.subscribe();
        std::function<bool()> const closed = [&c] { return c.connection().state == connection_state::interrupted; };
        co_await until(closed);
        co_return error();
    });
    for (auto const end = std::chrono::steady_clock::now() + 30s;
         lines.empty() && std::chrono::steady_clock::now() < end;)
        lines = w.lines();
    // A busy machine lets the client connect again before it is stopped: that connection ends anywhere among its pings.
    REQUIRE_FALSE(lines.empty());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CAPTURE(lines[i]);
        std::istringstream in(lines[i]);
        std::string what;
        int good = -1;
        int wrong = -1;
        int code = -1;
        in >> what >> good >> wrong >> code;
        CHECK(what == "frames");
        CHECK(wrong == 0);
        if (i == 0) {
            CHECK(good == 300);
            CHECK(code >= 4000); // its own code comes back
        }
    }
}
