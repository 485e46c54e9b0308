#include "endpoint.hpp"

#include "protocol/proxy.hpp"
#include "protocol/utf8.hpp"

#include <plex/error.hpp>

#include <boost/asio/ip/address.hpp>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <sys/un.h>

namespace plex::detail {

namespace asio = boost::asio;

namespace {

net::pem_text read(std::string const& path, std::string const& what)
{
    net::pem_text result;
    result.name = "the " + what + " '" + path + "'";
    std::ifstream file(path, std::ios::binary);
    result.text.assign(std::istreambuf_iterator<char>(file), {});
    if (!file.is_open() || file.bad() || result.text.empty())
        throw error(errc::invalid_argument, result.name + " cannot be used (" +
                                                (file.is_open() ? "nothing is in it" : std::strerror(errno)) + ")");
    return result;
}

/// `192.168.1.2`, `192.168.1.2:32400`, `::1`, `[::1]`, `[::1]:32400`.
void set_address(net::endpoint_settings& endpoint, std::string_view text)
{
    std::string_view host = text;
    std::string_view port;
    bool const one_colon = text.find(':') != std::string_view::npos && text.find(':') == text.rfind(':');
    if (std::size_t const end = text.find(']'); text.starts_with('[') && end != std::string_view::npos) {
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else if (one_colon) {
        host = text.substr(0, text.find(':'));
        port = text.substr(text.find(':'));
    }
    error_code no_address;
    asio::ip::make_address(std::string(host), no_address);
    std::uint16_t number = endpoint.port;
    bool good = !no_address;
    if (good && !port.empty()) {
        auto const [end, ec] = std::from_chars(port.data() + 1, port.data() + port.size(), number);
        good = port.front() == ':' && ec == std::errc() && end == port.data() + port.size() && number != 0;
    }
    if (!good)
        throw error(errc::invalid_argument,
                    "config::address is none: write it as 192.168.1.2, 192.168.1.2:32400 or [::1]:32400");
    endpoint.host = host;
    endpoint.port = number;
}

void set_unix_socket(net::endpoint_settings& endpoint, std::string const& path)
{
    if (path.size() >= sizeof sockaddr_un::sun_path || path.find('\0') != std::string::npos)
        throw error(errc::invalid_argument, "config::unix_socket is no path that a Unix socket may have");
    endpoint.unix_socket = path;
}

void set_proxy(net::endpoint_settings& endpoint, protocol::base_url const& server, std::string const& url)
{
    protocol::proxy const by = protocol::parse_proxy(url);
    endpoint.tunnel = protocol::tunnel_bytes(server, by);
    endpoint.host = by.host;
    endpoint.port = by.port;
}

} // namespace

net::tls_options tls_options_of(tls_config const& settings)
{
    net::tls_options result;
    result.insecure = settings.insecure;
    if (!settings.insecure && !settings.ca_file.empty())
        result.authorities.push_back(read(settings.ca_file, "CA file"));
    if (!settings.insecure && !settings.ca_pem.empty())
        result.authorities.push_back({settings.ca_pem, "the text of config::tls.ca_pem"});
    if (settings.certificate_file.empty() && !settings.key_file.empty())
        throw error(errc::invalid_argument, "config::tls has a key_file, but no certificate_file");
    if (!settings.certificate_file.empty()) {
        result.certificate = read(settings.certificate_file, "certificate file");
        result.key = settings.key_file.empty() ? result.certificate : read(settings.key_file, "key file");
    }
    return result;
}

net::endpoint_settings endpoint_of(protocol::base_url const& base, config const& settings)
{
    net::endpoint_settings result;
    result.host = base.host;
    result.port = base.port;
    result.max_header = settings.max_header;
    int const ways = !settings.address.empty() + !settings.unix_socket.empty() + !settings.proxy.empty();
    if (ways > 1)
        throw error(errc::invalid_argument, "at most one of config::address, unix_socket and proxy may be set");
    if (!settings.address.empty())
        set_address(result, settings.address);
    if (!settings.unix_socket.empty())
        set_unix_socket(result, settings.unix_socket);
    if (!settings.proxy.empty())
        set_proxy(result, base, settings.proxy);
    if (base.tls)
        result.tls = net::tls_peer::of(tls_options_of(settings.tls), base.host, base.port);
    return result;
}

std::string way_of(net::endpoint_settings const& endpoint, config const& settings)
{
    if (!endpoint.unix_socket.empty())
        return " by the Unix socket '" + protocol::terminal_safe(endpoint.unix_socket) + "'"; // for logs too
    if (settings.address.empty() && settings.proxy.empty())
        return {};
    bool const six = endpoint.host.find(':') != std::string::npos;
    std::string const there = (six ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
    return (settings.proxy.empty() ? " (" + there + ")" : " by the proxy " + there);
}

} // namespace plex::detail
