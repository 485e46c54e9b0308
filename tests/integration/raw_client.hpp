#pragma once
// A client made of nothing but a socket, so that the fake server is judged by the bytes it sends.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace plex::test {

namespace asio = boost::asio;

struct raw_reply {
    raw_reply() = default;

    bool says(std::string_view text) const
    {
        return head.find(text) != std::string::npos || body.find(text) != std::string::npos;
    }

    std::string head;
    std::string body;
};

struct raw_frame {
    raw_frame() = default;

    /// 0 when the connection has ended instead.
    int opcode = 0;
    std::string payload;
};

class raw_client
{
public:
    raw_client(asio::io_context& io, std::uint16_t port) : socket_(io)
    {
        socket_.connect({asio::ip::address_v4::loopback(), port});
    }

    asio::ip::tcp::socket& socket() { return socket_; }
    boost::system::error_code end_reason() const { return end_; }

    void send(std::string const& bytes) { asio::write(socket_, asio::buffer(bytes)); }
    void request(std::string const& method, std::string const& target, std::string const& headers = {})
    {
        send(method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + headers + "Content-Length: 0\r\n\r\n");
    }

    asio::awaitable<raw_reply> reply()
    {
        raw_reply result;
        while (in_.find("\r\n\r\n") == std::string::npos) {
            bool const more = co_await receive();
            if (!more)
                break;
        }
        auto const end = std::min(in_.find("\r\n\r\n"), in_.size());
        result.head = take(std::min(end + 4, in_.size()));
        std::string const name = "Content-Length: ";
        auto const length = result.head.find(name);
        if (length != std::string::npos) {
            auto const size = std::stoul(result.head.substr(length + name.size()));
            co_await have(size);
            result.body = take(std::min<std::size_t>(size, in_.size()));
        }
        co_return result;
    }
    asio::awaitable<raw_reply> get(std::string target, std::string headers = {})
    {
        request("GET", target, headers);
        return reply();
    }
    asio::awaitable<raw_reply> ask(std::string method, std::string target, std::string headers = {})
    {
        request(method, target, headers);
        return reply();
    }
    asio::awaitable<raw_reply> upgrade(std::string query = {}, std::string headers = {})
    {
        return get("/:/websockets/notifications" + query,
                   headers + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    }

    asio::awaitable<raw_frame> frame()
    {
        raw_frame result;
        bool whole = co_await have(2);
        if (!whole)
            co_return result;
        std::size_t header = 2;
        std::size_t size = byte(1);
        if (size == 126 || size == 127) {
            std::size_t const extra = size == 126 ? 2 : 8;
            header += extra;
            whole = co_await have(header);
            if (!whole)
                co_return result;
            size = 0;
            for (std::size_t i = 2; i < header; ++i)
                size = size << 8 | byte(i);
        }
        whole = co_await have(header + size);
        if (!whole)
            co_return result;
        result.opcode = static_cast<int>(byte(0) & 15);
        result.payload = take(header + size).substr(header);
        co_return result;
    }
    /// A short frame with a mask of zeros, as a client has to send it.
    void send_frame(int opcode, std::string const& payload)
    {
        std::string bytes = {static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0};
        send(bytes + payload);
    }
    /// All that still comes until the server ends the stream.
    asio::awaitable<std::string> rest()
    {
        bool more = true;
        while (more)
            more = co_await receive();
        co_return std::exchange(in_, {});
    }
    asio::awaitable<std::string> bytes(std::size_t size)
    {
        co_await have(size);
        co_return take(std::min(size, in_.size()));
    }
    std::string const& received() const { return in_; }
    asio::awaitable<bool> receive()
    {
        std::array<char, 16384> buffer;
        auto [failure, size] =
            co_await socket_.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
        in_.append(buffer.data(), size);
        end_ = failure;
        co_return !failure;
    }

private:
    std::size_t byte(std::size_t at) const { return static_cast<unsigned char>(in_[at]); }
    asio::awaitable<bool> have(std::size_t size)
    {
        bool more = true;
        while (more && in_.size() < size)
            more = co_await receive();
        co_return in_.size() >= size;
    }
    std::string take(std::size_t size)
    {
        std::string taken = in_.substr(0, size);
        in_.erase(0, size);
        return taken;
    }

    asio::ip::tcp::socket socket_;
    std::string in_;
    boost::system::error_code end_;
};

} // namespace plex::test
