#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace plex::mqtt {

/// To be kept by the broker, so that whoever comes later gets it. An empty payload takes back what was kept.
struct message {
    std::string topic;
    std::string payload;
    bool operator==(message const&) const = default;
};

/// A type of activity, perhaps of one section, on one server: a device in Home Assistant.
struct device {
    std::string topic; ///< that its own begin with
    std::string id;    ///< that nothing else has
    std::string name;
    std::string model;        ///< the activity's type
    std::string availability; ///< the server's topic for that
};

/// How topics are named, and what Home Assistant is told of them
/// (its documentation: "MQTT", sections on discovery, binary sensor and sensor).
class topics
{
public:
    topics(std::string prefix, std::string discovery_prefix, std::string version)
        : prefix_(std::move(prefix)), discovery_prefix_(std::move(discovery_prefix)), version_(std::move(version))
    {
    }

    /// "online" or "offline": whether this service is there.
    std::string availability() const { return prefix_ + "/availability"; }
    /// Whether what is told of a server is so now.
    std::string availability(std::string_view server) const;
    /// Of a server, of a part of a topic. @see part
    std::string cancel(std::string_view server_part) const;
    /// The server's part of such a topic; empty where it is none.
    std::string_view cancelled_at(std::string_view topic) const;
    /// Home Assistant says "online" there when it starts.
    std::string birth() const { return discovery_prefix_ + "/status"; }
    /// All topics that say whether something runs: `+` where names stand.
    std::vector<std::string> running_of_all() const;

    /// @param type, section of the activities; `section` may be empty
    device device_of(std::string_view server, std::string_view type, std::string_view section,
                     std::string_view title) const;
    static std::string running(std::string_view device_topic) { return std::string(device_topic) + "/running"; }
    static std::string progress(std::string_view device_topic) { return std::string(device_topic) + "/progress"; }
    static std::string finished(std::string_view device_topic) { return std::string(device_topic) + "/finished"; }

    /// What makes Home Assistant know the device.
    std::vector<message> discovery(device const&) const;
    /// What makes it forget the device, and the broker all of it.
    std::vector<message> removal(device const&) const;

    std::string const& prefix() const noexcept { return prefix_; }

private:
    std::string config_topic(std::string_view component, std::string_view id, std::string_view object) const;

    std::string prefix_;
    std::string discovery_prefix_;
    std::string version_;
};

/// A name as a part of a topic: letters, digits, `.`, `_` and `-`. Two names have two parts.
std::string part(std::string_view name);

} // namespace plex::mqtt
