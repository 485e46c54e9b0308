// How long a message takes from the server's write to the code behind a bare Beast loop.
#include "beast_feed.hpp"
#include "delays.hpp"
#include "measure.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <string_view>

namespace {

using namespace plex::bench;

asio::awaitable<void> take(beast::websocket::stream<asio::ip::tcp::socket>& stream, std::uint64_t messages,
                           delays& seen)
{
    static constexpr std::string_view key = R"("subtitle":")";
    beast::flat_buffer buffer;
    for (std::uint64_t i = 0; i != messages; ++i) {
        co_await stream.async_read(buffer, asio::use_awaitable);
        std::string_view const text(static_cast<char const*>(buffer.cdata().data()), buffer.size());
        seen.arrived(text.substr(text.find(key) + key.size()));
        buffer.clear();
    }
}

asio::awaitable<void> measure(beast::websocket::stream<asio::ip::tcp::socket>& stream, std::uint64_t port,
                              std::uint64_t messages)
{
    co_await open_feed(stream, port, "/paced");
    delays seen(messages);
    co_await take(stream, paced_warm_up, seen);
    seen.reset();
    reading const begin = reading::now();
    co_await take(stream, messages, seen);
    reading const spent = reading::now() - begin;
    seen.report("beast_latency", spent);
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const messages = number(argc, argv, 2, "PORT COUNT");
    asio::io_context context(1);
    beast::websocket::stream<asio::ip::tcp::socket> stream(context);
    asio::co_spawn(context, measure(stream, port, messages), rethrow);
    context.run();
}
