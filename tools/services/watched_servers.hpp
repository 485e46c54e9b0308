#pragma once

#include "services/config_file.hpp"

#include <plex/activity.hpp>
#include <plex/client.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plex::service {

/// The configured servers, each with a client and one feed that is followed for as long as it is configured.
///
/// A feed that a server ends for good (401, 403, a redirect) is opened again after a while: somebody may have mended
/// it. What ran by then goes on as `updated`, or is told as `ended`. So it is for a server whose settings change.
///
/// Belongs on its executor, which runs no two handlers at a time.
class watched_servers
{
public:
    using duration = std::chrono::steady_clock::duration;

    /// Called on the executor, never inside `watch`.
    struct told {
        std::function<void(std::string const& server, activity_event const&)> event;
        /// Also of a feed that has ended: `next_try` then says when it is opened again.
        std::function<void(std::string const& server, connection_status const&)> connection;
    };

    watched_servers(boost::asio::any_io_executor executor, told, duration retry_refused = std::chrono::minutes(1));
    /// Abruptly; nothing is told any more.
    ~watched_servers();
    watched_servers(watched_servers const&) = delete;
    watched_servers& operator=(watched_servers const&) = delete;

    /// Whether a client could have these settings. @throws config_error
    static void check(boost::asio::any_io_executor const&, std::vector<server_settings> const&);

    /// Watches these from now on, and no others: a server that is there already with the same settings is not touched.
    /// @param known of those that are new, by name, what is known to run: it goes on, or is told as `ended`
    /// @throws config_error for settings that no client can have; then nothing has changed
    void watch(std::vector<server_settings> const&, std::map<std::string, std::vector<activity>> const& known = {});

    /// Null where there is none of that name. Valid until it is awaited for, as a reload may take it away.
    plex::client* client_of(std::string_view server) noexcept;
    /// What its client has counted; nothing where there is none of that name.
    std::optional<counters> counters_of(std::string_view server) const;

    /// Takes leave of all servers at once.
    boost::asio::awaitable<void> close();

private:
    struct watched;

    static std::shared_ptr<watched> made_of(boost::asio::any_io_executor const&, server_settings const&);
    std::shared_ptr<watched> find(std::string_view server) const;

    boost::asio::any_io_executor executor_;
    std::shared_ptr<told const> told_;
    duration retry_refused_;
    std::map<std::string, std::shared_ptr<watched>, std::less<>> servers_; // by name
};

} // namespace plex::service
