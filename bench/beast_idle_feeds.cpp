// Very many bare Beast streams that wait for a message, on one thread.
#include "beast_feed.hpp"
#include "idleness.hpp"
#include "measure.hpp"

#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

namespace {

using namespace plex::bench;
using plain_stream = asio::ip::tcp::socket;
using tls_stream = asio::ssl::stream<asio::ip::tcp::socket>;

constexpr std::uint64_t opened_at_once = 64;

template <class Stream>
struct feeds {
    feeds(std::uint64_t p, std::uint64_t w) : tls(asio::ssl::context::tls_client), timer(context), port(p), wanted(w) {}

    std::unique_ptr<beast::websocket::stream<Stream>> make()
    {
        if constexpr (std::is_same_v<Stream, tls_stream>)
            return std::make_unique<beast::websocket::stream<Stream>>(context, tls);
        else
            return std::make_unique<beast::websocket::stream<Stream>>(context);
    }

    asio::io_context context{1};
    asio::ssl::context tls;
    asio::steady_timer timer;
    std::uint64_t port;
    std::uint64_t wanted;
    std::vector<std::unique_ptr<beast::websocket::stream<Stream>>> all;
    std::uint64_t opened = 0;
    std::uint64_t lost = 0;
};

template <class Stream>
asio::awaitable<void> wait_for_message(beast::websocket::stream<Stream>& stream)
{
    beast::flat_buffer buffer;
    co_await stream.async_read(buffer, asio::use_awaitable);
}

template <class Stream>
asio::awaitable<void> open_one(feeds<Stream>& made)
{
    made.all.push_back(made.make());
    auto& stream = *made.all.back();
    co_await open_feed(stream, made.port, "/idle");
    ++made.opened;
    asio::co_spawn(made.context, wait_for_message(stream), [&made](std::exception_ptr) { ++made.lost; });
}

template <class Stream>
asio::awaitable<void> open(feeds<Stream>& made)
{
    while (made.all.size() < made.wanted + 1)
        co_await open_one(made);
    if (made.opened == made.wanted + 1)
        made.timer.cancel();
}

template <class Timer>
asio::awaitable<void> pass(Timer& timer, std::chrono::seconds time)
{
    timer.expires_after(time);
    try {
        co_await timer.async_wait(asio::use_awaitable);
    } catch (boost::system::system_error const&) {
        // woken
    }
}

template <class Stream>
asio::awaitable<void> measure(feeds<Stream>& made, std::string_view program)
{
    made.all.reserve(made.wanted + 1);
    co_await open_one(made); // what a process has once
    idleness result;
    result.opening();
    for (std::uint64_t i = 0; i != std::min(made.wanted, opened_at_once); ++i)
        asio::co_spawn(made.context, open(made), rethrow);
    co_await pass(made.timer, std::chrono::hours(1));
    result.opened();
    co_await pass(made.timer, std::chrono::seconds(1));
    result.quiet();
    co_await pass(made.timer, idleness::watched);
    expect(made.lost == 0 && made.opened == made.wanted + 1, "a stream is not open");
    result.report(program, made.wanted);
    made.context.stop();
}

template <class Stream>
void run(std::uint64_t port, std::uint64_t wanted, std::string_view program)
{
    feeds<Stream> made(port, affordable(wanted, 1));
    asio::co_spawn(made.context, measure(made, program), rethrow);
    made.context.run();
}

} // namespace

int main(int argc, char** argv)
{
    constexpr char const* usage = "PORT COUNT [tls]";
    std::uint64_t const port = number(argc, argv, 1, usage);
    std::uint64_t const wanted = number(argc, argv, 2, usage);
    if (is_word(argc, argv, 3, "tls", usage))
        run<tls_stream>(port, wanted, "beast_idle_feeds_tls");
    else
        run<plain_stream>(port, wanted, "beast_idle_feeds");
}
