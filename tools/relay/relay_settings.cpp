#include "relay/relay_settings.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/url/parse.hpp>

#include <charconv>
#include <optional>

namespace plex::relay {

namespace {

constexpr unsigned short usual_status_port = 8485;

redis_address address_of(service::config_value const& v)
{
    redis_address a;
    std::string const text = v.text();
    if (text.starts_with("unix:/")) {
        a.unix_path = text.substr(5);
        return a;
    }
    auto const refuse = [&] { v.refuse(R"(has to be "redis://host:6379", "redis://host:6379/0" or "unix:/path")"); };
    auto const url = boost::urls::parse_uri(text);
    if (!url || url->scheme() != "redis" || url->host().empty() || url->has_query() || url->has_fragment())
        refuse();
    if (url->has_password())
        v.refuse("has a password in it, which would be shown to others: give a \"password_file\"");
    a.host = url->host_address();
    a.user = url->user();
    if (url->has_port()) {
        a.port = url->port_number(); // 0 for what is none
        if (a.port == 0)
            refuse();
    }
    std::string const path = url->path();
    if (path.size() > 1) {
        char const* const end = path.data() + path.size();
        auto const read = std::from_chars(path.data() + 1, end, a.database);
        if (read.ec != std::errc() || read.ptr != end || a.database > 1'000'000)
            refuse();
    }
    return a;
}

} // namespace

relay_settings settings_of(service::config_file const& file)
{
    relay_settings s;
    s.status_listen = {boost::asio::ip::address_v4::loopback(), usual_status_port};
    std::optional<service::config_value> const section = file.section("relay");
    if (!section)
        return s;
    section->only({"redis", "password_file", "prefix", "max_length", "lease_seconds", "listen"});
    if (std::optional<service::config_value> const redis = section->find("redis"))
        s.redis = address_of(*redis);
    if (std::optional<service::config_value> const password = section->find("password_file"))
        s.redis.password = service::secret_of(*password, file.path_in(*password));
    if (std::optional<service::config_value> const prefix = section->find("prefix")) {
        s.prefix = prefix->text();
        if (s.prefix.find_first_of("{}") != s.prefix.npos)
            prefix->refuse("has braces, which stand around it in each key already: give it without");
    }
    if (std::optional<service::config_value> const length = section->find("max_length"))
        s.max_length = length->number(1'000, 1'000'000'000);
    if (std::optional<service::config_value> const lease = section->find("lease_seconds"))
        s.lease = std::chrono::seconds(lease->number(1, 3'600));
    if (std::optional<service::config_value> const listen = section->find("listen"))
        s.status_listen = service::listen_address(*listen);
    return s;
}

} // namespace plex::relay
