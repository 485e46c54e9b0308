#include "commands.hpp"
#include "countdown.hpp"
#include "event_output.hpp"
#include "outages.hpp"

#include <plex/client.hpp>

#include <boost/asio/io_context.hpp>

#include <memory>
#include <optional>
#include <utility>

// `scan` and `run`: a request, and what it starts.
namespace plex::command {

namespace asio = boost::asio;

namespace {

activity_request asked_for(options const& o)
{
    if (o.what == subcommand::scan)
        return scan_section(o.section, o.path);
    return activity_request(request(o.method, o.target), o.filter);
}

status status_of(outcome const& over)
{
    switch (over.kind) {
    case outcome_kind::ended:
        if (over.weak)
            remark("it ended without saying what it was about, so it may have been another of its type");
        return done;
    case outcome_kind::vanished:
        remark(over.message.empty() ? "it has vanished: the server shows it no more, and was not heard to end it"
                                    : "it has vanished: " + over.message);
        return vanished;
    case outcome_kind::not_started:
        break;
    }
    remark(over.message);
    return not_started;
}

/// Its events, as they come.
asio::awaitable<void> show(plex::client& client, options const& o, operation& started, countdown const& time)
{
    format const how = output_format(o.json, format::text);
    std::shared_ptr<event_output> const output = make_output(how, client.get_executor());
    tell_outages(client, how, output);
    for (;;) {
        std::optional<activity_event> const event = co_await started.next(time.left());
        if (!event)
            break;
        output->show(*event);
    }
}

asio::awaitable<void> follow_to_the_end(plex::client& client, options const& o, operation& started, status& ended_as)
{
    countdown const time(o.deadline);
    activity_request asked = asked_for(o);
    started = co_await client.start(std::move(asked), time.left());
    co_await show(client, o, started, time); // when it is done the terminal is as it was
    outcome const over = co_await started.result(time.left());
    ended_as = status_of(over);
}

} // namespace

status follow(options const& o)
{
    asio::io_context io(1);
    plex::client client(io.get_executor(), make_config(o));
    operation started; // it holds the connection until after the goodbye
    status ended_as = done;
    status const ran = run(io, follow_to_the_end(client, o, started, ended_as), client.close());
    return ran == done ? ended_as : ran;
}

} // namespace plex::command
