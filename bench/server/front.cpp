#include "front.hpp"

#include "../addresses.hpp"
#include "feeds.hpp"
#include "replies.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>

namespace plex::bench {
namespace {

constexpr std::uint64_t first_connection = 1u << 20; // above all sockets that listen
constexpr auto slow_reply = std::chrono::milliseconds(5);
/// How long after a request the next one is waited for awake: waking a sleeping peer on another core is a cost of the
/// client's send that can exceed everything which is to be measured, above all on virtual machines.
constexpr auto stay_awake = std::chrono::milliseconds(1);

[[noreturn]] void fail(char const* what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

front::front() : epoll_(epoll_create1(EPOLL_CLOEXEC)), next_number_(first_connection)
{
    if (epoll_ < 0)
        fail("epoll_create1");
}

void front::watch(int socket, std::uint64_t number) const
{
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0)
        fail("epoll_ctl");
}

unsigned front::listen(SSL_CTX* tls)
{
    unsigned const port = listen(tls, 1, 0);
    for (unsigned host = 2; host <= server_addresses; ++host)
        listen(tls, host, port);
    return port;
}

unsigned front::listen(SSL_CTX* tls, unsigned host, unsigned port)
{
    int const listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl((127u << 24) + host);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, any, size) != 0 || ::listen(listener, 4096) != 0 || getsockname(listener, any, &size) != 0)
        fail("listen");
    auto const number = static_cast<std::uint64_t>(listener);
    listeners_.emplace(number, tls);
    watch(listener, number);
    return ntohs(address.sin_port);
}

void front::run()
{
    std::array<epoll_event, 256> events{};
    for (;;) {
        int const ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience());
        if (ready == 0)
            sched_yield(); // where there is one core alone the peer needs it
        for (int i = 0; i < ready; ++i) {
            std::uint64_t const number = events[static_cast<std::size_t>(i)].data.u64;
            if (auto const listener = listeners_.find(number); listener != listeners_.end())
                accept_all(static_cast<int>(number), listener->second);
            else if (auto const known = connections_.find(number); known != connections_.end())
                if (!serve(number, known->second))
                    connections_.erase(known);
        }
        send_late_replies();
    }
}

int front::patience() const
{
    auto const now = clock::now();
    if (now < awake_until_)
        return 0;
    if (late_replies_.empty())
        return -1;
    // The last millisecond before a late reply is waited for awake.
    auto const left = std::chrono::floor<std::chrono::milliseconds>(late_replies_.front().due - now);
    return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

void front::accept_all(int listener, SSL_CTX* tls)
{
    for (;;) {
        int const peer = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer < 0) {
            if (errno == EMFILE || errno == ENFILE)
                fail("accept");
            return;
        }
        int const on = 1;
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        std::uint64_t const number = next_number_++;
        connections_.try_emplace(number, channel(peer, tls));
        watch(peer, number);
    }
}

bool front::serve(std::uint64_t number, connection& c)
{
    if (c.from_peer)
        return c.from_peer->serve(c.peer);
    std::array<char, 4096> chunk{};
    for (;;) {
        auto const got = c.peer.receive(chunk);
        if (!got)
            return false;
        if (*got == 0)
            break;
        c.pending.append(chunk.data(), *got);
        if (*got < chunk.size())
            break;
    }
    for (std::size_t end = c.pending.find("\r\n\r\n"); end != c.pending.npos; end = c.pending.find("\r\n\r\n")) {
        std::string const head = c.pending.substr(0, end + 2);
        c.pending.erase(0, end + 4);
        if (!answer(number, c, read_request(head)))
            return false;
    }
    return true;
}

bool front::answer(std::uint64_t number, connection& c, request const& asked)
{
    awake_until_ = clock::now() + stay_awake;
    if (!asked.websocket_key.empty() || asked.path == "/:/eventsource/notifications")
        return open_feed(c, asked);
    if (asked.path == "/step") {
        step();
        return true;
    }
    if (asked.scene == "/slow") {
        late_replies_.push_back({clock::now() + slow_reply, number, reply_to(asked)});
        return true;
    }
    return c.peer.send(reply_to(asked));
}

/// The feeds that write by themselves leave for a thread of their own.
bool front::open_feed(connection& c, request const& asked)
{
    if (asked.websocket_key.empty()) {
        if (!c.peer.send(event_stream_head()))
            return false;
    } else if (!c.peer.send(switching_protocols(asked.websocket_key))) {
        return false;
    }
    c.stepped = asked.scene == "/stepped";
    if (c.stepped || asked.scene == "/idle") {
        c.from_peer = std::make_unique<inbox>();
        return !c.stepped || c.peer.send(lasting_starts());
    }
    epoll_ctl(epoll_, EPOLL_CTL_DEL, c.peer.socket(), nullptr);
    if (asked.websocket_key.empty())
        std::thread(write_event_stream, std::move(c.peer)).detach();
    else
        std::thread([peer = std::move(c.peer), scene = std::string(asked.scene)]() mutable {
            write_websocket(std::move(peer), scene);
        }).detach();
    return false;
}

void front::step()
{
    std::string const bytes = eight_updates(8 * steps_++);
    for (auto& [number, c] : connections_)
        if (c.stepped)
            c.peer.send(bytes); // one that has gone is found when it is read from
}

void front::send_late_replies()
{
    while (!late_replies_.empty() && late_replies_.front().due <= clock::now()) {
        late_reply const reply = late_replies_.front();
        late_replies_.pop_front();
        if (auto const known = connections_.find(reply.to); known != connections_.end())
            known->second.peer.send(reply.bytes);
    }
}

} // namespace plex::bench
