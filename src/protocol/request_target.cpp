#include "protocol/request_target.hpp"

#include "protocol/secret.hpp"

#include <plex/error.hpp>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace plex::protocol {

namespace {

[[noreturn]] void refuse(char const* why)
{
    throw error(errc::invalid_argument, why);
}

bool is_visible(char c)
{
    return c > 0x20 && c < 0x7f;
}
bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_unreserved(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::uint16_t default_port(bool tls)
{
    return tls ? 443 : 80;
}

// Boost.URL gives 34463 for 99999, so the digits are read here.
std::uint16_t read_port(std::string_view digits)
{
    unsigned value = 0;
    for (char const c : digits) {
        value = value * 10 + static_cast<unsigned>(c - '0');
        if (!is_digit(c) || value > 65535)
            refuse("the base URL's port is not between 1 and 65535");
    }
    if (value == 0)
        refuse("the base URL's port is not between 1 and 65535");
    return static_cast<std::uint16_t>(value);
}

int hex_value(char c)
{
    c = lower(c);
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool names_token(std::string_view encoded)
{
    constexpr std::string_view name = "x-plex-token";
    auto const is_in = [name](std::string_view text) {
        auto const same = [](char c, char wanted) { return lower(c) == wanted; };
        return std::search(text.begin(), text.end(), name.begin(), name.end(), same) != text.end();
    };
    return encoded.find('%') == std::string_view::npos ? is_in(encoded) : is_in(percent_decoded(encoded));
}

bool has_dot_segment(std::string_view encoded)
{
    if (encoded.find_first_of(".%") == std::string_view::npos)
        return false;
    std::string const whole = percent_decoded(encoded); // as a server or proxy sees it that decodes before it routes
    std::string_view path = whole;
    while (!path.empty()) {
        std::size_t const end = std::min(path.find_first_of("/\\"), path.size());
        std::string_view const segment = path.substr(0, end);
        if (segment == "." || segment == "..")
            return true;
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return false;
}

/// Resolvers, and other readers of URLs, take such a name for an IPv4 address, each in its own way: `127.1`,
/// `0x7f000001`, `1.2.3.4.`; and there is no top-level domain of digits.
bool ends_in_number(std::string_view host)
{
    if (host.ends_with('.'))
        host.remove_suffix(1);
    std::string_view last = host.substr(host.rfind('.') + 1);
    if (last.starts_with("0x"))
        return std::all_of(last.begin() + 2, last.end(), [](char c) { return hex_value(c) >= 0; });
    return !last.empty() && std::all_of(last.begin(), last.end(), is_digit);
}

} // namespace

std::string base_url::origin() const
{
    return (tls ? "https://" : "http://") + host_header();
}

std::string base_url::host_header() const
{
    std::string text = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != default_port(tls))
        text += ":" + std::to_string(port);
    return text;
}

base_url parse_base_url(std::string_view text)
{
    if (text.empty())
        refuse("the base URL is empty: give config::url as http://host:32400");
    if (!std::all_of(text.begin(), text.end(), is_visible))
        refuse("the base URL contains spaces, control characters or letters beyond ASCII");
    if (text.find('?') != std::string_view::npos || text.find('#') != std::string_view::npos)
        refuse("the base URL has a query or a fragment: a token belongs into config::token");
    if (text.find('@') != std::string_view::npos)
        refuse("the base URL has user information: a token belongs into config::token");

    auto const parsed = boost::urls::parse_uri(text);
    if (!parsed)
        refuse("the base URL cannot be read: write it as http://host:32400 or https://host:32400");
    boost::urls::url_view const& url = *parsed;
    std::string scheme(url.scheme());
    std::transform(scheme.begin(), scheme.end(), scheme.begin(), lower);
    if (scheme != "http" && scheme != "https")
        refuse("the base URL's scheme is neither http nor https: write it as http://host:32400");
    if (!url.has_authority() || url.encoded_host().empty())
        refuse("the base URL has no host: write it as http://host:32400");

    base_url base;
    base.tls = scheme == "https";
    base.host_is_ip =
        url.host_type() == boost::urls::host_type::ipv4 || url.host_type() == boost::urls::host_type::ipv6;
    std::string_view host(url.encoded_host().data(), url.encoded_host().size());
    if (host.front() == '[') {
        if (url.host_type() != boost::urls::host_type::ipv6)
            refuse("the base URL's host is no IPv6 address");
        host = host.substr(1, host.size() - 2);
    }
    if (host.find('%') != std::string_view::npos)
        refuse("the base URL's host has percent-encoded characters");
    if (host.size() > 253) // RFC 1035, 2.3.4; TLS cannot ask for a longer one
        refuse("the base URL's host is longer than a name may be");
    base.host.assign(host);
    std::transform(base.host.begin(), base.host.end(), base.host.begin(), lower);
    // To who checks certificates a name that begins with a dot means any name below it.
    if (base.host.front() == '.' || base.host.find("..") != std::string::npos)
        refuse("the base URL's host has an empty part");
    if (!base.host_is_ip && ends_in_number(base.host))
        refuse("the base URL's host ends in a number and is no IPv4 address of four parts");

    std::string_view const port(url.port().data(), url.port().size());
    base.port = url.has_port() && !port.empty() ? read_port(port) : default_port(base.tls);
    base.path.assign(url.encoded_path().data(), url.encoded_path().size());
    if (!base.path.empty() && base.path.front() != '/') // Boost.URL 1.81 reads `host:x` as a path without a slash
        refuse("the base URL's port is not between 1 and 65535");
    while (!base.path.empty() && base.path.back() == '/')
        base.path.pop_back();
    if (base.path.starts_with("//")) // a request's target that does so names a host to some
        refuse("the base URL's path begins with '//'");
    if (has_dot_segment(base.path))
        refuse("the base URL's path has a segment of dots");
    if (names_token(base.path))
        refuse("the base URL's path has a token in it: it belongs into config::token");
    return base;
}

std::string percent_decoded(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at != text.size(); ++at) {
        bool const escape =
            text[at] == '%' && text.size() - at > 2 && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0;
        out += escape ? static_cast<char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2])) : text[at];
        at += escape ? 2 : 0;
    }
    return out;
}

