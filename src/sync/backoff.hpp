#pragma once

#include <algorithm>
#include <chrono>

namespace plex::sync {

/// Delays between tries: drawn uniformly between half a second and a bound that doubles with each failure, up to 30 s,
/// so that many clients of one server do not come back in step.
class backoff
{
public:
    using duration = std::chrono::steady_clock::duration;

    /// @param random uniform in [0, 1)
    duration draw(double random) const noexcept
    {
        double const bound = std::min(30.0, 1.0 * static_cast<double>(1u << failures_));
        double const seconds = 0.5 + random * (bound - 0.5);
        return std::chrono::duration_cast<duration>(std::chrono::duration<double>(seconds));
    }
    /// The bound of the next ones is twice as high.
    void raise() noexcept { failures_ = std::min(failures_ + 1, 5u); } // 2^5 s exceeds the highest already
    void reset() noexcept { failures_ = 0; }

private:
    unsigned failures_ = 0;
};

} // namespace plex::sync
