#pragma once

#include "calls_fixture.hpp"
#include "certificates.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace plex::test {

struct authority {
    certificate root = certificate("Test authority");
    temporary_file file{root.pem()};
};

inline fake_server_options serving(certificate const& c)
{
    fake_server_options options;
    options.token = "sEcReT";
    options.certificate_pem = c.pem();
    options.private_key_pem = c.key_pem();
    return options;
}

/// A server with this certificate, a client that trusts `trusted`.
class tls_scene : public call_scene
{
public:
    tls_scene(certificate const& own, authority const& trusted) : call_scene(serving(own))
    {
        settings.token = "sEcReT";
        settings.tls.ca_file = trusted.file.path();
    }
    void use_host(std::string const& host) { settings.url = "https://" + host + ":" + std::to_string(server.port()); }
    /// What the one call fails with. Nothing of it may have reached the server.
    error refused()
    {
        error failure;
        run([&]() -> asio::awaitable<void> { failure = co_await failure_of(client().get_server_activities()); });
        INFO(failure.what());
        CHECK(failure.code() == errc::connection_failed);
        CHECK(contains(failure.what(), "the TLS handshake"));
        CHECK(contains(failure.what(), settings.url));
        CHECK(contains(failure.what(), "tls.insecure"));
        CHECK_FALSE(contains(failure.what(), "sEcReT"));
        CHECK(server.requests().empty());
        return failure;
    }
    void accepted()
    {
        run([&]() -> asio::awaitable<void> {
            error const outcome = co_await failure_of(client().get_server_activities());
            INFO(outcome.what());
            CHECK(outcome.code() == error_code());
        });
        CHECK(server.requests().size() == 1);
    }
};

/// The server's side of TLS in the test's own hands, for one connection at a time.
class raw_tls_server
{
public:
    raw_tls_server(asio::io_context& io, certificate const& own)
        : acceptor_(io, {asio::ip::address_v4::loopback(), 0}), context_(asio::ssl::context::tls_server)
    {
        std::string const pem = own.pem();
        std::string const key = own.key_pem();
        context_.use_certificate_chain(asio::buffer(pem));
        context_.use_private_key(asio::buffer(key), asio::ssl::context::pem);
    }
    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    std::string url() const { return "https://127.0.0.1:" + std::to_string(port()); }
    SSL_CTX* context() { return context_.native_handle(); }
    SSL* ssl() { return stream->native_handle(); }

    asio::awaitable<void> accept()
    {
        asio::ip::tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
        stream.emplace(std::move(socket), context_);
        co_await stream->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    }
    /// Answers one request on the connection and leaves that open.
    asio::awaitable<void> answer()
    {
        co_await read_request();
        std::string const answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        co_await write(answer);
    }
    asio::awaitable<void> read_request()
    {
        std::array<char, 4096> buffer;
        co_await stream->async_read_some(asio::buffer(buffer), asio::use_awaitable);
    }
    asio::awaitable<void> answer_one()
    {
        co_await accept();
        co_await answer();
    }
    asio::awaitable<void> write(std::string bytes)
    {
        std::size_t sent = 0;
        while (sent < bytes.size())
            sent += co_await stream->async_write_some(asio::buffer(bytes) + sent, asio::use_awaitable);
    }
    /// TLS 1.3: what a server may send at any time and is no data. The client has to answer it in kind.
    asio::awaitable<void> send_ticket_and_new_keys()
    {
        SSL_new_session_ticket(ssl());
        co_await stream->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
        SSL_key_update(ssl(), SSL_KEY_UPDATE_REQUESTED);
        co_await stream->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    }

    asio::awaitable<void> send_tickets(int count)
    {
        for (int i = 0; i != count; ++i)
            SSL_new_session_ticket(ssl());
        co_await stream->async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    }

    std::optional<asio::ssl::stream<asio::ip::tcp::socket>> stream;

private:
    asio::ip::tcp::acceptor acceptor_;
    asio::ssl::context context_;
};

} // namespace plex::test
