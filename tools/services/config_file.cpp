#include "services/config_file.hpp"

#include "options.hpp"
#include "protocol/utf8.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace plex::service {

namespace {

constexpr std::size_t largest_file = 1 << 20;

struct contents {
    std::string text;
    bool open_to_others = false;
};

/// @throws config_error
contents read_file(std::string const& path)
{
    std::string const name = protocol::terminal_safe(path);
    int const file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0)
        throw config_error(name + ": cannot be opened: " + std::strerror(errno));
    struct closer {
        int file;
        ~closer() { close(file); }
    } const closed{file};
    contents result;
    struct stat about{};
    if (fstat(file, &about) != 0)
        throw config_error(name + ": cannot be looked at: " + std::strerror(errno));
    result.open_to_others = (about.st_mode & 077) != 0;
    for (;;) {
        char some[4096];
        ssize_t const got = read(file, some, sizeof some);
        if (got < 0)
            throw config_error(name + ": cannot be read: " + std::strerror(errno));
        if (got == 0)
            return result;
        result.text.append(some, static_cast<std::size_t>(got));
        if (result.text.size() > largest_file)
            throw config_error(name + ": is longer than 1 MiB");
    }
}

} // namespace

plex::filter server_settings::filter() const
{
    plex::filter f;
    for (std::string const& type : types)
        f.type(type);
    for (auto const& [key, value] : contexts)
        f.context(key, value);
    return f;
}

plex::config server_settings::config() const
{
    plex::config c;
    c.url = url;
    c.token = token;
    c.tls.ca_pem = ca_pem;
    return c;
}

config_file::config_file(std::string const& path)
    : folder_(std::filesystem::path(path).parent_path().string()), whole_([&] {
          contents const read = read_file(path);
          open_to_others_ = read.open_to_others;
          return config_value(path, read.text);
      }())
{
    whole_.only({"servers", "dashboard", "relay", "mqtt"});
    std::optional<config_value> const servers = whole_.find("servers");
    if (!servers)
        whole_.refuse(R"(names no servers: "servers": [{"url": "http://host:32400", "token_file": "token"}])");
    for (config_value const& each : servers->elements()) {
        server_settings s = server(each);
        auto const same = [&](server_settings const& other) { return other.name == s.name; };
        if (auto const other = std::find_if(servers_.begin(), servers_.end(), same); other != servers_.end())
            each.refuse("has the same name as " + other->place + ": give one of them another \"name\"");
        servers_.push_back(std::move(s));
    }
    if (servers_.empty())
        servers->refuse(R"(has none: [{"url": "http://host:32400", "token_file": "token"}])");
}

server_settings config_file::server(config_value const& v) const
{
    v.only({"name", "url", "token", "token_file", "token_environment", "ca_file", "types", "context"});
    server_settings s;
    std::optional<config_value> const url = v.find("url");
    if (!url)
        v.refuse(R"(has no "url": "http://host:32400")");
    s.url = url->text();
    // A URL may hold what nobody should read; the client refuses that, after this.
    std::size_t const host = s.url.find("://");
    s.name = host == s.url.npos || s.url.find('@') != s.url.npos ? "server" : s.url.substr(host + 3);
    if (std::optional<config_value> const name = v.find("name"))
        s.name = name->text();
    s.token = token(v);
    if (std::optional<config_value> const file = v.find("ca_file")) {
        try {
            s.ca_pem = read_file(path_in(*file)).text;
        } catch (config_error const& e) {
            file->refuse(e.what());
        }
    }
    if (std::optional<config_value> const types = v.find("types"))
        for (config_value const& type : types->elements())
            s.types.push_back(type.text());
    if (std::optional<config_value> const context = v.find("context"))
        for (auto const& [key, value] : context->members())
            s.contexts.emplace_back(key, value.text());
    s.place = v.place();
    return s;
}

std::string config_file::token(config_value const& v) const
{
    std::optional<config_value> const here = v.find("token");
    std::optional<config_value> const file = v.find("token_file");
    std::optional<config_value> const variable = v.find("token_environment");
    if (here.has_value() + file.has_value() + variable.has_value() > 1)
        v.refuse(R"(has more than one of "token", "token_file" and "token_environment": keep one)");
    if (here && open_to_others_)
        here->refuse("stands in a file that others may read: chmod 600 that, or give a \"token_file\"");
    if (here)
        return here->text();
    if (file)
        return secret_of(*file, path_in(*file));
    if (!variable)
        return {};
    char const* const value = std::getenv(variable->text().c_str());
    if (!value || !*value)
        variable->refuse("names a variable that the environment does not have: export it, or give a \"token_file\"");
    return value;
}

std::string config_file::path_in(config_value const& v) const
{
    return (std::filesystem::path(folder_) / v.text()).string();
}

std::vector<std::string> names_of(std::vector<server_settings> const& servers)
{
    std::vector<std::string> names;
    names.reserve(servers.size());
    for (server_settings const& s : servers)
        names.push_back(s.name);
    return names;
}

std::string secret_of(config_value const& names, std::string const& path)
{
    try {
        return command::read_token_file(path);
    } catch (command::usage_error const& e) {
        names.refuse(e.what());
    }
}

boost::asio::ip::tcp::endpoint listen_address(config_value const& v)
{
    std::string const text = v.text();
    std::size_t const colon = text.rfind(':');
    std::string host = text.substr(0, std::min(colon, text.size()));
    std::string const port = colon == text.npos ? std::string() : text.substr(colon + 1);
    bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    boost::system::error_code bad;
    auto const address = boost::asio::ip::make_address(host, bad);
    std::uint16_t number = 0;
    auto const [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (bad || address.is_v6() != bracketed || failure != std::errc() || end != port.data() + port.size())
        v.refuse("has to be an address and a port: \"127.0.0.1:8484\" or \"[::1]:8484\"");
    return {address, number};
}

} // namespace plex::service
