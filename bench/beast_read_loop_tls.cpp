// The bare loop that a user of Beast would write to read the feed over TLS; what it reads is thrown away.
#include "beast_feed.hpp"
#include "measure.hpp"
#include "messages.hpp"

#include <boost/asio/ssl.hpp>
#include <boost/beast/websocket/ssl.hpp>

namespace {

using namespace plex::bench;
using stream_type = beast::websocket::stream<asio::ssl::stream<asio::ip::tcp::socket>>;

asio::awaitable<void> read_messages(stream_type& stream, std::uint64_t port, std::uint64_t messages)
{
    co_await open_feed(stream, port, "");
    beast::flat_buffer buffer;
    co_await discard(stream, buffer, warm_up_events);
    reading const begin = reading::now();
    co_await discard(stream, buffer, messages);
    print("beast_read_loop_tls", messages, reading::now() - begin);
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t const port = number(argc, argv, 1, "TLS_PORT COUNT");
    std::uint64_t const messages = number(argc, argv, 2, "TLS_PORT COUNT");
    asio::io_context context(1);
    asio::ssl::context tls(asio::ssl::context::tls_client);
    stream_type stream(context, tls);
    asio::co_spawn(context, read_messages(stream, port, messages), rethrow);
    context.run();
}
