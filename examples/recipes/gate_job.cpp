// Runs a job that must not stand beside a scan: waits until nothing is scanned, and tells whether a scan came yet.
//   example_gate_job [URL [TOKEN]]
#include "../server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <iostream>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// False when a scan began before the job was done: nothing keeps the server from starting one.
static asio::awaitable<bool> run_between_scans(plex::client& client, asio::awaitable<void> job,
                                               plex::client::duration quiet)
{
    plex::filter const scans = plex::filter().type("library.update.section");
    co_await client.wait_until_idle(scans, quiet, 1h);
    plex::feed feed = client.subscribe(scans); // what runs already comes first, so nothing slips in between
    co_await std::move(job);
    bool const disturbed = feed.try_next().has_value();
    co_return !disturbed;
}

static int scans_over = 0;        // as the fake server knows it
static int scans_over_before = 0; // when the job began
static std::size_t beside = 0;    // the scans that ran beside the job

static asio::awaitable<void> quiet_job(plex::client& client)
{
    scans_over_before = scans_over;
    std::vector<plex::activity> const running = co_await client.get_server_activities();
    for (plex::activity const& a : running)
        beside += a.type() == "library.update.section" ? 1u : 0u;
}

static asio::awaitable<void> job_that_scans(plex::client& client)
{
    plex::operation scan = co_await client.start(plex::scan_section(3));
    co_await scan.next(10s);
}

static asio::awaitable<bool> show(plex::client& client)
{
    bool const first = co_await run_between_scans(client, quiet_job(client), 300ms); // 5 s or more on a real server
    std::cout << "the job ran after " << scans_over_before << " scans, beside " << beside << "\n";
    bool const second = co_await run_between_scans(client, job_that_scans(client), 300ms);
    std::cout << "a job that scans " << (second ? "goes unnoticed" : "is noticed") << "\n";
    co_await client.close();
    co_return first && !second && beside == 0 && scans_over_before == scans_over;
}

/// Two scans of a queue: between them there is a moment in which nothing runs.
static asio::awaitable<void> two_scans(plex::testing::fake_server& server)
{
    plex::testing::scan_options options;
    options.duration = 200ms;
    co_await server.listeners_reached(1);
    co_await server.play_scan(options);
    asio::any_io_executor const executor = co_await asio::this_coro::executor;
    asio::steady_timer moment(executor, 50ms);
    co_await moment.async_wait(asio::use_awaitable);
    co_await server.play_scan(options);
    scans_over = 2;
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, show, two_scans);
}
