#pragma once

#include "services/config_value.hpp"

#include <plex/config.hpp>
#include <plex/filter.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace plex::service {

/// A server that is watched. Equal settings need no new connection.
struct server_settings {
    std::string name;
    std::string place; ///< in the configuration, for what is told
    std::string url;
    std::string token;
    std::string ca_pem; ///< what the file has in it, so that another certificate of the same name is seen
    std::vector<std::string> types;
    std::vector<std::pair<std::string, std::string>> contexts;

    plex::filter filter() const;
    plex::config config() const;
    /// Wherever they stand.
    bool operator==(server_settings const& other) const
    {
        auto const all = [](server_settings const& s) {
            return std::tie(s.name, s.url, s.token, s.ca_pem, s.types, s.contexts);
        };
        return all(*this) == all(other);
    }
};

/// The one file that all services are configured by: the servers, and a section for each service.
///
/// Files that it names are sought in its own folder unless they begin with a slash.
class config_file
{
public:
    /// @throws config_error
    explicit config_file(std::string const& path);

    std::vector<server_settings> const& servers() const noexcept { return servers_; }
    /// The section of a service; nothing where the file has none.
    std::optional<config_value> section(std::string_view service) const { return whole_.find(service); }
    /// The file that a value names.
    std::string path_in(config_value const&) const;

private:
    server_settings server(config_value const&) const;
    std::string token(config_value const&) const;

    std::string folder_;
    bool open_to_others_ = false;
    config_value whole_;
    std::vector<server_settings> servers_;
};

/// The names of servers, in their order.
std::vector<std::string> names_of(std::vector<server_settings> const&);

/// What is in a token's file, which nobody else may read. @throws config_error
std::string secret_of(config_value const& names, std::string const& path);

/// `127.0.0.1:8484` or `[::1]:8484`. @throws config_error
boost::asio::ip::tcp::endpoint listen_address(config_value const&);

} // namespace plex::service
