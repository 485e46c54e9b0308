#include "outages.hpp"

#include "palette.hpp"
#include "protocol/utf8.hpp"
#include "session.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include <unistd.h>

namespace plex::command {

namespace {

std::string outage(connection_status const& now)
{
    std::array<char, 64> next{};
    std::chrono::duration<double> const wait = now.next_try.value_or(std::chrono::steady_clock::duration());
    std::snprintf(next.data(), next.size(), "; trying again in %.1f s", wait.count());
    return "interrupted: " + protocol::terminal_safe(now.diagnostics.message()) + next.data();
}

void tell(format how, std::weak_ptr<event_output> const& to, std::string const& line, bool lost)
{
    std::shared_ptr<event_output> const output = to.lock();
    if (!output)
        return;
    if (how == format::bars)
        output->say(lost ? palette::of(STDOUT_FILENO).doubtful(line) : line);
    else
        remark(line);
}

} // namespace

void tell_outages(plex::client& client, format how, std::weak_ptr<event_output> output)
{
    client.on_connection_change([how, output = std::move(output), lost = false](connection_status const& now) mutable {
        if (now.state == connection_state::interrupted)
            tell(how, output, outage(now), true);
        else if (now.state == connection_state::reconciled && lost)
            tell(how, output, std::string("connected again, over ") + std::string(to_string(now.transport)), false);
        lost = now.state != connection_state::reconciled && (lost || now.state == connection_state::interrupted);
    });
}

} // namespace plex::command
