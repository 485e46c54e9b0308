#include "protocol/request_text.hpp"

#include "protocol/secret.hpp"

#include <plex/error.hpp>

#include <algorithm>
#include <array>

namespace plex::protocol {

namespace {

constexpr std::size_t longest_value = 8 * 1024;

[[noreturn]] void refuse(char const* why)
{
    throw error(errc::invalid_argument, why);
}

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

// RFC 9110, 5.6.2
bool is_token(std::string_view text)
{
    auto const is_tchar = [](char c) {
        return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    };
    return !text.empty() && std::all_of(text.begin(), text.end(), is_tchar);
}

bool is_value(std::string_view text)
{
    auto const is_bad = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
    return text.size() <= longest_value && std::none_of(text.begin(), text.end(), is_bad);
}

// Of framing and connection, which are ours; and the token, which has one place.
constexpr std::array<std::string_view, 12> reserved = {
    "Host", "Content-Length", "Transfer-Encoding", "Connection",       "Upgrade",          "Keep-Alive", "Trailer",
    "TE",   "Expect",         "X-Plex-Token",      "Proxy-Connection", "Sec-WebSocket-Key"};

void append_header(std::string& out, std::string_view name, std::string_view value)
{
    out.append(name).append(": ").append(value).append("\r\n");
}

void append_request_line(std::string& out, base_url const& base, std::string_view method, std::string_view target)
{
    out.append(method).append(" ").append(base.path).append(target).append(" HTTP/1.1\r\n");
}

void append_start(std::string& out, base_url const& base, std::string_view method, std::string_view target)
{
    append_request_line(out, base, method, target);
    append_header(out, "Host", base.host_header());
}

void append_length(std::string& out, request const& asked)
{
    std::string_view const method = asked.method();
    if (!asked.body().empty() || method == "POST" || method == "PUT" || method == "PATCH")
        append_header(out, "Content-Length", std::to_string(asked.body().size()));
}

bool has_header(request::headers_type const& headers, std::string_view name)
{
    return std::any_of(headers.begin(), headers.end(), [&](auto const& h) { return same(h.first, name); });
}

// Of the identity's lines those that the request has not itself: a header sent twice means anything.
void append_who(std::string& out, std::string_view identity, std::string_view token,
                request::headers_type const& headers)
{
    while (!identity.empty()) {
        std::string_view const line = headers.empty() ? identity : identity.substr(0, identity.find('\n') + 1);
        if (!has_header(headers, line.substr(0, line.find(':'))))
            out.append(line);
        identity.remove_prefix(line.size());
    }
    if (!token.empty())
        append_header(out, "X-Plex-Token", token);
}

} // namespace

std::string identity_headers(identity const& who)
{
    std::string out;
    auto const add = [&](std::string_view name, std::string_view value) {
        if (!is_value(value))
            refuse("a value of config::identity contains control characters or is too long");
        if (!value.empty())
            append_header(out, name, value);
    };
    std::string agent = who.product;
    if (!agent.empty() && !who.version.empty())
        agent += "/" + who.version;
    add("User-Agent", agent);
    add("X-Plex-Client-Identifier", who.client_identifier);
    add("X-Plex-Product", who.product);
    add("X-Plex-Version", who.version);
    add("X-Plex-Device-Name", who.device_name);
    return out;
}

void check_place_of_token(base_url const& base, std::string_view identity, std::string_view token)
{
    check_token(token);
    check_no_token_in(base.path, token, "the base URL's path");
    check_no_token_in(identity, token, "config::identity");
}

void check_token(std::string_view token)
{
    bool const visible = std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    if (!visible || token.size() > longest_value)
        refuse("the token contains spaces, control characters or letters beyond ASCII, or is too long");
}

void check_request(request const& asked)
{
    if (!is_token(asked.method()) || asked.method() == "CONNECT")
        refuse("a request's method is none that can be sent");
    check_target(asked.target());
    for (auto const& [name, value] : asked.headers()) {
        if (!is_token(name))
            refuse("the name of a request's header is no token");
        if (!is_value(value))
            refuse("the value of a request's header contains control characters or is too long");
        if (std::any_of(reserved.begin(), reserved.end(), [&](std::string_view r) { return same(r, name); }))
            refuse("a request sets a header that is not its to set");
    }
}

void check_no_token_in(request const& asked, std::string_view token)
{
    check_no_token_in(asked.target(), token, "a request's target");
    for (auto const& [name, value] : asked.headers())
        if (holds_secret(value, token))
            refuse("a request's header has the token in it, which has one of its own");
    if (holds_secret(asked.body(), token))
        refuse("a request's body has the token in it, which travels in a header alone");
}

std::string request_bytes(base_url const& base, std::string_view identity, std::string_view token, request const& asked)
{
    check_place_of_token(base, identity, token);
    check_request(asked);
    check_no_token_in(asked, token);
    std::string out;
    out.reserve(512 + asked.body().size());
    append_start(out, base, asked.method(), asked.target());
    auto const& headers = asked.headers();
    // Without it the server answers in XML (docs/protocol.md 1.1).
    if (!has_header(headers, "Accept"))
        append_header(out, "Accept", "application/json");
    append_who(out, identity, token, headers);
    append_length(out, asked);
    for (auto const& [name, value] : headers)
        append_header(out, name, value);
    out.append("\r\n").append(asked.body());
    return out;
}

std::string common_headers(base_url const& base, std::string_view identity, std::string_view token)
{
    check_place_of_token(base, identity, token);
    std::string out;
    append_header(out, "Host", base.host_header());
    append_header(out, "Accept", "application/json");
    append_who(out, identity, token, {});
    return out;
}

std::string plain_request_bytes(base_url const& base, std::string_view common, request const& asked)
{
    std::string out;
    out.reserve(common.size() + base.path.size() + asked.target().size() + asked.body().size() + 64);
    append_request_line(out, base, asked.method(), asked.target());
    out.append(common);
    append_length(out, asked);
    out.append("\r\n").append(asked.body());
    return out;
}

std::string upgrade_bytes(base_url const& base, std::string_view identity, std::string_view token,
                          std::string_view target, std::string_view key)
{
    check_place_of_token(base, identity, token);
    check_target(target);
    check_no_token_in(target, token, "the feed's path or filters");
    std::string out;
    append_start(out, base, "GET", target);
    append_header(out, "Upgrade", "websocket");
    append_header(out, "Connection", "Upgrade");
    append_header(out, "Sec-WebSocket-Version", "13");
    append_header(out, "Sec-WebSocket-Key", key);
    append_who(out, identity, token, {});
    out.append("\r\n");
    return out;
}

} // namespace plex::protocol
