#include "settings.hpp"

#include <plex/error.hpp>

#include <string>
#include <string_view>

namespace plex::detail {

namespace {

// What a steady clock, which counts nanoseconds in 64 bits, can be ahead by without ever running over.
constexpr std::chrono::milliseconds longest = std::chrono::years(100);

[[noreturn]] void refuse(std::string_view name, std::string_view range)
{
    throw error(errc::invalid_argument, "config::" + std::string(name) + " has to be " + std::string(range));
}

void check(std::string_view name, std::chrono::milliseconds time, bool may_be_none = false)
{
    std::chrono::milliseconds const least(may_be_none ? 0 : 1);
    if (time < least || time > longest)
        refuse(name, may_be_none ? "0 to 100 years" : "1 ms to 100 years");
}

void check(std::string_view name, std::size_t number)
{
    if (number == 0)
        refuse(name, "1 or more");
}

} // namespace

void check(config const& c)
{
    check("connect_timeout", c.connect_timeout);
    check("request_timeout", c.request_timeout);
    check("idle_connection", c.idle_connection, true);
    check("ping_after", c.ping_after);
    check("idle_limit", c.idle_limit);
    check("upward_every", c.upward_every);
    check("appear_timeout", c.appear_timeout, true);
    check("max_connections", c.max_connections);
    check("max_body", c.max_body);
    check("max_message", c.max_message);
    check("max_header", c.max_header);
    check("conflate_after", c.conflate_after);
    check("mailbox_bytes", c.mailbox_bytes);
    check("ledger_bytes", c.ledger_bytes);
    if (c.max_depth < 6 || c.max_depth > 64) // what a list has at least, and what the reader has room for
        refuse("max_depth", "6 to 64");
}

} // namespace plex::detail
