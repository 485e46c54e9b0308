#pragma once

#include <plex/testing/fake_server.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>

namespace plex::command {

/// A server with something of everything to see: activities with and without a Context, one that does not say how far
/// it is, and one that can be cancelled.
class demo_server
{
public:
    /// @param token the one that is let in; empty lets everybody in
    demo_server(boost::asio::any_io_executor executor, std::string token);

    plex::testing::fake_server& fake() noexcept { return server_; }
    /// The activity that can be cancelled.
    std::string const& download() const noexcept { return download_; }

    void start_others();
    /// What they do beside a scan, each to its end, in five seconds.
    boost::asio::awaitable<void> play_others();

private:
    bool runs(std::string const& uuid) const;

    plex::testing::fake_server server_;
    std::string refresh_;
    std::string credits_;
    std::string guide_;
    std::string download_;
};

} // namespace plex::command
