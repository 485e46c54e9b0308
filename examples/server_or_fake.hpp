#pragma once

#include <plex/client.hpp>
#include <plex/testing/fake_server.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <optional>

namespace example {

namespace asio = boost::asio;

/// The server named on the command line, or a fake one in this process that scans a section and refreshes the guide.
class server_or_fake
{
public:
    server_or_fake(asio::io_context& io, int argc, char* argv[]) : scan_strand_(io.get_executor())
    {
        if (argc > 1) {
            settings_.url = argv[1];
            if (argc > 2)
                settings_.token = argv[2];
            return;
        }
        fake_.emplace(io.get_executor());
        settings_.url = fake_->url();
        plex::testing::fake_activity guide("provider.epg.load", "Refreshing EPG");
        guide.cancellable = true;
        fake_->start_activity(guide);
        asio::co_spawn(scan_strand_, scan(), asio::bind_cancellation_slot(end_scan_.slot(), asio::detached));
    }

    plex::config const& settings() const { return settings_; }
    /// So that run() may return.
    void stop()
    {
        // Where the scan runs: a pool of threads may be running it now.
        asio::dispatch(scan_strand_, [this] { end_scan_.emit(asio::cancellation_type::terminal); });
        if (fake_)
            fake_->stop();
    }

private:
    asio::awaitable<void> scan()
    {
        co_await fake_->listeners_reached(1);
        plex::testing::scan_options options;
        options.duration = std::chrono::milliseconds(200);
        co_await fake_->play_scan(options);
    }

    plex::config settings_;
    std::optional<plex::testing::fake_server> fake_;
    asio::strand<asio::io_context::executor_type> scan_strand_;
    asio::cancellation_signal end_scan_;
};

/// What the main() of an example does: one client on one `io_context`, and a coroutine on the client's executor.
inline int run(int argc, char* argv[], asio::awaitable<void> (*body)(plex::client&))
{
    asio::io_context io;
    server_or_fake server(io, argc, argv);
    plex::client client(io.get_executor(), server.settings());
    asio::co_spawn(client.get_executor(), body(client), [&](std::exception_ptr failure) {
        server.stop();
        if (failure)
            std::rethrow_exception(failure);
    });
    try {
        io.run();
    } catch (plex::error const& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
    return 0;
}

} // namespace example
