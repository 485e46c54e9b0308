// Follows a scan on each of many servers: all clients on one thread, then the same code on a pool of four.
//   example_many_servers [URL...]        without arguments: twenty servers inside this process
#include <plex/activities.hpp>
#include <plex/testing/fake_server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;

struct followed {
    std::size_t events = 0;
    plex::counters counters;
};

/// Belongs on the client's executor, and is the same whatever runs that.
static asio::awaitable<void> follow_a_scan(plex::client& client, followed& seen)
{
    plex::feed feed = client.subscribe(plex::filter().type("library.update.section"));
    for (;;) {
        std::optional<plex::activity_event> const event = co_await feed.next();
        if (!event)
            break;
        ++seen.events;
        if (event->kind == plex::event_kind::ended)
            break;
    }
    seen.counters = client.counters();
    co_await client.close();
}

/// Lines as Prometheus reads them.
static void write_metrics(std::ostream& out, std::string const& server, plex::counters const& c)
{
    std::string const label = "{server=\"" + server + "\"} ";
    out << "plex_feed_events_total" << label << c.events << '\n'
        << "plex_feed_conflated_total" << label << c.conflated << '\n'
        << "plex_feed_malformed_total" << label << c.malformed << '\n'
        << "plex_feed_repaired_utf8_total" << label << c.repaired_utf8 << '\n'
        << "plex_feed_reconnects_total" << label << c.reconnects << '\n'
        << "plex_requests_total" << label << c.requests << '\n';
    if (c.since_last_sign)
        out << "plex_feed_silent_seconds" << label << std::chrono::duration<double>(*c.since_last_sign).count() << '\n';
}

static asio::awaitable<void> scan(plex::testing::fake_server& server)
{
    co_await server.listeners_reached(1);
    co_await server.play_scan();
    co_await server.flushed();
}

/// Whether each client heard of the whole scan of its server.
static bool follow_all(std::vector<std::string> urls, std::size_t threads)
{
    asio::io_context io;
    std::vector<std::unique_ptr<plex::testing::fake_server>> fakes;
    if (urls.empty()) {
        for (int i = 0; i < 20; ++i) {
            fakes.push_back(std::make_unique<plex::testing::fake_server>(io.get_executor()));
            asio::co_spawn(io, scan(*fakes.back()), asio::detached);
            urls.push_back(fakes.back()->url());
        }
    }

    std::vector<followed> seen(urls.size());
    std::vector<std::unique_ptr<plex::client>> clients;
    for (std::size_t i = 0; i != urls.size(); ++i) {
        plex::config config;
        config.url = urls[i];
        config.executor_is_strand = threads == 1; // else each client makes a strand of its own
        clients.push_back(std::make_unique<plex::client>(io.get_executor(), config));
        auto done = [&, i](std::exception_ptr failure) {
            if (!fakes.empty())
                fakes[i]->stop();
            if (failure)
                std::rethrow_exception(failure); // leaves run()
        };
        asio::co_spawn(clients[i]->get_executor(), follow_a_scan(*clients[i], seen[i]), done);
    }

    std::vector<std::thread> others(threads - 1);
    for (std::thread& t : others)
        t = std::thread([&] { io.run(); });
    io.run();
    for (std::thread& t : others)
        t.join();

    std::size_t whole = 0;
    for (followed const& f : seen)
        whole += f.events + f.counters.conflated == plex::testing::fake_server::scan_events ? 1u : 0u;
    std::cout << whole << " of " << seen.size() << " scans heard whole, by " << threads << " threads\n";
    if (threads == 1)
        write_metrics(std::cout, "first", seen[0].counters);
    return fakes.empty() || whole == seen.size();
}

int main(int argc, char* argv[])
{
    std::vector<std::string> const urls(argv + 1, argv + argc);
    try {
        bool const one = follow_all(urls, 1);
        bool const four = follow_all(urls, 4);
        return one && four ? 0 : 1;
    } catch (std::exception const& e) {
        std::cerr << e.what() << '\n';
        return 1;
    }
}
