// The bare loop that a user of Beast would write to read the feed; what it reads is thrown away.
#include "measure.hpp"
#include "messages.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <exception>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using namespace plex::bench;

asio::awaitable<void> read_messages(asio::ip::tcp::socket& socket, std::uint64_t port, std::uint64_t messages)
{
    asio::ip::tcp::endpoint const server(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port));
    co_await socket.async_connect(server, asio::use_awaitable);
    beast::websocket::stream<asio::ip::tcp::socket&> stream(socket);
    co_await stream.async_handshake("127.0.0.1", "/:/websockets/notifications?filters=activity", asio::use_awaitable);
    beast::flat_buffer buffer;
    for (std::uint64_t i = 0; i != warm_up_events; ++i) {
        co_await stream.async_read(buffer, asio::use_awaitable);
        buffer.clear();
    }
    reading const begin = reading::now();
    for (std::uint64_t i = 0; i != messages; ++i) {
        co_await stream.async_read(buffer, asio::use_awaitable);
        buffer.clear();
    }
    print("beast_read_loop", messages, reading::now() - begin);
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const messages = number(argc, argv, 2, "PORT COUNT");
    asio::io_context context(1);
    asio::ip::tcp::socket socket(context);
    asio::co_spawn(context, read_messages(socket, port, messages), [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    });
    context.run();
}
