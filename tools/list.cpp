#include "commands.hpp"
#include "event_output.hpp"
#include "json_lines.hpp"
#include "plain_text.hpp"
#include "sync/filter_match.hpp"

#include <plex/client.hpp>

#include <boost/asio/io_context.hpp>

#include <vector>

#include <unistd.h>

namespace plex::command {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> print_list(plex::client& client, options const& o)
{
    std::vector<activity> all = co_await client.get_server_activities();
    std::erase_if(all, [&](activity const& a) { return sync::match(o.filter, a) != sync::answer::yes; });
    if (!o.json) {
        print(all.empty() ? "nothing is running\n" : table(all, palette::of(STDOUT_FILENO)));
        co_return;
    }
    for (activity const& a : all)
        print(json_line(a));
}

} // namespace

status list(options const& o)
{
    asio::io_context io(1);
    plex::client client(io.get_executor(), make_config(o));
    return run(io, print_list(client, o), client.close());
}

} // namespace plex::command
