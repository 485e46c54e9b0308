#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace plex::command {

/// What is left of a time limit, if there is one.
class countdown
{
public:
    using clock = std::chrono::steady_clock;

    explicit countdown(std::optional<clock::duration> limit) : limit_(limit) {}
    std::optional<clock::duration> left() const
    {
        if (!limit_)
            return std::nullopt;
        return std::max(clock::duration(0), *limit_ - (clock::now() - began_));
    }

private:
    std::optional<clock::duration> limit_;
    clock::time_point began_ = clock::now();
};

} // namespace plex::command
