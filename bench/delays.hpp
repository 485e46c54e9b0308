#pragma once

#include "measure.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace plex::bench {

/// How long the events of the scene `/paced` were under way.
class delays
{
public:
    explicit delays(std::uint64_t events) { nanoseconds_.reserve(events); }

    /// @param subtitle begins with when it was written
    void arrived(std::string_view subtitle);
    void reset() noexcept { nanoseconds_.clear(); }
    void report(std::string_view program, reading const& spent);

private:
    std::vector<std::int64_t> nanoseconds_;
};

std::uint64_t constexpr paced_warm_up = 200;

} // namespace plex::bench
