#pragma once

#include "protocol/websocket_handshake.hpp"

#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

namespace plex::test {

/// One connection, of which the head of a request has been read.
class hostile_connection
{
public:
    hostile_connection(int socket, std::string asked) : head(std::move(asked)), socket_(socket) {}

    bool is_for(std::string_view path) const { return head.starts_with("GET " + std::string(path)); }
    /// False once the client has gone.
    bool send(std::string_view bytes) const
    {
        while (!bytes.empty()) {
            ssize_t const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0)
                return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    bool accept_websocket() const
    {
        constexpr std::string_view name = "Sec-WebSocket-Key: ";
        std::size_t const at = head.find(name) + name.size();
        std::string const key = head.substr(at, head.find("\r\n", at) - at);
        return send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: " +
                    protocol::accept_for(key) + "\r\n\r\n");
    }
    bool answer(std::string_view body, int status = 200) const
    {
        return send("HTTP/1.1 " + std::to_string(status) +
                    " OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n") &&
               send(body);
    }
    /// Reads and forgets, until the client has gone.
    void listen_on() const
    {
        std::array<char, 4096> buffer;
        while (::recv(socket_, buffer.data(), buffer.size(), 0) > 0)
            ;
    }

    std::string const head;

private:
    int socket_;
};

/// A server in a process of its own, so that its memory is not counted as the client's; another process for each
/// connection. It goes when the test does.
class hostile_server
{
public:
    using script = std::function<void(hostile_connection const&)>;

    explicit hostile_server(script const& serve) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const raw = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 16) != 0 ||
            ::getsockname(listener_, raw, &size) != 0)
            throw std::system_error(errno, std::generic_category(), "a listening socket");
        port_ = ntohs(address.sin_port);
        pid_ = ::fork();
        if (pid_ < 0)
            throw std::system_error(errno, std::generic_category(), "a process for the server");
        if (pid_ == 0)
            serve_for_ever(serve);
        ::setpgid(pid_, pid_); // whoever of both comes first
        ::close(listener_);
    }
    ~hostile_server()
    {
        ::kill(-pid_, SIGKILL); // its connections too
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
            ;
    }
    hostile_server(hostile_server const&) = delete;
    hostile_server& operator=(hostile_server const&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

private:
    [[noreturn]] void serve_for_ever(script const& serve) const
    {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::signal(SIGCHLD, SIG_IGN);
        for (;;) {
            int const socket = ::accept(listener_, nullptr, nullptr);
            if (socket < 0)
                continue;
            if (::fork() == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                serve_one(serve, socket);
                ::_exit(0);
            }
            ::close(socket);
        }
    }
    static void serve_one(script const& serve, int socket)
    {
        std::string head;
        std::array<char, 4096> buffer;
        while (head.find("\r\n\r\n") == std::string::npos) {
            ssize_t const got = ::recv(socket, buffer.data(), buffer.size(), 0);
            if (got <= 0)
                return;
            head.append(buffer.data(), static_cast<std::size_t>(got));
        }
        serve(hostile_connection(socket, head));
    }

    int listener_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
};

} // namespace plex::test
