#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace plex::bench {

/// A connection that was accepted, plain or TLS.
class channel
{
public:
    /// @param socket non-blocking
    /// @param tls null for a plain connection
    channel(int socket, SSL_CTX* tls);
    channel(channel&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), tls_(std::exchange(other.tls_, nullptr))
    {
    }
    channel& operator=(channel&&) = delete;
    ~channel();

    int socket() const noexcept { return socket_; }

    /// What is there already, perhaps nothing; empty once the peer has gone.
    std::optional<std::size_t> receive(std::span<char> into);
    /// Waits while the peer takes nothing. False once it has gone.
    bool send(std::string_view bytes);

private:
    bool wait(short what) const;

    int socket_;
    SSL* tls_ = nullptr;
};

} // namespace plex::bench
