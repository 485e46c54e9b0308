// Shows what a server does in an interface that has a thread of its own, ten times a second at most.
//   example_show_progress [URL [TOKEN]]        ends when what it showed has ended
#include "../server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <iostream>
#include <map>
#include <string>

namespace asio = boost::asio;
using namespace std::chrono_literals;

using rows = std::map<std::string, plex::activity>; // by uuid

/// Stands for a window: its members belong on the interface's thread.
struct panel {
    void draw(rows const& shown)
    {
        ++frames;
        for (auto const& [uuid, activity] : shown) {
            std::cout << activity.title() << ' ';
            if (activity.progress())
                std::cout << *activity.progress() << " %\n";
            else
                std::cout << "...\n"; // indeterminate
            halfway = halfway || (activity.progress() > 0 && activity.progress() < 100);
        }
        empty = shown.empty();
    }
    int frames = 0;
    bool halfway = false;
    bool empty = false;
};

/// Takes whatever has come, hands one picture of it to the interface, and lets a tenth of a second pass.
static asio::awaitable<void> show_progress(plex::client& client, panel& window, asio::any_io_executor interface_thread)
{
    plex::feed feed = client.subscribe(plex::filter().type("library."));
    asio::steady_timer frame(client.get_executor());
    rows shown;
    do {
        co_await feed.wait();
        while (auto event = feed.try_next()) {
            std::string uuid(event->activity.uuid());
            if (event->kind == plex::event_kind::ended)
                shown.erase(uuid);
            else
                shown[uuid] = event->activity; // a handle: cheap to copy, and readable on any thread
        }
        asio::post(interface_thread, [&window, shown] { window.draw(shown); });
        frame.expires_after(100ms);
        co_await frame.async_wait(asio::use_awaitable);
    } while (!feed.stopped() && !shown.empty());
}

static asio::awaitable<bool> show(plex::client& client)
{
    panel window;
    asio::thread_pool interface_thread(1);
    co_await show_progress(client, window, interface_thread.get_executor());
    co_await client.close();
    interface_thread.join();
    std::cout << window.frames << " frames\n";
    bool const worked = window.halfway && window.empty && window.frames < 100;
    co_return worked;
}

static asio::awaitable<void> one_scan(plex::testing::fake_server& server)
{
    plex::testing::scan_options options;
    options.duration = 700ms;
    co_await server.listeners_reached(1);
    co_await server.play_scan(options);
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, show, one_scan);
}
