#include "commands.hpp"
#include "demo_server.hpp"
#include "event_output.hpp"
#include "plain_text.hpp"

#include <plex/client.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace plex::command {

namespace asio = boost::asio;

namespace {

constexpr auto scan_time = std::chrono::seconds(6);
constexpr auto until_cancel = std::chrono::seconds(2);

asio::awaitable<void> pause(std::chrono::steady_clock::duration time)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> show_to_the_end(plex::feed& feed, event_output& output, std::string uuid)
{
    while (std::optional<activity_event> const event = co_await feed.next()) {
        output.show(*event);
        if (event->kind == event_kind::ended && event->activity.uuid() == uuid)
            co_return;
    }
}

asio::awaitable<void> cancel_later(plex::client& client, event_output& output, std::string uuid)
{
    co_await pause(until_cancel);
    output.say("> cancelling the download");
    co_await client.cancel_server_activities(uuid);
}

asio::awaitable<void> show_all(plex::client& client, plex::feed& feed, demo_server& server, options const& o)
{
    using namespace asio::experimental::awaitable_operators;

    std::unique_ptr<event_output> const output =
        make_output(output_format(o.json, format::text), client.get_executor());
    co_await client.ready();

    output->say("> the list");
    std::vector<activity> const list = co_await client.get_server_activities();
    output->say(table(list, palette::of(STDOUT_FILENO)));

    output->say("> the feed, while a library is scanned");
    plex::testing::scan_options scan;
    scan.duration = scan_time;
    scan.uuid = "5f2f8b0e-92f4-4f0c-8d8b-6d6e7a1c3d21";
    auto shown = show_to_the_end(feed, *output, scan.uuid);
    auto scanned = server.fake().play_scan(scan);
    auto others = server.play_others();
    auto cancelled = cancel_later(client, *output, server.download());
    co_await (std::move(shown) && std::move(scanned) && std::move(others) && std::move(cancelled));

    plex::counters const counted = client.counters();
    output->say("> done: " + std::to_string(counted.events) + " events heard, " + std::to_string(counted.conflated) +
                " left out");
}

asio::awaitable<void> play_for_ever(demo_server& server)
{
    using namespace asio::experimental::awaitable_operators;

    print(server.fake().url() + '\n');
    for (;;) {
        server.start_others();
        plex::testing::scan_options scan;
        scan.duration = scan_time;
        auto scanned = server.fake().play_scan(scan);
        auto others = server.play_others();
        co_await (std::move(scanned) && std::move(others));
        co_await pause(std::chrono::seconds(1));
    }
}

asio::awaitable<void> nothing()
{
    co_return;
}

} // namespace

status demo(options const& o)
{
    asio::io_context io(1);
    if (o.serve) {
        demo_server server(io.get_executor(), o.token);
        return run(io, play_for_ever(server), nothing());
    }
    demo_server server(io.get_executor(), "demo-token");
    server.start_others();
    options there = o;
    there.server = server.fake().url();
    there.token = "demo-token";
    plex::client client(io.get_executor(), make_config(there));
    plex::feed feed = client.subscribe(); // held until after the goodbye, as it holds the connection
    return run(io, show_all(client, feed, server, there), client.close());
}

} // namespace plex::command
