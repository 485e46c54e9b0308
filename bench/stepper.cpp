#include "stepper.hpp"

#include "measure.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

namespace plex::bench {

stepper::stepper(std::uint64_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    expect(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "no connection for steps");
}

stepper::~stepper()
{
    close(socket_);
}

void stepper::step()
{
    static constexpr std::string_view request = "POST /step HTTP/1.1\r\nHost: localhost\r\n\r\n";
    expect(send(socket_, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()),
           "no step could be asked for");
}

} // namespace plex::bench
