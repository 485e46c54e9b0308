#pragma once

#include <plex/activity.hpp>
#include <plex/client.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace prometheus {
class Gauge;
class Registry;
} // namespace prometheus

namespace plex::service {

/// What Prometheus is told of the watched servers. No I/O and no clock.
///
/// A server is told of for as long as it is configured. What its client counts begins anew with another client of it,
/// as after a reload that changes its settings: Prometheus takes that as it takes a restart. No title is told.
///
/// Belongs on the executor of the `watched_servers` that feed it.
class metrics
{
public:
    using time = std::chrono::system_clock::time_point;
    /// What the client of a server has counted; nothing where there is no such client.
    using counters_function = std::function<std::optional<counters>(std::string const& server)>;

    explicit metrics(counters_function);
    ~metrics();
    metrics(metrics const&) = delete;
    metrics& operator=(metrics const&) = delete;

    /// These are configured, and no others. One that stays keeps what is known of it.
    void configured(std::vector<std::string> const& names);
    void event(std::string const& server, activity_event const&);
    void connection(std::string const& server, connection_status const&);

    /// For what a service measures beside the servers.
    prometheus::Registry& own() noexcept;
    /// A new gauge of these.
    prometheus::Gauge& own_gauge(char const* name, char const* help);

    /// All of it in Prometheus' text format.
    std::string text(time now) const;

    struct totals {
        std::size_t servers = 0;
        std::size_t live = 0;
        std::size_t running = 0;
    };
    totals count() const noexcept;
    /// Why nothing is known of what runs now: how each server stands, where none is live. Empty while one is.
    std::string none_live() const;

    /// Of a server. A hostile one may invent types: what comes after so many counts as "other".
    static constexpr std::size_t most_types = 50;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace plex::service
