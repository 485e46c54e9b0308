#include "channel.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace plex::bench {

channel::channel(int socket, SSL_CTX* tls) : socket_(socket)
{
    if (!tls)
        return;
    tls_ = SSL_new(tls);
    SSL_set_fd(tls_, socket);
    SSL_set_accept_state(tls_);
}

channel::~channel()
{
    SSL_free(tls_);
    if (socket_ >= 0)
        close(socket_);
}

bool channel::wait(short what) const
{
    pollfd watched = {socket_, what, 0};
    return poll(&watched, 1, -1) == 1;
}

std::optional<std::size_t> channel::receive(std::span<char> into)
{
    if (tls_) {
        ERR_clear_error();
        int const got = SSL_read(tls_, into.data(), static_cast<int>(into.size()));
        if (got > 0)
            return static_cast<std::size_t>(got);
        int const why = SSL_get_error(tls_, got);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? std::optional<std::size_t>(0) : std::nullopt;
    }
    ssize_t const got = recv(socket_, into.data(), into.size(), 0);
    if (got > 0)
        return static_cast<std::size_t>(got);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? std::optional<std::size_t>(0) : std::nullopt;
}

bool channel::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        ssize_t sent = 0;
        bool wait_to_read = false;
        if (tls_) {
            ERR_clear_error();
            sent = SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()));
            int const why = SSL_get_error(tls_, static_cast<int>(sent));
            if (sent <= 0 && why != SSL_ERROR_WANT_WRITE && why != SSL_ERROR_WANT_READ)
                return false;
            wait_to_read = why == SSL_ERROR_WANT_READ;
        } else {
            sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
                return false;
        }
        if (sent > 0)
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        else if (!wait(wait_to_read ? POLLIN : POLLOUT))
            return false;
    }
    return true;
}

} // namespace plex::bench
