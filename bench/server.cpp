// The server that everything is measured against: writes a feed as fast as the socket takes it, answers lists. A plain
// thread a connection, so that it is no bottleneck (bench_ceiling says how far it goes). It prints its port, and ends
// when its input does.
#include "messages.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

namespace {

using namespace plex::bench;

bool send_all(int socket, std::string_view bytes)
{
    while (!bytes.empty()) {
        ssize_t const sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string frame_header(char opcode, std::size_t size)
{
    std::string header(1, static_cast<char>(0x80 | opcode));
    if (size < 126)
        return header += static_cast<char>(size);
    return header += {126, static_cast<char>(size >> 8), static_cast<char>(size & 255)};
}

constexpr std::size_t header_bytes = 4; // of a message of 126 bytes to 64 KiB

std::string accept_for(std::string_view key)
{
    std::string const text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3
    std::array<unsigned char, SHA_DIGEST_LENGTH> hash{};
    SHA1(reinterpret_cast<unsigned char const*>(text.data()), text.size(), hash.data());
    std::array<unsigned char, 29> encoded{};
    int const size = EVP_EncodeBlock(encoded.data(), hash.data(), static_cast<int>(hash.size()));
    return {reinterpret_cast<char const*>(encoded.data()), static_cast<std::size_t>(size)};
}

/// The value of a header of a request's head; empty where there is none.
std::string_view header(std::string_view head, std::string_view lower_case_name)
{
    while (!head.empty()) {
        std::size_t const end = std::min(head.find("\r\n"), head.size());
        std::string_view const line = head.substr(0, end);
        head.remove_prefix(std::min(end + 2, head.size()));
        std::size_t const colon = line.find(':');
        if (colon != lower_case_name.size() ||
            !std::equal(lower_case_name.begin(), lower_case_name.end(), line.begin(),
                        [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); }))
            continue;
        std::string_view const value = line.substr(colon + 1);
        return value.substr(std::min(value.find_first_not_of(' '), value.size()));
    }
    return {};
}

std::string framed_short_lives()
{
    std::string bytes;
    for (std::string const& message : short_life_messages())
        bytes += frame_header(1, message.size()) + message;
    return bytes;
}

/// What the peer sent on its WebSocket: small frames, all masked (RFC 6455, 5.2).
class inbox
{
public:
    /// Answers pings. False once the peer has gone.
    bool serve(int socket)
    {
        std::array<char, 4096> chunk{};
        for (;;) {
            ssize_t const got = recv(socket, chunk.data(), chunk.size(), MSG_DONTWAIT);
            if (got == 0)
                return false;
            if (got < 0)
                break;
            pending_.append(chunk.data(), static_cast<std::size_t>(got));
        }
        while (pending_.size() >= 6) {
            int const opcode = pending_[0] & 15;
            auto const size = static_cast<std::size_t>(pending_[1] & 127);
            if (opcode == 8 || size > 125)
                return false;
            if (pending_.size() < 6 + size)
                break;
            std::string payload = pending_.substr(6, size);
            for (std::size_t i = 0; i != size; ++i)
                payload[i] = static_cast<char>(payload[i] ^ pending_[2 + i % 4]);
            pending_.erase(0, 6 + size);
            if (opcode == 9 && !send_all(socket, frame_header(10, size) + payload))
                return false;
        }
        return true;
    }

private:
    std::string pending_;
};

void feed(int socket, std::string_view head)
{
    if (!send_all(socket, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: " +
                              accept_for(header(head, "sec-websocket-key")) + "\r\n\r\n"))
        return;
    static std::string const short_lives_first = framed_short_lives();
    if (!send_all(socket, short_lives_first))
        return;
    scan scanned(header_bytes, 0);
    for (std::size_t i = 0; i != scanned.size(); ++i) {
        auto const message = scanned.message(i);
        std::string const header = frame_header(1, message.size());
        std::copy(header.begin(), header.end(), message.data() - header.size());
    }
    inbox from_peer;
    for (std::uint64_t number = 0; from_peer.serve(socket); ++number) {
        scanned.renumber(number);
        if (!send_all(socket, {scanned.bytes().data(), scanned.bytes().size()}))
            return;
    }
}

std::string list_reply()
{
    // protocol.md 2.1, as JSON has it
    std::string const body =
        R"({"MediaContainer":{"size":1,"Activity":[{"uuid":"c3f190e4-eabb-4b3d-8811-b7c1f183560e","type":"library.update.section","cancellable":false,"userID":1,"title":"Scanning Photos","subtitle":"4th Birthday","progress":30,"Context":{"librarySectionID":"1"}}]}})";
    return "HTTP/1.1 200 OK\r\nX-Plex-Protocol: 1.0\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) +
           "\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=20\r\nCache-Control: no-cache\r\n"
           "Date: Fri, 29 Nov 2024 11:00:09 GMT\r\n\r\n" +
           body;
}

/// Waits for the next request awake, for a while: waking a sleeping peer on another core is a cost of the client's
/// send that can exceed everything which is to be measured, above all on virtual machines.
ssize_t receive(int socket, std::span<char> into)
{
    auto const until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    do {
        ssize_t const got = recv(socket, into.data(), into.size(), MSG_DONTWAIT);
        if (got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            return got;
        sched_yield(); // where there is one core alone the peer needs it
    } while (std::chrono::steady_clock::now() < until);
    return recv(socket, into.data(), into.size(), 0);
}

void serve(int socket)
{
    static std::string const list = list_reply();
    int const on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::string pending;
    std::array<char, 4096> chunk{};
    for (;;) {
        ssize_t const got = receive(socket, chunk);
        if (got <= 0)
            break;
        pending.append(chunk.data(), static_cast<std::size_t>(got));
        for (std::size_t end = pending.find("\r\n\r\n"); end != pending.npos; end = pending.find("\r\n\r\n")) {
            std::string const head = pending.substr(0, end + 2);
            pending.erase(0, end + 4);
            if (!header(head, "sec-websocket-key").empty()) {
                feed(socket, head);
                close(socket);
                return;
            }
            if (!send_all(socket, head.starts_with("GET /activities ")
                                      ? std::string_view(list)
                                      : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
                break;
        }
    }
    close(socket);
}

std::optional<unsigned> listen_on_loopback(int socket)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (bind(socket, any, size) != 0 || listen(socket, 128) != 0 || getsockname(socket, any, &size) != 0)
        return std::nullopt;
    return ntohs(address.sin_port);
}

} // namespace

int main()
{
    int const listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto const port = listen_on_loopback(listener);
    if (!port) {
        std::perror("bench_server");
        return 1;
    }
    std::printf("%u\n", *port);
    std::fflush(stdout);
    std::thread([] {
        while (std::getchar() != EOF) {
        }
        _exit(0);
    }).detach();
    for (;;) {
        int const peer = accept(listener, nullptr, nullptr);
        if (peer >= 0)
            std::thread(serve, peer).detach();
    }
}
