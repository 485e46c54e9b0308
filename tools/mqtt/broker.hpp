#pragma once

#include "mqtt/discovery.hpp"
#include "mqtt/mqtt_settings.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace plex::mqtt {

/// The connection to the broker. It comes back by itself, and what is published is what the broker has, whatever became
/// of it or of the connection: the last message of each topic is kept here, and given to each new connection.
///
/// Belongs on its executor, which runs no two handlers at a time, and which all functions are called on.
class broker
{
public:
    struct told {
        /// A message, and whether it was kept by the broker from before we asked.
        std::function<void(std::string topic, std::string payload, bool kept)> message;
        std::function<void(bool connected)> connection;
    };

    /// @param will the topic on which the broker says "offline" when we are gone; we say "online" there
    /// @param listens topics to be told of
    /// @throws std::runtime_error for settings that no connection can have
    broker(boost::asio::any_io_executor executor, broker_settings, std::string will, std::vector<std::string> listens,
           told);
    ~broker();
    broker(broker const&) = delete;
    broker& operator=(broker const&) = delete;

    void connect();
    void publish(message);
    /// Publishes all of it again.
    void publish_again();
    bool is_connected() const noexcept;
    /// Messages that the broker has not confirmed.
    std::size_t waiting() const noexcept;

    /// Says "offline", and goodbye.
    boost::asio::awaitable<void> close();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace plex::mqtt
