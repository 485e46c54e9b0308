#include "tls_fixture.hpp"

#include "net/dial.hpp"

#include <algorithm>

// A byte stream over TLS: what comes that is no data, what does not fit, and what ends it.

using namespace plex;
using namespace plex::test;

namespace {

/// Both ends of a connection, after the handshake.
class tls_pair
{
public:
    void run(std::function<asio::awaitable<void>()> body) { test::run(io, whole(std::move(body))); }

    asio::io_context io;
    authority ca;
    certificate own{"server", "IP:127.0.0.1", &ca.root};
    raw_tls_server server{io, own};
    net::scope scope{io.get_executor()};
    std::unique_ptr<net::byte_stream> client;

    net::endpoint_settings endpoint()
    {
        net::tls_options options;
        options.authorities = {{ca.root.pem(), "the authority"}};
        net::endpoint_settings to;
        to.host = "127.0.0.1";
        to.port = server.port();
        to.tls = net::tls_peer::of(options, to.host, to.port);
        return to;
    }
    asio::awaitable<void> connect()
    {
        SSL_CTX_set_num_tickets(server.context(), 0); // those of the tests are enough
        bool accepted = false;
        asio::co_spawn(io, server.accept(), [&](std::exception_ptr) { accepted = true; });
        net::endpoint_settings const to = endpoint();
        net::dial_result dialled = co_await net::dial(scope, to, std::chrono::steady_clock::now() + 30s);
        REQUIRE_FALSE(dialled.ec);
        client = std::move(dialled.stream);
        co_await until([&] { return accepted; }); // later than the client thinks
    }
    /// A loopback interface too takes its time.
    asio::awaitable<void> arrival()
    {
        error_code const ec = co_await client->wait_readable();
        CHECK_FALSE(ec);
    }
    /// Sends all of it while the server reads, or not.
    asio::awaitable<void> send(std::string bytes, bool& sent)
    {
        error_code const ec = co_await client->write(asio::buffer(bytes));
        CHECK_FALSE(ec);
        sent = true;
    }
    asio::awaitable<std::string> receive(std::size_t size, std::size_t at_a_time)
    {
        std::string got;
        std::string part(at_a_time, '\0');
        while (got.size() < size) {
            net::io_result const read = co_await client->read_some(asio::buffer(part));
            if (read.ec)
                throw boost::system::system_error(read.ec);
            got.append(part, 0, read.bytes);
        }
        co_return got;
    }

private:
    asio::awaitable<void> whole(std::function<asio::awaitable<void>()> body)
    {
        co_await connect();
        co_await body();
        client.reset();
    }
};

std::string various(std::size_t size)
{
    std::string bytes(size, '\0');
    std::uint32_t state = 1;
    for (char& c : bytes)
        c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

} // namespace

TEST_CASE("tickets and new keys that come while nobody reads are no data, and the stream goes on")
{
    tls_pair s;
    s.run([&]() -> asio::awaitable<void> {
        std::array<char, 64> buffer;
        for (int i = 0; i != 3; ++i) {
            co_await s.server.send_ticket_and_new_keys();
            co_await s.arrival();
            net::io_result const read = s.client->try_read(asio::buffer(buffer));
            CHECK(read.ec == asio::error::would_block);
            CHECK(read.bytes == 0);
            CHECK(s.client->is_quiet());

            co_await s.server.send_ticket_and_new_keys();
            co_await s.arrival();
            CHECK(s.client->is_quiet()); // which takes them in
            co_await s.server.write("hello");
            co_await s.arrival();
            CHECK_FALSE(s.client->is_quiet());
            std::string const got = co_await s.receive(5, 64);
            CHECK(got == "hello");
            CHECK(s.client->is_quiet());

            // The answer to the new keys goes with what is sent next.
            error_code const sent = co_await s.client->write(asio::buffer("there", 5));
            CHECK_FALSE(sent);
            std::size_t const size =
                co_await s.server.stream->async_read_some(asio::buffer(buffer), asio::use_awaitable);
            CHECK(std::string(buffer.data(), size) == "there");
        }
    });
}

TEST_CASE("a peer that has no end of tickets does not hold the thread: each try takes in so many and no more")
{
    tls_pair s;
    s.run([&]() -> asio::awaitable<void> {
        co_await s.server.send_tickets(2'500); // 600 KiB, before anybody reads
        co_await s.server.write("hello");
        std::array<char, 64> buffer;
        for (bool const peeks : {true, false}) { // half of them each
            for (int i = 0; i != 2; ++i) {
                co_await s.arrival(); // which does not wait for more
                if (peeks)
                    s.client->is_quiet();
                else
                    CHECK(s.client->try_read(asio::buffer(buffer)).bytes == (i == 0 ? 0 : 5));
            }
        }
    });
}

TEST_CASE("a name that TLS cannot ask for ends the dial")
{
    tls_pair s;
    s.run([&]() -> asio::awaitable<void> {
        net::endpoint_settings to = s.endpoint();
        to.tls = net::tls_peer::of(net::tls_options(), std::string(300, 'h'), to.port);
        net::dial_result const dialled = co_await net::dial(s.scope, to, std::chrono::steady_clock::now() + 30s);
        CHECK(dialled.ec.failed());
        CHECK(dialled.step == net::dial_step::tls_handshake);
    });
}

TEST_CASE("what is left of a record is there without waiting for the socket, however little is read at a time")
{
    for (std::size_t const at_a_time : {std::size_t(1), std::size_t(999), std::size_t(64 * 1024)}) {
        INFO(at_a_time);
        tls_pair s;
        std::string const bytes = various(at_a_time == 1 ? 20'000 : 500'000);
        s.run([&]() -> asio::awaitable<void> {
            asio::co_spawn(s.io, s.server.write(bytes), asio::detached);
            std::string const got = co_await s.receive(bytes.size(), at_a_time);
            bool const same = got == bytes;
            CHECK(same);
        });
    }
}

TEST_CASE("whoever waits with half a record read is told at once, however he waits")
{
    struct ear final : net::readable_listener {
        void readable(error_code ec, std::shared_ptr<void>) override
        {
            heard = true;
            failure = ec;
        }
        bool heard = false;
        error_code failure;
    };
    tls_pair s;
    s.run([&]() -> asio::awaitable<void> {
        co_await s.server.write("hello");
        co_await s.arrival();
        std::array<char, 2> buffer;
        CHECK(s.client->try_read(asio::buffer(buffer)).bytes == 2);
        co_await s.arrival(); // nothing more comes from the socket
        ear listener;
        s.client->notify_readable(nullptr, listener);
        CHECK_FALSE(listener.heard); // not from within
        co_await until([&] { return listener.heard; });
        CHECK_FALSE(listener.failure);
        std::string const rest = co_await s.receive(3, 2);
        CHECK(rest == "llo");
    });
}

TEST_CASE("a record that comes in two halves keeps nobody busy and is read when it is whole")
{
    tls_pair s;
    s.run([&]() -> asio::awaitable<void> {
        // Written by OpenSSL into memory, so that its bytes can be sent as the test likes.
        BIO* const into = BIO_new(BIO_s_mem());
        SSL_set0_wbio(s.server.ssl(), into);
        SSL_write(s.server.ssl(), "whole", 5);
        char* data = nullptr;
        auto const size = static_cast<std::size_t>(BIO_get_mem_data(into, &data));
        std::string const record(data, size);

        std::array<char, 64> buffer;
        asio::ip::tcp::socket& socket = s.server.stream->next_layer();
        co_await socket.async_send(asio::buffer(record, size / 2), asio::use_awaitable);
        co_await s.arrival();
        CHECK_FALSE(s.client->is_quiet());
        net::io_result const first = s.client->try_read(asio::buffer(buffer));
        CHECK(first.ec == asio::error::would_block);
        started waiting(s.io.get_executor(), s.arrival());
        for (int turns = 0; turns != 20; ++turns)
            co_await asio::post(s.io, asio::use_awaitable);
        CHECK_FALSE(waiting.done());
        co_await socket.async_send(asio::buffer(record) + size / 2, asio::use_awaitable);
        error const outcome = co_await waiting.result();
        CHECK(outcome.code() == error_code());
        net::io_result const second = s.client->try_read(asio::buffer(buffer));
        CHECK(second.bytes == 5);
    });
}

TEST_CASE("a peer that does not read makes the writer wait, and then gets everything")
{
    tls_pair s;
    std::string const bytes = various(24u << 20);
    s.run([&]() -> asio::awaitable<void> {
        bool sent = false;
        asio::co_spawn(s.io, s.send(bytes, sent), asio::detached);
        for (int turns = 0; turns != 50; ++turns)
            co_await asio::post(s.io, asio::use_awaitable);
        CHECK_FALSE(sent);
        // Meanwhile the other direction works.
        co_await s.server.write("hello");
        std::string const heard = co_await s.receive(5, 64);
        CHECK(heard == "hello");
        std::string got;
        std::string part(64 * 1024, '\0');
        while (got.size() < bytes.size()) {
            std::size_t const size = co_await s.server.stream->async_read_some(asio::buffer(part), asio::use_awaitable);
            got.append(part, 0, size);
        }
        bool const same = got == bytes;
        CHECK(same);
        co_await until([&] { return sent; });
    });
}

TEST_CASE("a writer who waits for his peer is woken when the stream is closed")
{
    tls_pair s;
    std::string const bytes = various(24u << 20);
    s.run([&]() -> asio::awaitable<void> {
        error_code outcome;
        auto write = [&]() -> asio::awaitable<void> { outcome = co_await s.client->write(asio::buffer(bytes)); };
        asio::co_spawn(s.io, write(), asio::detached);
        for (int turns = 0; turns != 50; ++turns)
            co_await asio::post(s.io, asio::use_awaitable);
        CHECK_FALSE(outcome);
        s.client->close();
        co_await until([&] { return outcome.failed(); });
        CHECK(outcome == asio::error::operation_aborted);
    });
}

TEST_CASE("to write to a peer that is gone is an error and no signal")
{
    tls_pair s;
    s.run([&]() -> asio::awaitable<void> {
        s.server.stream->next_layer().set_option(asio::socket_base::linger(true, 0));
        s.server.stream->next_layer().close();
        error_code ec;
        for (int i = 0; i != 3; ++i)
            ec = co_await s.client->write(asio::buffer("x", 1));
        CHECK(ec.failed());
        error_code const end = co_await s.client->wait_readable();
        (void)end;
        std::array<char, 8> buffer;
        CHECK(s.client->try_read(asio::buffer(buffer)).ec.failed());
        CHECK_FALSE(s.client->is_quiet());
    });
}

TEST_CASE("a peer's end is an end after all that it had sent, and one without TLS's goodbye is told as such")
{
    for (bool const polite : {true, false}) {
        INFO(polite);
        tls_pair s;
        s.run([&]() -> asio::awaitable<void> {
            co_await s.server.write("last words");
            asio::co_spawn(
                s.io,
                [&]() -> asio::awaitable<void> {
                    error_code ignored;
                    if (polite)
                        co_await s.server.stream->async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
                    s.server.stream->next_layer().close();
                },
                asio::detached);
            std::string const words = co_await s.receive(10, 64);
            CHECK(words == "last words");
            std::array<char, 8> buffer;
            net::io_result const read = co_await s.client->read_some(asio::buffer(buffer));
            error_code const end = polite ? error_code(asio::error::eof) : asio::ssl::error::stream_truncated;
            CHECK(read.ec == end);
            CHECK_FALSE(s.client->is_quiet());
            CHECK(s.client->try_read(asio::buffer(buffer)).ec == end);
        });
    }
}

TEST_CASE("once closed a stream touches no other socket that has got its number")
{
    tls_pair s;
    s.run([&]() -> asio::awaitable<void> {
        s.client->close();
        // The next socket gets the number of the closed one.
        asio::ip::tcp::acceptor acceptor(s.io, {asio::ip::address_v4::loopback(), 0});
        asio::ip::tcp::socket one(s.io);
        asio::ip::tcp::socket other(s.io);
        asio::ip::tcp::endpoint const there = acceptor.local_endpoint();
        asio::co_spawn(s.io, one.async_connect(there, asio::use_awaitable), asio::detached);
        co_await acceptor.async_accept(other, asio::use_awaitable);
        error_code const ec = co_await s.client->write(asio::buffer("x", 1));
        CHECK(ec.failed());
        std::array<char, 8> buffer;
        CHECK(s.client->try_read(asio::buffer(buffer)).ec.failed());
        co_await s.client->say_goodbye();
        for (asio::ip::tcp::socket* const socket : {&one, &other})
            CHECK(socket->available() == 0);
    });
}
