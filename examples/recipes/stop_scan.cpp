// Stops a scan: one that this program has started, and one that somebody else has.
//   example_stop_scan [URL [TOKEN]]        sections 3 and 4
#include "../server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// By the operation: it knows the request that stops a scan.
static asio::awaitable<plex::outcome> stop_own_scan(plex::operation& scan)
{
    co_await scan.cancel();                                  // asked, not yet done; no error if it has ended already
    plex::outcome const result = co_await scan.result(1min); // its end
    co_return result;
}

/// Whoever has started it: by the request that stops a section's scan. False when the server refuses.
static asio::awaitable<bool> stop_any_scan(plex::client& client, std::int64_t section)
{
    plex::activity_request const scan = plex::scan_section(section); // not to be started: it knows how to stop one
    plex::reply const reply = co_await client.send(*scan.cancel());
    if (reply.status() >= 400)
        co_return false;
    co_await client.wait_until_idle(scan.filter(), 0s, 1min);
    co_return true;
}

static asio::awaitable<bool> show(plex::client& client)
{
    plex::operation scan = co_await client.start(plex::scan_section(3), 30s);
    std::optional<plex::activity_event> const seen = co_await scan.next(30s);
    plex::outcome const result = co_await stop_own_scan(scan);
    std::cout << result.activity.title() << " stopped at " << result.activity.progress().value_or(0) << " %\n";
    bool const stopped = co_await stop_any_scan(client, 4);
    std::vector<plex::activity> const running = co_await client.get_server_activities();
    co_await client.close();
    for (plex::activity const& a : running)
        if (a.type() == "library.update.section")
            co_return false;
    bool const worked = seen && stopped && result.kind == plex::outcome_kind::ended;
    co_return worked;
}

/// Somebody else's scan, of section 4, which does not end by itself.
static asio::awaitable<void> endless_scan(plex::testing::fake_server& server)
{
    plex::testing::fake_activity scan("library.update.section", "Scanning Photos");
    scan.context_json = R"({"librarySectionID":"4"})";
    server.start_activity(scan);
    co_return;
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, show, endless_scan, 1min);
}
