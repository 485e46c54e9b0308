#pragma once

#include "measure.hpp"
#include "stepper.hpp"

#include <plex/activity.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace plex::bench {

/// Many subscribers on one client, and the server stepped: the next 8 events come when everybody has taken the last 8,
/// so that they come in one read.
class crowd
{
public:
    /// @param taken_in_all at least so many are measured
    /// @param finished called when they have been taken
    crowd(std::uint64_t port, std::uint64_t subscribers, std::uint64_t warm_up_steps, std::uint64_t taken_in_all,
          std::function<void()> finished);

    /// Everybody listens.
    void begin() { stepper_.step(); }
    /// By one of them.
    void take(activity_event const& event)
    {
        // What runs already is told as `started`, and not counted.
        if (event.kind == event_kind::updated && ++taken_ == due_)
            all_have_taken();
    }
    void report(std::string_view program, std::string_view more) const;

private:
    void all_have_taken();

    stepper stepper_;
    std::uint64_t a_step_; // events that are taken
    std::uint64_t warm_up_;
    std::uint64_t end_;
    std::function<void()> finished_;
    std::uint64_t taken_ = 0;
    std::uint64_t due_ = a_step_;
    reading begin_;
    reading spent_;
};

} // namespace plex::bench
