#include "commands.hpp"
#include "event_output.hpp"
#include "protocol/utf8.hpp"

#include <plex/client.hpp>

#include <boost/asio/io_context.hpp>

namespace plex::command {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> ask_to_cancel(plex::client& client, options const& o)
{
    co_await client.cancel_server_activities(o.uuid);
    // A 200 is not the end: that comes with its last event.
    if (!o.json)
        print("the server was asked to cancel " + protocol::terminal_safe(o.uuid) + '\n');
}

} // namespace

status cancel(options const& o)
{
    asio::io_context io(1);
    plex::client client(io.get_executor(), make_config(o));
    return run(io, ask_to_cancel(client, o), client.close());
}

} // namespace plex::command
