// Asks again where that may help, when the server wants it, and not where it cannot help.
//   example_retry [URL [TOKEN]]        without arguments: a server inside this process, which is not ready at first
#include "server_or_fake.hpp"

#include <plex/activities.hpp>
#include <plex/async.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Up to so many times. What no repetition mends is thrown at once.
static asio::awaitable<std::vector<plex::activity>> list_patiently(plex::client& client, int tries)
{
    asio::steady_timer pause(client.get_executor());
    for (;;) {
        auto const listed = co_await plex::as_result(client.get_server_activities());
        if (listed)
            co_return *listed;
        plex::error const& failure = listed.error();
        if (!plex::is_retryable(failure.code()) || --tries == 0)
            throw plex::error(failure);
        std::cerr << failure.what() << '\n';
        pause.expires_after(failure.diagnostics().retry_after().value_or(1s));
        co_await pause.async_wait(asio::use_awaitable);
    }
}

static asio::awaitable<bool> show(plex::client& client)
{
    std::vector<plex::activity> const running = co_await list_patiently(client, 5);
    std::cout << running.size() << " running\n";
    std::string uuid = "7251fc2d-8df0-4713-a7f1-f1373f6db8e9";
    auto const cancelled = co_await plex::as_result(client.cancel_server_activities(std::move(uuid)));
    co_await client.close();
    // It runs no longer: asking again changes nothing.
    co_return cancelled.has_error() && cancelled.error().code() == plex::errc::activity_not_found &&
        !plex::is_retryable(cancelled.error().code());
}

/// Starting, as servers do for minutes after an update.
static asio::awaitable<void> not_ready_yet(plex::testing::fake_server& server)
{
    server.refuse_for_maintenance("GET /activities");
    server.refuse_with("GET /activities", 503, "Retry-After", "1");
    co_return;
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, show, not_ready_yet);
}
