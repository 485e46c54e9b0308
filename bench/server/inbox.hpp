#pragma once

#include "channel.hpp"

#include <string>

namespace plex::bench {

/// What the peer sent on its WebSocket: small frames, all masked (RFC 6455, 5.2).
class inbox
{
public:
    /// Answers the pings that are there. False once the peer has gone.
    bool serve(channel& peer);

private:
    std::string pending_;
};

} // namespace plex::bench