std::string percent_encoded(std::string_view text, std::string_view keep)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    auto const stays = [&](char c) { return is_unreserved(c) || keep.find(c) != std::string_view::npos; };
    while (!text.empty()) {
        auto const changes = std::find_if_not(text.begin(), text.end(), stays);
        auto const as_it_is = static_cast<std::size_t>(changes - text.begin());
        out.append(text, 0, as_it_is);
        if (changes == text.end())
            break;
        auto const byte = static_cast<unsigned char>(*changes);
        text.remove_prefix(as_it_is + 1);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

std::string activity_target(std::string_view uuid)
{
    if (uuid.empty() || uuid.size() > 256)
        refuse("an activity's uuid is empty or longer than 256 bytes");
    bool const dots_alone = std::all_of(uuid.begin(), uuid.end(), [](char c) { return c == '.'; });
    bool const harmful = std::any_of(uuid.begin(), uuid.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/' || c == '\\' || c == '%';
    });
    if (dots_alone || harmful)
        refuse("an activity's uuid contains what could reach another path");
    if (names_token(uuid)) // refused of any target
        refuse("an activity's uuid has X-Plex-Token in it, which travels in a header alone");
    return "/activities/" + percent_encoded(uuid);
}

std::string feed_target(std::string_view path, std::string_view filters)
{
    std::string target(path);
    target += path.find('?') == std::string_view::npos ? "?filters=" : "&filters=";
    return target + percent_encoded(filters, ",");
}

void check_target(std::string_view target)
{
    if (target.empty() || target.front() != '/')
        refuse("a request's target does not begin with '/'");
    if (!std::all_of(target.begin(), target.end(), is_visible))
        refuse("a request's target contains spaces, control characters or letters beyond ASCII: percent-encode them");
    if (target.find('#') != std::string_view::npos)
        refuse("a request's target contains '#'");
    std::string_view const path = target.substr(0, target.find('?'));
    if (path.find('\\') != std::string_view::npos || path.substr(0, 2) == "//" || has_dot_segment(path))
        refuse("a request's target has a segment of dots, a backslash or begins with '//'");
    if (names_token(target))
        refuse("a request's target has a token in it: it belongs into config::token");
}

bool path_holds(std::string_view path, std::string_view token)
{
    bool const escaped = path.find('%') != std::string_view::npos;
    return holds_secret(path, token) || (escaped && holds_secret(percent_decoded(path), token));
}

void check_no_token_in(std::string_view path, std::string_view token, char const* where)
{
    if (path_holds(path, token))
        throw error(errc::invalid_argument,
                    std::string(where) + " has the token in it, which travels in a header alone");
}

} // namespace plex::protocol
