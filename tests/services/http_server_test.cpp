#include "services/http_server.hpp"

#include "integration/run.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace plex::service;
namespace asio = boost::asio;
using asio::ip::tcp;
using plex::test::run;
using plex::test::until;
using std::chrono::milliseconds;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

http_limits small_limits()
{
    http_limits l;
    l.connections = 3;
    l.refused = 2;
    l.readers = 1;
    l.header = 512;
    l.body = 64;
    l.request = milliseconds(100);
    l.write = milliseconds(100);
    l.silence = milliseconds(20);
    return l;
}

http_limits patient_limits()
{
    http_limits l = small_limits();
    l.request = l.write = l.silence = std::chrono::seconds(50);
    return l;
}

/// A server that repeats what it was asked, and has an event stream at /events.
struct scene {
    explicit scene(http_limits const& limits)
        : server(io.get_executor(), {asio::ip::address_v4::loopback(), 0}, limits,
                 [this](http_request asked) { return answer(std::move(asked)); })
    {
    }

    asio::awaitable<http_reply> answer(http_request asked)
    {
        ++asked_for;
        if (asked.target == "/fault")
            throw std::runtime_error("a fault");
        http_reply r;
        r.content_type = "text/plain";
        r.body = asked.method + ' ' + asked.target + ' ' + asked.host + ' ' + asked.body;
        if (asked.target == "/events")
            r.events = [this, next = std::size_t(0)]() mutable {
                return next < pieces.size() ? pieces[next++] : std::shared_ptr<std::string const>();
            };
        co_return r;
    }

    asio::io_context io{1};
    int asked_for = 0;
    std::vector<std::shared_ptr<std::string const>> pieces;
    http_server server;
};

struct visitor {
    explicit visitor(scene& s) : socket(s.io), at(s.server.local_endpoint()) {}

    asio::awaitable<void> say(std::string text)
    {
        if (!socket.is_open())
            co_await socket.async_connect(at, asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(text), quietly);
    }
    /// All until it ends with `last`, or to the end of the connection.
    asio::awaitable<std::string> hear(std::string last = {})
    {
        std::array<char, 4096> some{};
        while (last.empty() || heard.find(last) == heard.npos) {
            auto const [ec, size] = co_await socket.async_read_some(asio::buffer(some), quietly);
            if (ec)
                break;
            heard.append(some.data(), size);
        }
        std::string const all = heard;
        co_return all;
    }
    std::string status() const { return heard.substr(0, std::min<std::size_t>(heard.size(), 12)); }

    tcp::socket socket;
    tcp::endpoint at;
    std::string heard;
};

std::string get(std::string const& target)
{
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

} // namespace

TEST_CASE("a connection is kept for further requests, and one that is no HTTP is refused")
{
    scene s(patient_limits());
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        visitor v(t);
        co_await v.say(get("/one") + get("/two"));
        co_await v.hear("GET /two a ");
        CHECK(v.heard.find("GET /one a ") != v.heard.npos);
        v.heard.clear();
        co_await v.say(
            "POST /three HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
        co_await v.hear();
        CHECK(v.heard.ends_with("POST /three  body")); // two Hosts are none
        CHECK(v.status() == "HTTP/1.1 200");

        visitor head(t);
        co_await head.say("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        co_await head.hear();
        CHECK(head.heard.ends_with("\r\n\r\n"));

        visitor other(t);
        co_await other.say("\x16\x03\x01\x02\x00 hello\r\n\r\n");
        co_await other.hear();
        CHECK(other.status() == "HTTP/1.1 400");

        visitor faulty(t);
        co_await faulty.say(get("/fault"));
        co_await faulty.hear("why\n");
        CHECK(faulty.status() == "HTTP/1.1 500");
        t.server.stop();
    }(s));
}

TEST_CASE("a head or a body that is too long is refused without being read, announced or not")
{
    http_limits limits = patient_limits();
    limits.connections = 10;
    scene s(limits);
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        visitor long_head(t);
        co_await long_head.say("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(600, 'x'));
        co_await long_head.hear();
        CHECK(long_head.status() == "HTTP/1.1 431");
        visitor announced(t);
        co_await announced.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n");
        co_await announced.hear();
        CHECK(announced.status() == "HTTP/1.1 413");
        visitor chunked(t);
        co_await chunked.say("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" +
                             std::string(128, 'x'));
        co_await chunked.hear();
        CHECK(chunked.status() == "HTTP/1.1 413");
        CHECK(t.asked_for == 0);
        visitor fits(t);
        co_await fits.say("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 64\r\n\r\n" +
                          std::string(64, 'x'));
        co_await fits.hear();
        CHECK(fits.status() == "HTTP/1.1 200");
        t.server.stop();
    }(s));
}

