#pragma once

#include "channel.hpp"
#include "inbox.hpp"
#include "request.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

namespace plex::bench {

/// All that needs no thread of its own: accepts, answers calls, keeps the feeds on which nothing happens by itself.
class front
{
public:
    front();
    /// @param tls null for plain connections
    /// @return the port, the same at all addresses; throws where there is none
    unsigned listen(SSL_CTX* tls);
    [[noreturn]] void run();

private:
    using clock = std::chrono::steady_clock;

    struct connection {
        explicit connection(channel c) : peer(std::move(c)) {}

        channel peer;
        std::string pending;              // of a request
        std::unique_ptr<inbox> from_peer; // of a WebSocket, once it is one
        bool stepped = false;
    };
    struct late_reply {
        clock::time_point due;
        std::uint64_t to;
        std::string_view bytes;
    };

    unsigned listen(SSL_CTX* tls, unsigned host, unsigned port);
    void watch(int socket, std::uint64_t number) const;
    void accept_all(int listener, SSL_CTX* tls);
    /// False when it is not ours any more.
    bool serve(std::uint64_t number, connection&);
    bool answer(std::uint64_t number, connection&, request const&);
    bool open_feed(connection&, request const&);
    void step();
    void send_late_replies();
    int patience() const;

    int epoll_;
    std::unordered_map<std::uint64_t, SSL_CTX*> listeners_; // by socket, below `first_connection`
    std::unordered_map<std::uint64_t, connection> connections_;
    std::uint64_t next_number_;
    std::deque<late_reply> late_replies_;
    std::size_t steps_ = 0;
    clock::time_point awake_until_;
};

} // namespace plex::bench
