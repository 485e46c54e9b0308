// The bare loop that a user of Beast would write to ask for the list again and again; the replies are thrown away.
#include "measure.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using namespace plex::bench;

/// With the headers that Plex wants from everybody (protocol.md 1.7).
http::request<http::empty_body> request_for(std::string_view what, std::uint64_t port)
{
    http::request<http::empty_body> request(http::verb::get, "/activities", 11);
    if (what == "cancel") {
        request.method(http::verb::delete_);
        request.target("/activities/c3f190e4-eabb-4b3d-8811-b7c1f183560e");
    } else if (what == "list_1000") {
        request.target("/thousand/activities");
    }
    request.set(http::field::host, "127.0.0.1:" + std::to_string(port));
    request.set(http::field::user_agent, "plex-activities");
    request.set(http::field::accept, "application/json");
    request.set("X-Plex-Client-Identifier", "bench");
    request.set("X-Plex-Product", "plex-activities");
    request.set("X-Plex-Token", "token-of-the-bench-x");
    return request;
}

asio::awaitable<void> ask_once(asio::ip::tcp::socket& socket, http::request<http::empty_body>& request,
                               beast::flat_buffer& buffer)
{
    co_await http::async_write(socket, request, asio::use_awaitable);
    http::response<http::string_body> response;
    co_await http::async_read(socket, buffer, response, asio::use_awaitable);
    if (response.result() != http::status::ok || (request.method() == http::verb::get && response.body().empty()))
        throw std::runtime_error("not the server's reply");
}

asio::awaitable<void> ask(asio::ip::tcp::socket& socket, std::string_view what, std::uint64_t port,
                          std::uint64_t requests)
{
    asio::ip::tcp::endpoint const server(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port));
    co_await socket.async_connect(server, asio::use_awaitable);
    socket.set_option(asio::ip::tcp::no_delay(true));
    auto request = request_for(what, port);
    beast::flat_buffer buffer;
    for (int i = 0; i != 20; ++i)
        co_await ask_once(socket, request, buffer);
    reading const begin = reading::now();
    for (std::uint64_t i = 0; i != requests; ++i)
        co_await ask_once(socket, request, buffer);
    print("beast_request_loop", requests, reading::now() - begin);
}

} // namespace

int main(int argc, char** argv)
{
    constexpr char const* usage = "PORT COUNT [cancel|list_1000]";
    std::uint64_t const port = number(argc, argv, 1, usage);
    std::uint64_t const requests = number(argc, argv, 2, usage);
    std::string_view const what = argc > 3 ? argv[3] : "";
    asio::io_context context(1);
    asio::ip::tcp::socket socket(context);
    asio::co_spawn(context, ask(socket, what, port, requests), [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    });
    context.run();
}
