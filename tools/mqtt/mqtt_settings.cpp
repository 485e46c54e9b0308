#include "mqtt/mqtt_settings.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/url/parse.hpp>

#include <optional>
#include <string_view>

namespace plex::mqtt {

namespace {

constexpr unsigned short usual_status_port = 8486;

std::string url_of(service::config_value const& v)
{
    std::string const text = v.text();
    auto const url = boost::urls::parse_uri(text);
    if (url && (url->has_password() || url->has_userinfo()))
        v.refuse("has a user in it: give \"username\" and \"password_file\"");
    if (!url || (url->scheme() != "mqtt" && url->scheme() != "mqtts") || url->host().empty() || !url->path().empty() ||
        url->has_query() || url->has_fragment())
        v.refuse(R"(has to be "mqtt://host:1883" or "mqtts://host:8883")");
    if (url->has_port())
        return text;
    return text + (url->scheme() == "mqtt" ? ":1883" : ":8883");
}

// What a topic is made of: no wildcard, and not one of the broker's own.
std::string prefix_of(service::config_value const& v)
{
    std::string text = v.text();
    if (text.find_first_of("#+") != text.npos || text.front() == '$' || text.front() == '/' || text.back() == '/')
        v.refuse("has to be the beginning of a topic: without #, + and $, and no slash at its ends");
    return text;
}

} // namespace

mqtt_settings settings_of(service::config_file const& file)
{
    mqtt_settings s;
    s.status_listen = {boost::asio::ip::address_v4::loopback(), usual_status_port};
    std::optional<service::config_value> const section = file.section("mqtt");
    if (!section)
        return s;
    section->only({"broker", "username", "password_file", "ca_file", "certificate_file", "key_file", "client_id",
                   "prefix", "discovery_prefix", "cancel", "listen"});
    auto const set = [&](std::string_view name, std::string& to, auto const& read) {
        if (std::optional<service::config_value> const v = section->find(name))
            to = read(*v);
    };
    auto const text = [](service::config_value const& v) { return v.text(); };
    auto const path = [&](service::config_value const& v) { return file.path_in(v); };
    set("broker", s.broker.url, url_of);
    set("username", s.broker.username, text);
    set("password_file", s.broker.password,
        [&](service::config_value const& v) { return service::secret_of(v, file.path_in(v)); });
    set("ca_file", s.broker.ca_file, path);
    set("certificate_file", s.broker.certificate_file, path);
    set("key_file", s.broker.key_file, path);
    set("client_id", s.broker.client_id, text);
    set("prefix", s.prefix, prefix_of);
    set("discovery_prefix", s.discovery_prefix, prefix_of);
    if (std::optional<service::config_value> const cancel = section->find("cancel"))
        s.can_cancel = cancel->flag();
    if (std::optional<service::config_value> const listen = section->find("listen"))
        s.status_listen = service::listen_address(*listen);
    return s;
}

} // namespace plex::mqtt
