#pragma once

#include <plex/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace plex::bench {

/// Events of the server's scans that were taken. As a scan's length is known, they show whether whole lives came.
class scan_tally
{
public:
    void take(activity_event const& event) noexcept
    {
        ++taken_[static_cast<std::size_t>(event.kind)];
        ++total_;
    }
    std::uint64_t total() const noexcept { return total_; }
    void reset() noexcept { *this = scan_tally(); }
    /// Ends the program when these cannot have been the server's events.
    void check() const;

private:
    std::array<std::uint64_t, 3> taken_{};
    std::uint64_t total_ = 0;
};

/// Takes events through `next()`.
boost::asio::awaitable<void> take(feed&, std::uint64_t events, scan_tally&);
/// The whole measurement of that, and its line.
boost::asio::awaitable<void> measure_next(client&, std::string_view program, std::uint64_t events);

} // namespace plex::bench
