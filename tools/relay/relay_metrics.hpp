#pragma once

#include "relay/followed_server.hpp"
#include "services/metrics.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace plex::relay {

/// What Prometheus is told of a relay beside its servers.
class relay_metrics
{
public:
    /// How it stands.
    struct figures {
        bool redis_is_open = false;
        std::size_t relays = 0;   ///< that are alive, by what Redis said last
        std::size_t followed = 0; ///< servers
        std::size_t written = 0;  ///< servers that are ours to write
        std::size_t waiting = 0;  ///< lives of these with something to be written
        written_counts counts;
    };

    explicit relay_metrics(service::metrics&);
    ~relay_metrics();

    void update(figures const&);

private:
    struct families;
    std::unique_ptr<families> families_;
};

} // namespace plex::relay
