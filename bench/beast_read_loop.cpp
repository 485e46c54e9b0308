// The bare loop that a user of Beast would write to read the feed; what it reads is thrown away.
#include "beast_feed.hpp"
#include "measure.hpp"
#include "messages.hpp"

namespace {

using namespace plex::bench;
using stream_type = beast::websocket::stream<asio::ip::tcp::socket>;

asio::awaitable<void> read_messages(stream_type& stream, std::uint64_t port, std::string_view scene,
                                    std::uint64_t messages)
{
    co_await open_feed(stream, port, scene);
    beast::flat_buffer buffer;
    co_await discard(stream, buffer, warm_up_events);
    reading const begin = reading::now();
    co_await discard(stream, buffer, messages);
    print("beast_read_loop", messages, reading::now() - begin);
}

} // namespace

int main(int argc, char** argv)
{
    constexpr char const* usage = "PORT COUNT [others]";
    std::uint64_t const port = number(argc, argv, 1, usage);
    std::uint64_t const messages = number(argc, argv, 2, usage);
    std::string_view const scene = is_word(argc, argv, 3, "others", usage) ? "/others" : "";
    asio::io_context context(1);
    stream_type stream(context);
    asio::co_spawn(context, read_messages(stream, port, scene, messages), rethrow);
    context.run();
}
