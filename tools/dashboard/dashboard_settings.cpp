#include "dashboard/dashboard_settings.hpp"

#include <boost/asio/ip/address_v4.hpp>

#include <cstddef>
#include <optional>

namespace plex::dashboard {

namespace {

constexpr unsigned short usual_port = 8484;
constexpr std::size_t shortest_token = 16; // who guesses may try thousands a second

} // namespace

dashboard_settings settings_of(service::config_file const& file)
{
    dashboard_settings s;
    s.listen = {boost::asio::ip::address_v4::loopback(), usual_port};
    std::optional<service::config_value> const section = file.section("dashboard");
    if (!section)
        return s;
    section->only({"listen", "cancel_token_file", "hosts"});
    if (std::optional<service::config_value> const listen = section->find("listen"))
        s.listen = service::listen_address(*listen);
    if (std::optional<service::config_value> const token = section->find("cancel_token_file")) {
        s.cancel_token = service::secret_of(*token, file.path_in(*token));
        if (s.cancel_token.size() < shortest_token)
            token->refuse("names a file with less than 16 characters, which could be guessed: openssl rand -hex 32");
    }
    if (std::optional<service::config_value> const hosts = section->find("hosts"))
        for (service::config_value const& host : hosts->elements())
            s.hosts.push_back(host.text());
    return s;
}

} // namespace plex::dashboard
