#pragma once

#include "dashboard/board.hpp"
#include "dashboard/site.hpp"
#include "services/http_server.hpp"
#include "services/metrics.hpp"
#include "services/watched_servers.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace plex::dashboard {

/// The service: the feeds of the configured servers onto the board, and the board to browsers.
class dashboard
{
public:
    /// @param io run by one thread
    /// @param config_path of the configuration
    dashboard(boost::asio::io_context& io, std::string config_path);

    /// Reads the configuration, listens, and follows the servers.
    /// @throws service::config_error, std::runtime_error where it cannot listen
    void start();
    /// Reads the configuration anew. @throws service::config_error and nothing has changed
    void reload();
    /// For `systemctl status`.
    std::string status() const;
    boost::asio::awaitable<void> stop();

private:
    void changed();
    void tidy();
    boost::asio::awaitable<void> cancel(std::string server, std::string uuid);

    std::string config_path_;
    boost::asio::any_io_executor executor_;
    board board_;
    service::metrics metrics_;
    site site_;
    service::watched_servers servers_;
    std::optional<boost::asio::ip::tcp::endpoint> listens_;
    std::optional<service::http_server> http_;
    boost::asio::steady_timer next_frame_; ///< so that readers are told of many changes at once
    bool frame_is_due_ = false;
    boost::asio::steady_timer next_tidying_;
};

} // namespace plex::dashboard
