// Reacts to refreshes of items that changed something: browsing alone makes a server refresh items, to no effect.
//   example_react_to_refresh [URL [TOKEN]]        ends after the first that did
#include "../server_or_fake.hpp"

#include <plex/activities.hpp>

#include <boost/asio/awaitable.hpp>

#include <iostream>
#include <optional>
#include <string>

namespace asio = boost::asio;

/// Whether the refresh that has ended did refresh something (docs/protocol.md 1.7, 2.4).
static bool changed_something(plex::activity_event const& ended)
{
    std::optional<std::string> const refreshed = ended.activity.context().text("refreshed");
    if (!refreshed)
        return ended.inferred; // an outage took what came of it: better to look in vain
    return *refreshed == "true" || *refreshed == "1";
}

/// The end of the next refresh that did; empty once the feed has stopped.
static asio::awaitable<std::optional<plex::activity_event>> next_change(plex::feed& refreshes)
{
    for (;;) {
        std::optional<plex::activity_event> event = co_await refreshes.next();
        if (!event || (event->kind == plex::event_kind::ended && changed_something(*event)))
            co_return event;
    }
}

static std::string expected; // where the server is a fake one

static asio::awaitable<bool> show(plex::client& client)
{
    plex::feed refreshes = client.subscribe(plex::filter().type("library.refresh.items"));
    std::optional<plex::activity_event> const change = co_await next_change(refreshes);
    co_await client.close();
    if (!change)
        co_return false;
    std::string const key = change->activity.context().text("key").value_or("something without a key");
    std::cout << "refreshed: " << key << '\n';
    co_return expected.empty() || key == expected;
}

/// An item that was looked at, one that is missing, and one that was refreshed.
static asio::awaitable<void> three_refreshes(plex::testing::fake_server& server)
{
    expected = "/library/metadata/514";
    co_await server.listeners_reached(1);
    for (char const* const context : {R"({"key":"/library/metadata/513","exists":true,"refreshed":false})",
                                      R"({"key":"/library/metadata/101","exists":false,"refreshed":false})",
                                      R"({"key":"/library/metadata/514","exists":true,"refreshed":true})"}) {
        std::string const uuid =
            server.start_activity(plex::testing::fake_activity("library.refresh.items", "Refreshing"));
        server.update_activity(uuid, 66, "Refreshing media analysis", context);
        server.end_activity(uuid);
    }
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, show, three_refreshes);
}
