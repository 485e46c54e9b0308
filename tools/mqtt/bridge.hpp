#pragma once

#include "mqtt/broker.hpp"
#include "mqtt/home.hpp"
#include "mqtt/mqtt_settings.hpp"
#include "services/metrics.hpp"
#include "services/status_site.hpp"
#include "services/watched_servers.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace prometheus {
class Gauge;
}

namespace plex::mqtt {

/// The service: the feeds of the configured servers to an MQTT broker, as devices of Home Assistant.
class bridge
{
public:
    /// @param io run by one thread
    bridge(boost::asio::io_context& io, std::string config_path);
    ~bridge();

    /// @throws service::config_error, std::runtime_error
    void start();
    /// Reads the configuration anew. @throws service::config_error and nothing has changed
    void reload();
    /// For `systemctl status`.
    std::string status() const;
    boost::asio::awaitable<void> stop();

private:
    void publish(std::vector<message>);
    void tick();
    void message_came(std::string const& topic, std::string const& payload, bool kept);
    boost::asio::awaitable<void> cancel(std::string server, std::string uuid);
    std::string ails() const;

    std::string config_path_;
    boost::asio::any_io_executor executor_;
    std::optional<mqtt_settings> settings_;
    std::optional<topics> topics_;
    std::optional<home> home_;
    std::unique_ptr<broker> broker_;
    service::metrics metrics_;
    prometheus::Gauge& connected_;
    prometheus::Gauge& waiting_;
    service::watched_servers servers_;
    std::optional<service::status_site> site_;
    boost::asio::steady_timer next_tick_;
};

} // namespace plex::mqtt
