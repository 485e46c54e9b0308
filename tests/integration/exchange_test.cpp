#include "full_stream.hpp"
#include "run.hpp"

#include "net/exchange.hpp"

#include <boost/asio/post.hpp>

// A peer that sends faster than we read.

using namespace plex;
using namespace plex::test;

TEST_CASE("a reply that never has to be waited for leaves the thread to others meanwhile")
{
    asio::io_context io;
    net::scope scope(io.get_executor());
    std::size_t const size = 8u << 20;
    full_stream stream(scope, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                                  std::string(size, 'x'));
    bool over = false;
    std::size_t turns = 0; // of somebody else
    std::function<void()> turn = [&] {
        ++turns;
        if (!over)
            asio::post(io, turn);
    };
    asio::post(io, turn);
    auto const body = [&]() -> asio::awaitable<void> {
        net::reply_reader reader({}, net::expecting::body);
        net::exchange one(stream, "GET / HTTP/1.1\r\n\r\n", reader);
        co_await net::run(one, stream, reader);
        CHECK_FALSE(one.failure());
        CHECK(reader.give_answer().body().size() == size);
        over = true;
    };
    test::run(io, body());
    CHECK(turns > 2); // reads are up to a few MiB long
}
