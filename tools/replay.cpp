#include "commands.hpp"
#include "event_output.hpp"

#include "protocol/utf8.hpp"

#include <plex/client.hpp>
#include <plex/testing/fake_server.hpp>
#include <plex/testing/recording.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace plex::command {

namespace asio = boost::asio;

namespace {

constexpr auto time_to_settle = std::chrono::seconds(10);

/// Whether the client knows of what runs, and of nothing else: an end that it has to conclude takes its time.
bool in_step(plex::client const& client, plex::testing::fake_server const& server)
{
    std::vector<std::string> here;
    for (activity const& a : client.running().activities)
        here.emplace_back(a.uuid());
    std::vector<std::string> there;
    for (plex::testing::fake_activity const& a : server.running())
        there.push_back(a.uuid);
    return std::is_permutation(here.begin(), here.end(), there.begin(), there.end());
}

asio::awaitable<void> play(plex::client& client, plex::testing::fake_server& server, plex::testing::recording session)
{
    co_await server.play(session);
    co_await server.flushed();
    asio::steady_timer timer(client.get_executor());
    auto const until = std::chrono::steady_clock::now() + time_to_settle;
    do {
        timer.expires_after(std::chrono::milliseconds(50));
        co_await timer.async_wait(asio::use_awaitable);
    } while (!in_step(client, server) && std::chrono::steady_clock::now() < until);
}

plex::testing::recording read(std::string const& name)
{
    std::ifstream file(name, std::ios::binary);
    if (!file)
        throw usage_error(protocol::terminal_safe(name) + " cannot be opened");
    try {
        return plex::testing::read_recording(file);
    } catch (std::exception const& e) {
        throw usage_error(protocol::terminal_safe(name) + ": " + e.what());
    }
}

} // namespace

status replay(options const& o)
{
    plex::testing::recording const session = read(o.replay);
    asio::io_context io(1);
    plex::testing::fake_server_options settings;
    settings.token = "demo-token";
    plex::testing::fake_server server(io.get_executor(), settings);
    options there = o;
    there.server = server.url();
    there.token = settings.token;
    plex::client client(io.get_executor(), make_config(there));
    std::unique_ptr<event_output> const output = make_output(output_format(o.json, format::text), io.get_executor());
    plex::subscription const shown =
        client.subscribe(plex::filter(), [&](activity_event const& e) { output->show(e); });
    return run(io, play(client, server, session), client.close());
}

} // namespace plex::command
