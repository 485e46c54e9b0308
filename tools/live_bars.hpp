#pragma once

#include "bars.hpp"
#include "event_output.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace plex::command {

/// Bars of all that runs, drawn over and over in place at the bottom of the terminal; what has ended, and what else is
/// said, scrolls away above them.
class live_bars final : public event_output
{
public:
    explicit live_bars(boost::asio::any_io_executor const& executor);
    ~live_bars() override;
    live_bars(live_bars const&) = delete;
    live_bars& operator=(live_bars const&) = delete;

    void show(activity_event const&) override;
    void say(std::string_view lines) override;

private:
    void tick();
    void await_signal();
    void draw();
    using time_point = std::chrono::system_clock::time_point;
    /// What makes the screen show the bars of that time.
    std::string frame(screen_size, time_point);
    /// Puts the cursor where the bars begin, and wipes them away.
    std::string wiped(screen_size);

    boost::asio::steady_timer timer_;
    boost::asio::signal_set signals_;     // another size, or suspended by the user
    std::vector<activity_event> running_; // in the order in which they started, each as its latest event
    std::string above_;                   // lines to print above the bars
    std::string drawn_;                   // the bars as they stand on the screen, without their colours
    palette const colours_ = palette::of(STDOUT_FILENO);
    bool changed_ = false;
    // A handler that is on its way already runs even if this is gone by then.
    std::shared_ptr<bool const> alive_ = std::make_shared<bool const>(true);
};

} // namespace plex::command
