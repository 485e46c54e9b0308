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

/// What the fake server does by itself.
using scene = asio::awaitable<void> (*)(plex::testing::fake_server&);

/// Refreshes the guide all the time, and scans a section as soon as somebody listens.
inline asio::awaitable<void> scan_and_guide(plex::testing::fake_server& server)
{
    plex::testing::fake_activity guide("provider.epg.load", "Refreshing EPG");
    guide.cancellable = true;
    server.start_activity(guide);
    co_await server.listeners_reached(1);
    plex::testing::scan_options options;
    options.duration = std::chrono::milliseconds(200);
    co_await server.play_scan(options);
}

/// The server named on the command line, or a fake one in this process.
class server_or_fake
{
public:
    /// @param call_takes how long runs what a request to the fake server has started
    server_or_fake(asio::io_context& io, int argc, char* argv[], scene played = scan_and_guide,
                   std::chrono::milliseconds call_takes = std::chrono::milliseconds(300))
        : scene_strand_(io.get_executor())
    {
        if (argc > 1) {
            settings_.url = argv[1];
            if (argc > 2)
                settings_.token = argv[2];
            return;
        }
        plex::testing::fake_server_options options;
        options.call_duration = call_takes;
        options.refresh_plays_recording = true;
        fake_.emplace(io.get_executor(), options);
        settings_.url = fake_->url();
        asio::co_spawn(scene_strand_, played(*fake_), asio::bind_cancellation_slot(end_scene_.slot(), asio::detached));
    }

    plex::config const& settings() const { return settings_; }
    bool is_fake() const { return fake_.has_value(); }
    /// So that run() may return.
    void stop()
    {
        // Where the scene runs: a pool of threads may be running it now.
        asio::dispatch(scene_strand_, [this] { end_scene_.emit(asio::cancellation_type::terminal); });
        if (fake_)
            fake_->stop();
    }

private:
    plex::config settings_;
    std::optional<plex::testing::fake_server> fake_;
    asio::strand<asio::io_context::executor_type> scene_strand_;
    asio::cancellation_signal end_scene_;
};

/// What the main() of an example does: one client on one `io_context`, and a coroutine on the client's executor, which
/// may return whether it worked. Against the fake server it must be done in time.
template <class Result>
int run(int argc, char* argv[], asio::awaitable<Result> (*body)(plex::client&), scene played = scan_and_guide,
        std::chrono::milliseconds call_takes = std::chrono::milliseconds(300))
{
    asio::io_context io;
    server_or_fake server(io, argc, argv, played, call_takes);
    plex::client client(io.get_executor(), server.settings());
    bool worked = false;
    asio::steady_timer limit(io);
    if (server.is_fake()) {
        limit.expires_after(std::chrono::seconds(30));
        limit.async_wait([&](plex::error_code cancelled) {
            if (!cancelled)
                io.stop();
        });
    }
    asio::co_spawn(client.get_executor(), body(client), [&](std::exception_ptr failure, auto... result) {
        worked = !failure && (true && ... && result);
        limit.cancel();
        client.stop();
        server.stop();
        if (failure)
            std::rethrow_exception(failure);
    });
    try {
        io.run();
    } catch (plex::error const& e) {
        std::cerr << e.what() << '\n';
    }
    return worked ? 0 : 1;
}

} // namespace example
