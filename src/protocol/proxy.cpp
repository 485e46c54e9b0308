#include "protocol/proxy.hpp"

#include "protocol/base64.hpp"

#include <plex/error.hpp>

#include <algorithm>

namespace plex::protocol {

namespace {

[[noreturn]] void refuse()
{
    throw error(errc::invalid_argument,
                "config::proxy cannot be used: write it as http://host:3128 or http://user:password@host:3128, what is "
                "special in user and password percent-encoded");
}

bool is_control(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// RFC 7617: a user has no colon, neither has controls.
std::string basic_authorization(std::string_view user_info)
{
    if (user_info.find_first_of("/?#\\") != std::string_view::npos) // then the host came before, to some
        refuse();
    std::size_t const colon = std::min(user_info.find(':'), user_info.size());
    std::string const user = percent_decoded(user_info.substr(0, colon));
    std::string const password = percent_decoded(user_info.substr(std::min(colon + 1, user_info.size())));
    std::string const both = user + ":" + password;
    if (user.find(':') != std::string::npos || std::any_of(both.begin(), both.end(), is_control))
        refuse();
    return "Basic " + base64(both);
}

} // namespace

proxy parse_proxy(std::string_view text)
{
    std::string url(text);
    proxy result;
    std::size_t const authority = url.find("://") + 3; // without one, what follows refuses it
    std::size_t const at = url.rfind('@');
    if (at != std::string::npos && authority <= at) {
        result.authorization = basic_authorization(std::string_view(url).substr(authority, at - authority));
        url.erase(authority, at + 1 - authority);
    }
    base_url parsed;
    try {
        parsed = parse_base_url(url);
    } catch (error const&) { // its words are about another URL
        refuse();
    }
    if (parsed.tls || !parsed.path.empty())
        refuse();
    result.host = parsed.host;
    result.port = parsed.port;
    return result;
}

std::string tunnel_bytes(base_url const& to, proxy const& by)
{
    std::string const host = to.host.find(':') == std::string::npos ? to.host : "[" + to.host + "]";
    std::string const server = host + ":" + std::to_string(to.port);
    std::string text = "CONNECT " + server + " HTTP/1.1\r\nHost: " + server + "\r\n";
    if (!by.authorization.empty())
        text += "Proxy-Authorization: " + by.authorization + "\r\n";
    return text + "\r\n";
}

} // namespace plex::protocol
