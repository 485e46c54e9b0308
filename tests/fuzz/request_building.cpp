// Input: texts, each behind a byte that says how long it is: a base URL, a token, a method, a target, a body, a uuid,
// filters, a client identifier, then names and values of headers.

#include "fuzz.hpp"

#include "protocol/proxy.hpp"
#include "protocol/request_target.hpp"
#include "protocol/request_text.hpp"
#include "protocol/websocket_handshake.hpp"

#include <plex/error.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <array>
#include <optional>
#include <vector>

namespace plex::fuzz {
namespace {

namespace http = boost::beast::http;
using namespace protocol;

template <class F>
auto unless_refused(F f) -> std::optional<decltype(f())>
{
    try {
        return f();
    } catch (error const& e) {
        promise(e.code() == errc::invalid_argument, "what cannot be sent is an invalid argument");
        return std::nullopt;
    }
}

bool is_visible(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view view(boost::beast::string_view text)
{
    return {text.data(), text.size()};
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

// What a server reads of it, by Beast: one request and nothing behind it.
http::request<http::string_body> parsed(std::string const& bytes)
{
    http::request_parser<http::string_body> parser;
    parser.eager(true);
    parser.header_limit(1u << 20);
    boost::system::error_code ec;
    std::size_t const used = parser.put(boost::asio::buffer(bytes), ec);
    promise(!ec && parser.is_done() && used == bytes.size(), "what is sent is one whole request");
    return parser.release();
}

void has(http::request<http::string_body> const& r, std::string_view name, std::string_view value)
{
    boost::beast::string_view const key(name.data(), name.size());
    promise(r.count(key) == 1 && view(r[key]) == trimmed(value), "a header is sent once, and as it was given");
}

std::string decoded(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

void check_base(base_url const& base)
{
    promise(!base.host.empty() && base.port != 0, "a base URL has a host and a port");
    promise(is_visible(base.host) && base.host.find_first_of("/?#@[]\\%") == std::string::npos, "a host is a host");
    promise(is_visible(base.path) && base.path.find_first_of("?#") == std::string::npos, "a base path is a path");
    promise(base.path.empty() || (base.path.front() == '/' && base.path.back() != '/'), "a base path joins targets");
    base_url const again = parse_base_url(base.origin() + base.path);
    promise(again.tls == base.tls && again.host == base.host && again.port == base.port && again.path == base.path &&
                again.host_is_ip == base.host_is_ip,
            "a base URL that was read is read again as the same");
}

} // namespace

void run(std::string_view input)
{
    choices from(input);
    std::string_view const url = from.text(), token = from.text();
    request asked{std::string(from.text()), std::string(from.text())};
    std::string const body(from.text());
    std::string_view const uuid = from.text(), filters = from.text();
    plex::identity who;
    who.client_identifier = from.text();
    bool const has_body = !body.empty();
    while (from.any()) {
        std::string_view const name = from.text();
        asked.header(std::string(name), std::string(from.text()));
    }
    if (has_body)
        asked.body(body, "text/plain");

    if (auto const target = unless_refused([&] { return activity_target(uuid); })) {
        check_target(*target);
        promise(target->starts_with("/activities/") && target->find_first_of("?/", 12) == std::string::npos,
                "a uuid reaches no other path");
        promise(decoded(target->substr(12)) == uuid, "a uuid is told as it is");
    }
    auto const base = unless_refused([&] { return parse_base_url(url); });
    if (base)
        check_base(*base);
    base_url const to = base.value_or(parse_base_url("http://h:1/plex"));
    if (auto const by = unless_refused([&] { return parse_proxy(url); })) {
        promise(!by->host.empty() && by->port != 0, "a proxy has a host and a port");
        auto const read = parsed(tunnel_bytes(to, *by));
        promise(read.method() == http::verb::connect, "a tunnel is asked for");
        if (!by->authorization.empty())
            has(read, "Proxy-Authorization", by->authorization);
    }
    auto const identity = unless_refused([&] { return identity_headers(who); });
    if (!identity)
        return;

    if (auto const bytes = unless_refused([&] { return request_bytes(to, *identity, token, asked); })) {
        auto const read = parsed(*bytes);
        promise(view(read.method_string()) == asked.method(), "the method is sent");
        promise(view(read.target()) == to.path + asked.target(), "the target is sent, below the base path");
        promise(read.body() == body, "the body is sent");
        has(read, "Host", to.host_header());
        if (!token.empty())
            has(read, "X-Plex-Token", token);
        // All that was asked for, in its order, and nothing that was not.
        std::vector<std::pair<std::string_view, std::string_view>> sent;
        for (auto const& field : read)
            sent.emplace_back(view(field.name_string()), view(field.value()));
        std::vector<std::pair<std::string_view, std::string_view>> wanted;
        for (auto const& [name, value] : asked.headers())
            wanted.emplace_back(name, trimmed(value));
        promise(sent.size() >= wanted.size() &&
                    std::is_permutation(wanted.begin(), wanted.end(),
                                        sent.end() - static_cast<std::ptrdiff_t>(wanted.size())),
                "the headers are sent");
        static constexpr std::array<std::string_view, 10> ours = {
            "Host",           "Accept",         "User-Agent",         "X-Plex-Client-Identifier",
            "X-Plex-Product", "X-Plex-Version", "X-Plex-Device-Name", "X-Plex-Token",
            "Content-Length", "Content-Type"};
        for (std::size_t i = 0; i + wanted.size() < sent.size(); ++i)
            promise(std::find(ours.begin(), ours.end(), sent[i].first) != ours.end(), "no header is smuggled in");
        if (asked.headers().empty())
            promise(plain_request_bytes(to, common_headers(to, *identity, token), asked) == *bytes,
                    "a plain request is the same request");
    }
    std::string const target = feed_target("/:/websockets/notifications", filters);
    std::array<std::uint8_t, 16> const random{};
    std::string const key = make_key(random);
    if (auto const bytes = unless_refused([&] { return upgrade_bytes(to, *identity, token, target, key); })) {
        auto const read = parsed(*bytes);
        promise(view(read.target()) == to.path + target, "the feed's target is sent");
        promise(decoded(target.substr(target.find('=') + 1)) == filters, "filters are told as they are");
        has(read, "Sec-WebSocket-Key", key);
        has(read, "Upgrade", "websocket");
    }
}

} // namespace plex::fuzz
