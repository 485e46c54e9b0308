#include "catch.hpp"

#include "protocol/websocket_framer.hpp"
#include "protocol/websocket_handshake.hpp"
#include "sanitizers.hpp"
#include "unit/websocket_stream.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <cstdlib>
#include <functional>
#include <random>
#include <string>

namespace plex::protocol {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using namespace testing;

// Valid streams: fragments, control frames among them, all three forms of a length, a close at the end.
class source
{
public:
    explicit source(std::uint32_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

    std::string stream()
    {
        std::string out;
        for (std::size_t count = 1 + below(10); count != 0; --count) {
            controls(out);
            std::string const payload = bytes(length());
            std::size_t at = 0;
            int first = below(2) == 0 ? 1 : 2;
            for (std::size_t pieces = below(3) == 0 ? below(5) : 0; pieces != 0; --pieces) {
                std::size_t const size = below(payload.size() - at + 1);
                out += frame(first, payload.substr(at, size));
                at += size;
                first = 0;
                controls(out);
            }
            out += frame(0x80 | first, payload.substr(at));
        }
        static std::string const closes[] = {"", "\x03\xe8", "\x03\xe9restarting", "\x0f\xa0" + std::string(120, 'r')};
        return out + frame(0x88, closes[below(4)]);
    }

private:
    void controls(std::string& out)
    {
        while (below(4) == 0)
            out += frame(below(2) == 0 ? 0x89 : 0x8a, bytes(below(126)));
    }
    std::size_t length()
    {
        std::size_t const sorts[] = {0, below(130), 120 + below(12), below(600),
                                     below(20) == 0 ? 65530 + below(12) : 9};
        return sorts[below(5)];
    }
    std::string bytes(std::size_t size) // ASCII: Beast refuses text that is no UTF-8
    {
        std::string out(size, '\0');
        std::generate(out.begin(), out.end(), [&] { return static_cast<char>(random_() & 0x7f); });
        return out;
    }

    std::mt19937 random_;
};

trace by_beast(std::string const& stream, std::size_t read_size)
{
    asio::io_context io;
    beast::test::stream ours(io);
    beast::test::stream theirs(io);
    ours.connect(theirs);
    ours.read_size(read_size);
    beast::websocket::stream<beast::test::stream&> socket(ours);
    trace seen;
    socket.control_callback([&](beast::websocket::frame_type kind, beast::string_view payload) {
        std::string const text(payload.data(), payload.size());
        if (kind == beast::websocket::frame_type::ping)
            seen.push_back(ping(text));
        else if (kind == beast::websocket::frame_type::pong)
            seen.push_back(pong(text));
    });
    beast::error_code ended;
    socket.async_handshake("host", "/", [&](beast::error_code ec) { ended = ec; });
    io.poll();
    std::string const request(theirs.str());
    std::string_view const name = "Sec-WebSocket-Key: ";
    std::string const key = request.substr(request.find(name) + name.size(), 24);
    theirs.write_some(asio::buffer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: " +
                                   accept_for(key) + "\r\n\r\n"));
    io.restart();
    io.poll();
    REQUIRE_FALSE(ended);

    for (std::string_view rest = stream; !rest.empty();)
        rest.remove_prefix(theirs.write_some(asio::buffer(rest.data(), rest.size())));
    beast::flat_buffer message_bytes;
    std::function<void()> const read = [&] {
        socket.async_read(message_bytes, [&](beast::error_code ec, std::size_t) {
            ended = ec;
            if (ec)
                return;
            seen.push_back(message(beast::buffers_to_string(message_bytes.data())));
            message_bytes.clear();
            read();
        });
    };
    read();
    io.restart();
    io.poll();
    REQUIRE(ended == beast::websocket::error::closed);
    auto const& reason = socket.reason();
    seen.push_back(closed(reason.code == beast::websocket::close_code::none ? close_code::none
                                                                            : static_cast<std::uint16_t>(reason.code),
                          std::string(reason.reason.data(), reason.reason.size())));
    return seen;
}

} // namespace

TEST_CASE("random WebSocket streams say to us what they say to Beast")
{
    char const* const given = std::getenv("PLEX_SEED"); // repeats a run
    auto const seed = given ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device()();
    CAPTURE(seed);
    source random(seed);
    std::size_t items = 0;
    std::size_t const rounds = test::under_thread_sanitizer ? 60 : 300;
    for (std::size_t round = 0; round != rounds; ++round) {
        std::string const stream = random.stream();
        trace const expected = by_beast(stream, 1 + random.below(random.below(2) == 0 ? 10 : 3000));
        run whole;
        whole.piece(stream);
        run pieces;
        std::size_t const most = random.below(2) == 0 ? 20 : 3000;
        for (std::size_t at = 0; at < stream.size();) {
            std::size_t const size = std::min(stream.size() - at, random.below(most + 1));
            pieces.piece(std::string_view(stream).substr(at, size));
            at += size;
        }
        CAPTURE(round);
        REQUIRE(whole.events() == expected);
        REQUIRE(pieces.events() == expected);
        items += expected.size();
    }
    CHECK(items > 5 * rounds);
}

} // namespace plex::protocol
