#pragma once

#include "protocol/websocket_handshake.hpp"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

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
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace plex::test {

/// What a server over TLS shows: PEM both.
struct tls_identity {
    std::string certificate;
    std::string key;
};

/// Bytes as they come and go, plain or through TLS.
class hostile_wire
{
public:
    explicit hostile_wire(int socket) : socket_(socket) {}
    hostile_wire(int socket, tls_identity const& own)
        : socket_(socket), context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), ssl_(nullptr, SSL_free)
    {
        auto const in = [](std::string const& pem) {
            return std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                             BIO_free);
        };
        std::unique_ptr<X509, decltype(&X509_free)> const x509(
            PEM_read_bio_X509(in(own.certificate).get(), nullptr, nullptr, nullptr), X509_free);
        std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key(
            PEM_read_bio_PrivateKey(in(own.key).get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
        SSL_CTX_use_certificate(context_.get(), x509.get());
        SSL_CTX_use_PrivateKey(context_.get(), key.get());
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), socket_);
        if (SSL_accept(ssl_.get()) != 1)
            throw std::runtime_error("no TLS");
    }

    ssize_t write(std::string_view bytes) const
    {
        return ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                    : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    ssize_t read(char* into, std::size_t size) const
    {
        return ssl_ ? SSL_read(ssl_.get(), into, static_cast<int>(size)) : ::recv(socket_, into, size, 0);
    }

private:
    int socket_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
};

/// One connection, of which the head of a request has been read.
class hostile_connection
{
public:
    hostile_connection(hostile_wire const& wire, std::string asked) : head(std::move(asked)), wire_(wire) {}

    bool is_for(std::string_view path) const { return head.starts_with("GET " + std::string(path)); }
    /// False once the client has gone.
    bool send(std::string_view bytes) const
    {
        while (!bytes.empty()) {
            ssize_t const sent = wire_.write(bytes);
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
        while (wire_.read(buffer.data(), buffer.size()) > 0)
            ;
    }

    std::string const head;

private:
    hostile_wire const& wire_;
};

/// A server in a process of its own, so that its memory is not counted as the client's; another process for each
/// connection. It goes when the test does.
class hostile_server
{
public:
    using script = std::function<void(hostile_connection const&)>;

    /// @param own for TLS; null for none
    explicit hostile_server(script const& serve, tls_identity const* own = nullptr)
        : scheme_(own ? "https" : "http"), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
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
            serve_for_ever(serve, own);
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

    std::string url() const { return scheme_ + "://127.0.0.1:" + std::to_string(port_); }

private:
    [[noreturn]] void serve_for_ever(script const& serve, tls_identity const* own) const
    {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::signal(SIGCHLD, SIG_IGN);
        ::signal(SIGPIPE, SIG_IGN); // OpenSSL's
        for (;;) {
            int const socket = ::accept(listener_, nullptr, nullptr);
            if (socket < 0)
                continue;
            if (::fork() == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                try {
                    if (own)
                        serve_one(serve, hostile_wire(socket, *own));
                    else
                        serve_one(serve, hostile_wire(socket));
                } catch (std::exception const&) { // the client has gone
                }
                ::_exit(0);
            }
            ::close(socket);
        }
    }
    static void serve_one(script const& serve, hostile_wire const& wire)
    {
        std::string head;
        std::array<char, 4096> buffer;
        while (head.find("\r\n\r\n") == std::string::npos) {
            ssize_t const got = wire.read(buffer.data(), buffer.size());
            if (got <= 0)
                return;
            head.append(buffer.data(), static_cast<std::size_t>(got));
        }
        serve(hostile_connection(wire, head));
    }

    std::string const scheme_;
    int listener_;
    std::uint16_t port_ = 0;
    pid_t pid_ = 0;
};

} // namespace plex::test
