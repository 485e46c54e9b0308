// How fast the server is: plain blocking sockets that look at nothing. What comes near these rates measures the server.
#include "framing.hpp"
#include "measure.hpp"
#include "messages.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace plex::bench;

[[noreturn]] void fail(char const* what)
{
    std::perror(what);
    std::exit(1);
}

int connect_to(std::uint64_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(s, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        fail("connect");
    return s;
}

void send_request(int s, std::string_view request)
{
    if (send(s, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        fail("send");
}

std::size_t receive(int s, std::vector<char>& into)
{
    ssize_t const got = recv(s, into.data(), into.size(), 0);
    if (got <= 0)
        fail("recv");
    return static_cast<std::size_t>(got);
}

void skip(int s, std::uint64_t bytes)
{
    static std::vector<char> buffer(std::size_t{64} * 1024);
    for (std::uint64_t got = 0; got < bytes;)
        got += receive(s, buffer);
}

/// Counts by the bytes of a scan: only of a whole one they are known.
void read_feed(std::string_view what, std::string_view request, std::string (*framed)(std::string const&),
               std::uint64_t port, std::uint64_t messages)
{
    std::uint64_t warm_up_bytes = 0;
    for (std::string const& message : short_life_messages())
        warm_up_bytes += framed(message).size();
    std::uint64_t const scan_bytes = scan(framed).bytes().size();
    std::uint64_t const scans = (messages + scan::events - 1) / scan::events;
    int const s = connect_to(port);
    send_request(s, request);
    skip(s, warm_up_bytes + 2 * scan_bytes);
    reading const begin = reading::now();
    skip(s, scans * scan_bytes);
    print(what, scans * scan::events, reading::now() - begin);
    close(s);
}

void ask_for_lists(std::uint64_t port, std::uint64_t requests)
{
    int const s = connect_to(port);
    std::vector<char> buffer(std::size_t{64} * 1024);
    reading const begin = reading::now();
    for (std::uint64_t i = 0; i != requests; ++i) {
        send_request(s, "GET /activities HTTP/1.1\r\nHost: localhost\r\n\r\n");
        receive(s, buffer); // the server writes a reply at once
    }
    print("ceiling_list", requests, reading::now() - begin);
    close(s);
}

} // namespace

int main(int argc, char** argv)
{
    constexpr char const* usage = "feed|eventsource|list PORT COUNT";
    std::string_view const what = argc > 1 ? argv[1] : "";
    std::uint64_t const port = number(argc, argv, 2, usage);
    std::uint64_t const count = number(argc, argv, 3, usage);
    if (what == "feed")
        read_feed("ceiling_feed",
                  "GET /:/websockets/notifications HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                  as_frame, port, count);
    else if (what == "eventsource")
        read_feed("ceiling_eventsource",
                  "GET /:/eventsource/notifications HTTP/1.1\r\nHost: localhost\r\n"
                  "Accept: text/event-stream\r\n\r\n",
                  as_event, port, count);
    else
        ask_for_lists(port, count);
}
