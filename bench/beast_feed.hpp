#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/websocket.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace plex::bench {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// Opens a plain feed as a user of Beast would.
/// @param scene "" or as in "/others" (README.md)
template <class Stream>
asio::awaitable<void> open_feed(beast::websocket::stream<Stream>& stream, std::uint64_t port, std::string_view scene)
{
    asio::ip::tcp::endpoint const server(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port));
    auto& socket = beast::get_lowest_layer(stream);
    co_await socket.async_connect(server, asio::use_awaitable);
    socket.set_option(asio::ip::tcp::no_delay(true));
    if constexpr (requires { stream.next_layer().async_handshake(Stream::client, asio::use_awaitable); })
        co_await stream.next_layer().async_handshake(Stream::client, asio::use_awaitable);
    std::string const target = std::string(scene) + "/:/websockets/notifications?filters=activity";
    co_await stream.async_handshake("127.0.0.1", target, asio::use_awaitable);
}

/// Reads messages and throws them away.
template <class Stream>
asio::awaitable<void> discard(beast::websocket::stream<Stream>& stream, beast::flat_buffer& buffer,
                              std::uint64_t messages)
{
    for (std::uint64_t i = 0; i != messages; ++i) {
        co_await stream.async_read(buffer, asio::use_awaitable);
        buffer.clear();
    }
}

inline void rethrow(std::exception_ptr failure)
{
    if (failure)
        std::rethrow_exception(failure);
}

} // namespace plex::bench
