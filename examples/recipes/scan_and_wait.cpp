// Scans a section and waits until this scan is done, whatever else the server does meanwhile.
//   example_scan_and_wait [URL [TOKEN]]        section 3; without arguments: of a server inside this process
#include "../server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static asio::awaitable<plex::outcome> scan_and_wait(plex::client& client, std::int64_t section)
{
    plex::operation scan = co_await client.start(plex::scan_section(section), 30s); // sends it once the feed is ready
    plex::outcome const result = co_await scan.result(2h);                          // throws `timeout` after that
    co_return result;
}

static asio::awaitable<bool> show(plex::client& client)
{
    plex::outcome const result = co_await scan_and_wait(client, 3);
    std::vector<plex::activity> const running = co_await client.get_server_activities();
    co_await client.close();
    for (plex::activity const& a : running)
        if (a.uuid() == result.activity.uuid())
            co_return false;
    std::cout << result.activity.title() << ": done\n";
    bool const third = result.activity.context().text("librarySectionID") == "3";
    bool const ended = result.kind == plex::outcome_kind::ended && !result.weak;
    co_return (third && ended);
}

/// Another section's scan, which begins before and ends before.
static asio::awaitable<void> scan_another(plex::testing::fake_server& server)
{
    std::string const request = "GET /library/sections/3/refresh";
    server.hold(request, plex::testing::as_of::release);
    co_await server.held_reached(request, 1);
    plex::testing::fake_activity other("library.update.section", "Scanning Photos");
    other.context_json = R"({"librarySectionID":"4"})";
    server.start_activity(other);
    server.release(request);
    asio::any_io_executor const executor = co_await asio::this_coro::executor;
    asio::steady_timer part(executor, 100ms);
    co_await part.async_wait(asio::use_awaitable);
    server.end_activity(other.uuid);
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, show, scan_another);
}
