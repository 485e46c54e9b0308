#include "commands.hpp"
#include "countdown.hpp"
#include "event_output.hpp"
#include "outages.hpp"

#include <plex/client.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>

// `wait`: a gate for jobs that must not run beside the server's own work.
namespace plex::command {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> wait_until_idle(plex::client& client, options const& o)
{
    countdown const time(o.deadline);
    co_await client.ready(time.left());
    format const how = output_format(o.json, format::json);
    std::shared_ptr<event_output> const output = make_output(how, client.get_executor());
    tell_outages(client, how, output);
    subscription shown;
    if (how == format::bars || o.json) // where nobody looks on it is quiet: what counts is the status
        shown = client.subscribe(o.filter, [output](activity_event const& e) { output->show(e); });
    co_await client.wait_until_idle(o.filter, std::chrono::seconds(5), time.left());
}

} // namespace

status wait(options const& o)
{
    asio::io_context io(1);
    plex::client client(io.get_executor(), make_config(o));
    plex::feed feed = client.subscribe(filter().uuid("none")); // holds the connection until after the goodbye
    return run(io, wait_until_idle(client, o), client.close());
}

} // namespace plex::command
