#include "endpoint.hpp"

#include <plex/error.hpp>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace plex::detail {

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

} // namespace

net::tls_options tls_options_of(tls_config const& settings)
{
    net::tls_options result;
    result.insecure = settings.insecure;
    if (!settings.ca_file.empty() && !settings.insecure)
        result.authorities = read(settings.ca_file, "CA file");
    return result;
}

net::endpoint_settings endpoint_of(protocol::base_url const& base, config const& settings)
{
    net::endpoint_settings result;
    result.host = base.host;
    result.port = base.port;
    if (base.tls)
        result.tls = net::tls_peer::of(tls_options_of(settings.tls), base.host, base.port);
    return result;
}

} // namespace plex::detail
