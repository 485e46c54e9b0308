#include "commands.hpp"
#include "recorder.hpp"

#include "client_state.hpp"

#include <plex/client.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace plex::command {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> record_feed(plex::client& client, asio::steady_timer& end, bool const& is_over, options const& o)
{
    co_await client.ready(); // a wrong URL or token is an error now, not silence for ever
    remark("recording over " + std::string(to_string(client.connection().transport)) +
           (o.limit || o.count ? "" : ", until interrupted"));
    if (o.limit)
        end.expires_after(*o.limit);
    if (!is_over)
        co_await end.async_wait(asio::as_tuple(asio::use_awaitable));
    plex::detail::client_access::state(client)->feed.set_tap(nullptr); // what still comes belongs to the goodbye
}

} // namespace

status record(options const& o)
{
    asio::io_context io(1);
    asio::steady_timer end(io, asio::steady_timer::time_point::max());
    bool is_over = false;
    auto const finish = [&] {
        is_over = true;
        end.cancel();
    };
    std::optional<recorder> made; // goes after the client, and comes after it: no file for what cannot be reached
    plex::client client(io.get_executor(), make_config(o));
    recorder& to = made.emplace(o.file, o.token, to_string(o.transport), finish);
    plex::detail::client_access::state(client)->feed.set_tap(&to);
    client.on_connection_change([&to, there = false, lost = false](connection_status const& now) mutable {
        to.connection(now);
        if (now.state == connection_state::interrupted && std::exchange(there, false)) {
            remark("the connection is lost, and tried again");
            lost = true;
        } else if (now.state == connection_state::connected) {
            if (std::exchange(lost, false))
                remark("connected again, over " + std::string(to_string(now.transport)));
            there = true;
        }
    });
    std::uint64_t told = 0;
    std::exception_ptr gave_up;
    plex::subscription const heard = client.subscribe(
        plex::filter(),
        [&](activity_event const&) {
            if (++told == o.count)
                finish();
        },
        [&](error_code code, plex::diagnostics const& why) {
            gave_up = std::make_exception_ptr(plex::error(code, why));
            finish();
        });
    status result = run(io, record_feed(client, end, is_over, o), client.close());
    try {
        to.check();
        if (gave_up && result == done)
            std::rethrow_exception(gave_up);
    } catch (std::exception const& e) {
        result = report(e);
    }
    if (result == done || result == interrupted)
        remark("recorded " + to.summary());
    else
        to.drop_if_empty();
    return result;
}

} // namespace plex::command
