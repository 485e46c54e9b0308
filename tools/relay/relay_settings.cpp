#include "relay/relay_settings.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/url/parse.hpp>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace plex::relay {

namespace {

constexpr unsigned short usual_status_port = 8485;

template <typename Number>
std::optional<Number> number_of(std::string_view text, Number least, Number most)
{
    Number n = 0;
    auto const [end, failure] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (failure != std::errc() || end != text.data() + text.size() || n < least || n > most)
        return std::nullopt;
    return n;
}

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
        auto const port =
            number_of<std::uint16_t>(std::string(url->port()), 1, std::numeric_limits<std::uint16_t>::max());
        if (!port)
            refuse();
        a.port = *port;
    }
    std::string const path = url->path();
    if (path.size() > 1) {
        auto const database = number_of<unsigned>(path.substr(1), 0, 1'000'000);
        if (!database)
            refuse();
        a.database = *database;
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
