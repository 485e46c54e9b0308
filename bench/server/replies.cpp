#include "replies.hpp"

#include "../messages.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

namespace plex::bench {
namespace {

std::string ok(std::string_view type, std::string const& body)
{
    return "HTTP/1.1 200 OK\r\nX-Plex-Protocol: 1.0\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=20\r\nCache-Control: no-cache\r\n"
           "Date: Fri, 29 Nov 2024 11:00:09 GMT\r\n\r\n" +
           body;
}

std::string list(std::string const& body)
{
    return ok("application/json", body);
}

// protocol.md 2.1, as JSON has it
constexpr char const* one_activity =
    R"({"MediaContainer":{"size":1,"Activity":[{"uuid":"c3f190e4-eabb-4b3d-8811-b7c1f183560e","type":"library.update.section","cancellable":false,"userID":1,"title":"Scanning Photos","subtitle":"4th Birthday","progress":30,"Context":{"librarySectionID":"1"}}]}})";

} // namespace

std::string_view reply_to(request const& asked)
{
    static std::string const one = list(one_activity);
    static std::string const lasting = list(list_of(lasting_lives));
    static std::string const thousand = list(list_of(1000));
    static std::string const cancelled = ok("text/html", "");
    if (asked.method == "DELETE" && asked.path.starts_with("/activities/"))
        return cancelled;
    if (asked.method != "GET" || asked.path != "/activities")
        return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    if (asked.scene == "/thousand")
        return thousand;
    return asked.scene == "/updates" || asked.scene == "/stepped" ? lasting : one;
}

std::string switching_protocols(std::string_view websocket_key)
{
    std::string const text = std::string(websocket_key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3
    std::array<unsigned char, SHA_DIGEST_LENGTH> hash{};
    SHA1(reinterpret_cast<unsigned char const*>(text.data()), text.size(), hash.data());
    std::array<unsigned char, 29> encoded{};
    int const size = EVP_EncodeBlock(encoded.data(), hash.data(), static_cast<int>(hash.size()));
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           std::string(reinterpret_cast<char const*>(encoded.data()), static_cast<std::size_t>(size)) + "\r\n\r\n";
}

std::string_view event_stream_head()
{
    return "HTTP/1.1 200 OK\r\nX-Plex-Protocol: 1.0\r\nContent-Type: text/event-stream\r\n"
           "Transfer-Encoding: chunked\r\nCache-Control: no-cache\r\nDate: Fri, 29 Nov 2024 11:00:09 GMT\r\n\r\n";
}

} // namespace plex::bench