TEST_CASE("a request that trickles, and a connection that asks for nothing more, are dropped in time")
{
    scene s(small_limits());
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        visitor silent(t);
        co_await silent.say("");
        co_await silent.hear();
        CHECK(silent.heard.empty());
        visitor kept(t);
        co_await kept.say(get("/"));
        co_await kept.hear(); // until it is dropped
        CHECK(kept.status() == "HTTP/1.1 200");
        visitor trickles(t);
        asio::steady_timer pause(t.io);
        std::string const request = get("/" + std::string(200, 'x'));
        bool dropped = false;
        for (std::size_t i = 0; i < request.size() && !dropped; ++i) {
            co_await trickles.say(request.substr(i, 1));
            pause.expires_after(milliseconds(5));
            co_await pause.async_wait(asio::use_awaitable);
            trickles.socket.non_blocking(true);
            char one = 0;
            boost::system::error_code ec;
            trickles.socket.read_some(asio::buffer(&one, 1), ec);
            dropped = ec && ec != asio::error::would_block;
        }
        CHECK(dropped);
        CHECK(t.asked_for == 1);
        t.server.stop();
    }(s));
}

TEST_CASE("more connections than the limit are told so, yet more are dropped, and room that is made is taken again")
{
    scene s(patient_limits());
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        std::vector<std::unique_ptr<visitor>> open;
        for (int i = 0; i < 3; ++i) {
            open.push_back(std::make_unique<visitor>(t));
            co_await open.back()->say(get("/"));
            co_await open.back()->hear("GET / a ");
            CHECK(open.back()->status() == "HTTP/1.1 200");
        }
        visitor further(t);
        co_await further.say(get("/"));
        co_await further.hear("open\n");
        CHECK(further.status() == "HTTP/1.1 503");
        visitor another(t);
        co_await another.say(get("/"));
        co_await another.hear("open\n");
        CHECK(another.status() == "HTTP/1.1 503");
        visitor dropped(t);
        co_await dropped.say(get("/"));
        co_await dropped.hear();
        CHECK(dropped.heard.empty());
        further.socket.close();
        another.socket.close();
        open.clear();
        // Until they are seen to have gone.
        for (std::string got; got != "HTTP/1.1 200";) {
            visitor again(t);
            co_await again.say(get("/"));
            co_await again.hear("\n");
            got = again.status();
        }
        CHECK(t.asked_for == 4);
        t.server.stop();
    }(s));
}

TEST_CASE("a reader of the event stream gets each piece, and comments while there is none; its going is seen at once")
{
    scene s(small_limits());
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        t.pieces.push_back(std::make_shared<std::string const>("one"));
        visitor v(t);
        co_await v.say(get("/events"));
        co_await v.hear("data: one\n\n:\n\n:\n\n");
        CHECK(v.heard.find("Content-Type: text/event-stream\r\n") != v.heard.npos);
        CHECK(v.heard.find("data: one\n\n:\n\n:\n\n") != v.heard.npos);
        t.pieces.push_back(std::make_shared<std::string const>("two"));
        t.server.wake_readers();
        co_await v.hear("data: two\n\n");
        CHECK(t.server.readers() == 1);

        visitor second(t);
        co_await second.say(get("/events"));
        co_await second.hear("stream\n");
        CHECK(second.status() == "HTTP/1.1 503");
        v.socket.close();
        co_await until([&] { return t.server.readers() == 0; });
        t.server.stop();
    }(s));
}

TEST_CASE("news that come while a reader is on its way to rest are not slept over")
{
    scene s(patient_limits());
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        visitor v(t);
        co_await v.say(get("/events"));
        co_await v.hear("\r\n\r\n");
        for (int i = 0; i < 300; ++i) {
            std::string const text = "piece " + std::to_string(i) + ".";
            t.pieces.push_back(std::make_shared<std::string const>(text));
            t.server.wake_readers();
            co_await v.hear(text);
        }
        t.server.stop();
    }(s));
}

TEST_CASE("a reader that takes nothing is dropped, and holds one piece until then")
{
    scene s(small_limits());
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        auto const piece = std::make_shared<std::string const>(1 << 20, 'x');
        t.pieces.assign(64, piece);
        visitor v(t);
        co_await v.say(get("/events"));
        co_await until([&] { return t.server.readers() == 1; });
        CHECK(piece.use_count() <= 64 + 2);
        co_await until([&] { return t.server.readers() == 0; });
        t.server.stop();
    }(s));
}

TEST_CASE("stopping drops every connection, resting, reading or asking, and frees the port")
{
    scene s(patient_limits());
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        visitor reads(t);
        co_await reads.say(get("/events"));
        co_await reads.hear("\r\n\r\n");
        visitor asks(t);
        co_await asks.say("GET / HT");
        visitor rests(t);
        co_await rests.say(get("/"));
        co_await rests.hear("GET / a ");
        tcp::endpoint const at = t.server.local_endpoint();
        t.server.stop();
        co_await reads.hear();
        co_await asks.hear();
        co_await rests.hear();
        tcp::acceptor again(t.io, at.protocol());
        again.set_option(tcp::acceptor::reuse_address(true));
        again.bind(at);
        again.listen();
    }(s));
    s.io.restart();
    s.io.run(); // nothing is left that keeps it
}
