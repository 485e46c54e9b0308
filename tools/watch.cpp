#include "commands.hpp"
#include "event_output.hpp"
#include "outages.hpp"

#include <plex/client.hpp>

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace plex::command {

namespace asio = boost::asio;

namespace {

// Whether the feed had news before the time was over.
asio::awaitable<bool> news_in_time(plex::feed& feed, asio::steady_timer& over)
{
    using namespace asio::experimental::awaitable_operators;
    auto news = feed.wait();
    auto end = over.async_wait(asio::use_awaitable);
    auto const first = co_await (std::move(news) || std::move(end));
    co_return first.index() == 0;
}

asio::awaitable<void> show_feed(plex::client& client, plex::feed& feed, options const& o)
{
    co_await client.ready(); // a wrong URL or token is an error now, not silence for ever

    asio::steady_timer over(client.get_executor(), asio::steady_timer::time_point::max());
    if (o.limit)
        over.expires_after(*o.limit);
    format const how = output_format(o.json, format::json);
    std::shared_ptr<event_output> const output = make_output(how, client.get_executor());
    tell_outages(client, how, output);
    std::uint64_t told = 0;
    for (;;) {
        while (std::optional<activity_event> const event = feed.try_next()) {
            output->show(*event);
            if (++told == o.count)
                co_return;
        }
        if (feed.stopped())
            co_return;
        bool const more = co_await news_in_time(feed, over);
        if (!more)
            co_return;
    }
}

} // namespace

status watch(options const& o)
{
    asio::io_context io(1);
    plex::client client(io.get_executor(), make_config(o));
    // The feed outlives what shows it: while nobody holds one there is no connection to say goodbye on.
    plex::feed feed = client.subscribe(o.filter);
    return run(io, show_feed(client, feed, o), client.close());
}

} // namespace plex::command
