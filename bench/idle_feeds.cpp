// Very many feeds on which nothing happens, each of a client of its own, on one thread.
#include "addresses.hpp"
#include "client.hpp"
#include "idleness.hpp"
#include "measure.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <vector>

namespace {

namespace asio = boost::asio;
using namespace plex::bench;
using namespace std::chrono_literals;

constexpr std::uint64_t opened_at_once = 64;

void rethrow(std::exception_ptr failure)
{
    if (failure)
        std::rethrow_exception(failure);
}

struct feeds {
    feeds(asio::io_context& c, plex::config s) : context(c), settings(std::move(s)) {}

    asio::io_context& context;
    plex::config settings;
    std::vector<plex::client> clients;
    std::vector<plex::feed> all;
    std::uint64_t opened = 0;

    plex::client& add()
    {
        // Each feed asks for two lists, on connections of their own: more than one address has ports for.
        plex::config its = settings;
        its.url.replace(its.url.find("127.0.0.1"), 9, "127.0.0." + std::to_string(1 + all.size() % server_addresses));
        clients.emplace_back(context.get_executor(), std::move(its));
        all.push_back(clients.back().subscribe());
        return clients.back();
    }
};

asio::awaitable<void> open(feeds& made, std::uint64_t until, asio::steady_timer& all_open)
{
    while (made.all.size() < until) {
        plex::client& client = made.add();
        co_await client.ready();
        ++made.opened;
    }
    if (made.opened == until)
        all_open.cancel();
}

asio::awaitable<void> pass(asio::steady_timer& timer, asio::steady_timer::duration time)
{
    timer.expires_after(time);
    try {
        co_await timer.async_wait(asio::use_awaitable);
    } catch (boost::system::system_error const&) {
        // woken
    }
}

asio::awaitable<void> measure(feeds& made, std::uint64_t count, std::string_view program)
{
    made.clients.reserve(count + 1);
    made.all.reserve(count + 1);
    asio::steady_timer timer(made.context);
    plex::client& first = made.add(); // what a process has once
    co_await first.ready();
    made.opened = 1;
    co_await pass(timer, 1s);

    idleness result;
    result.opening();
    for (std::uint64_t i = 0; i != std::min(count, opened_at_once); ++i)
        asio::co_spawn(made.context, open(made, count + 1, timer), rethrow);
    co_await pass(timer, 1h);
    result.opened();
    // Each asks for its list once more 5 s after it was opened, and judges it in the next two (design.md, rule 2).
    co_await pass(timer, 10s);
    result.quiet();
    co_await pass(timer, idleness::watched);
    for (plex::client const& client : made.clients) {
        expect(client.connection().state == plex::connection_state::reconciled, "a feed is not open");
        expect(client.counters().reconnects == 0, "a feed was lost");
    }
    result.report(program, count);
    for (plex::client& client : made.clients)
        client.stop();
}

} // namespace

int main(int argc, char** argv)
{
    constexpr char const* usage = "PORT COUNT [tls]";
    std::uint64_t const port = number(argc, argv, 1, usage);
    std::uint64_t const wanted = number(argc, argv, 2, usage);
    bool const tls = is_word(argc, argv, 3, "tls", usage);
    plex::config config = tls ? tls_settings(port, "/idle") : settings(port, "/idle");
    config.executor_is_strand = true;
    config.idle_connection = 100ms; // as after long: the list's connection has been closed
    asio::io_context context(1);
    feeds made(context, std::move(config));
    asio::co_spawn(context, measure(made, affordable(wanted, 2), tls ? "idle_feeds_tls" : "idle_feeds"), rethrow);
    context.run();
}
