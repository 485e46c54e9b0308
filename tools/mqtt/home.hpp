#pragma once

#include "mqtt/discovery.hpp"

#include <plex/activity.hpp>
#include <plex/client.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace plex::mqtt {

/// What Home Assistant is to know of the servers: a device for each type of activity, and for each section where the
/// activities of a type name one. No I/O and no clock.
///
/// A scan of a section counts once it has said of which, about a second after its start (docs/protocol.md 2.14).
class home
{
public:
    explicit home(topics t) : topics_(std::move(t)) {}

    /// These are configured. What was told of others is taken back.
    std::vector<message> configured(std::vector<std::string> const& servers);
    std::vector<message> event(std::string const& server, activity_event const&);
    std::vector<message> connection(std::string const& server, connection_state);
    /// That nobody looks after these servers any more.
    std::vector<message> goodbye() const;
    /// What has moved since the last time, to be asked for as often as that may be told.
    std::vector<message> progress();

    /// A message that the broker kept of an earlier run of ours.
    void kept(std::string_view topic, std::string_view payload);

    /// The server of this topic's part; nothing where none is configured.
    std::optional<std::string> server_of(std::string_view part) const;

    /// Of a server. A hostile one may invent types and sections: what comes after so many has no device.
    static constexpr std::size_t most_devices = 200;

private:
    struct shown {
        plex::mqtt::device about;
        std::map<std::string, std::optional<int>> running; // by uuid, how far it is
        bool moved = false;
    };
    struct server {
        std::map<std::string, shown> devices;     // by the topic of each
        std::map<std::string, std::string> where; // uuid -> the device that it counts in
        std::set<std::string> stale;              // devices that run by an earlier run's account
        bool is_live = false;
    };

    shown* device_of(server&, std::string const& name, activity const&, std::vector<message>& out);
    void leave(server&, std::string const& uuid, std::vector<message>& out);
    static std::string progress_of(shown const&);

    topics topics_;
    std::map<std::string, server> servers_; // by name
};

} // namespace plex::mqtt
