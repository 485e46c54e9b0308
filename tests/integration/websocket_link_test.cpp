#include "calls_fixture.hpp"
#include "full_stream.hpp"

#include "net/websocket_link.hpp"

#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>

// A WebSocket whose peer reads late, or not at all.

using namespace plex;
using namespace plex::test;

namespace {

/// A link and its peer, over a pair of sockets that hold little.
struct link_scene {
    link_scene()
    {
        asio::local::stream_protocol::socket ours(io);
        asio::local::connect_pair(ours, peer);
        ours.set_option(asio::socket_base::send_buffer_size(4096));
        ours.non_blocking(true);
        net::stream_socket socket(std::move(ours));
        link = std::make_shared<net::websocket_link>(scope, net::make_plain_stream(scope, std::move(socket)), "",
                                                     net::live_link::settings());
    }
    void run(asio::awaitable<void> body) { test::run(io, std::move(body)); }

    /// Pings of five digits, each a frame of eleven bytes.
    std::size_t send_pings(std::uint32_t count)
    {
        for (std::uint32_t i = 0; i != count; ++i)
            link->ask_confirmation(10'000 + i);
        return count * 11;
    }
    asio::awaitable<void> read(std::size_t size)
    {
        std::string bytes(size, '\0');
        got += co_await asio::async_read(peer, asio::buffer(bytes), asio::use_awaitable);
        closed = static_cast<unsigned char>(bytes[size - 8]) == 0x88; // with a mask and a code
    }

    asio::io_context io;
    net::scope scope{io.get_executor()};
    asio::local::stream_protocol::socket peer{io};
    std::shared_ptr<net::websocket_link> link;
    std::size_t got = 0;
    bool closed = false;
};

} // namespace

TEST_CASE("a close frame that has to wait for a peer that reads late is waited for, and comes last")
{
    link_scene s;
    auto body = [&]() -> asio::awaitable<void> {
        std::size_t const size = s.send_pings(4'000) + 8;
        CHECK(s.link->say_goodbye());
        started flushing(s.io.get_executor(), s.link->flushed(std::chrono::steady_clock::now() + 30s));
        for (int turns = 0; turns != 20; ++turns)
            co_await asio::post(s.io, asio::use_awaitable);
        CHECK_FALSE(flushing.done());
        co_await s.read(size);
        error const outcome = co_await flushing.result();
        CHECK(outcome.code() == error_code());
        CHECK(s.got == size);
        CHECK(s.closed);
    };
    s.run(body());
}

TEST_CASE("the pings of one read are answered by one write, and each of them")
{
    struct nobody final : net::link_listener {
        void message(std::span<char>) override {}
        void other_event() override {}
        void confirmed(std::uint32_t) override {}
        void retry(std::chrono::milliseconds) override {}
    } listener;
    asio::io_context io;
    net::scope scope(io.get_executor());
    std::size_t const pings = 20'000;
    std::string bytes;
    for (std::size_t i = 0; i != pings; ++i)
        bytes.append("\x89\x00", 2);
    auto stream = std::make_unique<full_stream>(scope, std::move(bytes));
    full_stream& peer = *stream;
    auto const link = std::make_shared<net::websocket_link>(scope, std::move(stream), "", net::live_link::settings());
    int reads = 0;
    while (link->read(std::chrono::steady_clock::now(), listener) == net::live_link::end::none)
        ++reads;
    std::size_t const pong = 6; // with its mask
    CHECK(peer.written.size() == pings * pong);
    CHECK(peer.writes <= reads + static_cast<int>(peer.written.size() >> 16));
}

TEST_CASE("a peer that does not read at all is waited for no longer than until the deadline")
{
    link_scene s;
    auto body = [&]() -> asio::awaitable<void> {
        s.send_pings(4'000);
        co_await s.link->flushed(std::chrono::steady_clock::now() + 20ms);
        char byte = 0;
        std::size_t const size = co_await s.peer.async_read_some(asio::buffer(&byte, 1), asio::use_awaitable);
        CHECK(size == 1); // it is open still, and
        s.link->close();  // ends the writing
        co_await s.link->flushed(std::chrono::steady_clock::now() + 30s);
    };
    s.run(body());
}
