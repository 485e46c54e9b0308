// The fake server over TLS: the same server, and the end of its stream told apart from a cut.
#include "certificates.hpp"
#include "fake_server_scene.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <array>

using namespace plex::test;
using namespace plex::testing;

namespace {

fake_server_options with_tls()
{
    certificate const own("localhost", "DNS:localhost,IP:127.0.0.1");
    fake_server_options options;
    options.certificate_pem = own.pem();
    options.private_key_pem = own.key_pem();
    return options;
}

/// What comes until the end of the stream, and how it ended.
struct tls_end {
    tls_end() = default;
    std::string bytes;
    boost::system::error_code reason;
};

asio::awaitable<tls_end> ask_over_tls(scene& s, std::string request)
{
    asio::ssl::context context(asio::ssl::context::tls_client);
    asio::ssl::stream<asio::ip::tcp::socket> stream(s.io, context);
    stream.next_layer().connect({asio::ip::address_v4::loopback(), s.server.port()});
    co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
    co_await asio::async_write(stream, asio::buffer(request), asio::use_awaitable);
    tls_end end;
    std::array<char, 4096> buffer;
    while (!end.reason) {
        auto [failure, size] =
            co_await stream.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
        end.bytes.append(buffer.data(), size);
        end.reason = failure;
    }
    co_return end;
}

} // namespace

TEST_CASE("with a certificate the server speaks TLS and says when it ends")
{
    scene s(with_tls());
    CHECK(s.server.url() == "https://127.0.0.1:" + std::to_string(s.server.port()));
    s.server.start_activity(named("a"));
    auto body = [&]() -> asio::awaitable<void> {
        std::string const request = "GET /activities HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
        tls_end const whole = co_await ask_over_tls(s, request);
        CHECK(whole.bytes.find("uuid=\"a\"") != std::string::npos);
        CHECK(whole.reason == asio::error::eof);
        s.server.cut("/activities", 50);
        tls_end const cut = co_await ask_over_tls(s, request);
        CHECK(cut.bytes == whole.bytes.substr(0, 50));
        CHECK(cut.reason == asio::ssl::error::stream_truncated);
        co_await s.server.connections_open_fell_to(0);
    };
    run(s.io, body());
}

TEST_CASE("a certificate or key that cannot be used is refused when the server is made")
{
    asio::io_context io;
    fake_server_options const good = with_tls();
    fake_server_options bad = good;
    bad.certificate_pem = "none";
    CHECK_THROWS_AS(fake_server(io.get_executor(), bad), boost::system::system_error);
    bad = good;
    bad.private_key_pem = with_tls().private_key_pem; // another's
    CHECK_THROWS_AS(fake_server(io.get_executor(), bad), boost::system::system_error);
}

TEST_CASE("over TLS the feed is told what happens")
{
    scene s(with_tls());
    auto body = [&]() -> asio::awaitable<void> {
        std::optional<tls_end> feed;
        asio::co_spawn(s.io,
                       ask_over_tls(s, "GET /:/websockets/notifications HTTP/1.1\r\nHost: test\r\n"
                                       "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
                       [&](std::exception_ptr, tls_end end) { feed = std::move(end); });
        co_await s.server.listeners_reached(1);
        co_await s.server.play_scan();
        co_await s.server.flushed();
        s.server.drop_listeners();
        co_await s.server.connections_open_fell_to(0);
        while (!feed)
            co_await asio::post(s.io, asio::use_awaitable);
        std::size_t events = 0;
        for (auto at = feed->bytes.find("\"ActivityNotification\""); at != std::string::npos;
             at = feed->bytes.find("\"ActivityNotification\"", at + 1))
            ++events;
        CHECK(events == fake_server::scan_events);
    };
    run(s.io, body());
}

TEST_CASE("a connection without TLS is ended without an answer")
{
    scene s(with_tls());
    auto client = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        client.request("GET", "/identity");
        std::string const answer = co_await client.rest();
        CHECK(answer.find("HTTP") == std::string::npos);
    };
    run(s.io, body());
}
