#include "services/watched_servers.hpp"

#include "integration/run.hpp"

#include <plex/testing/fake_server.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

using namespace plex::service;
namespace asio = boost::asio;
using plex::connection_state;
using plex::test::run;
using plex::test::until;
using plex::testing::fake_activity;
using plex::testing::fake_server;
using plex::testing::fake_server_options;

namespace {

server_settings settings(std::string name, std::string url, std::string token = {})
{
    server_settings s;
    s.name = std::move(name);
    s.place = "servers[0]";
    s.url = std::move(url);
    s.token = std::move(token);
    return s;
}

struct scene {
    bool has(std::string const& wanted) const { return std::find(told.begin(), told.end(), wanted) != told.end(); }
    long count(std::string const& wanted) const { return std::count(told.begin(), told.end(), wanted); }

    asio::io_context io{1};
    std::vector<std::string> told; ///< "server kind title" and "server state"
    bool next_try_told = false;
    watched_servers servers{io.get_executor(),
                            {[this](std::string const& server, plex::activity_event const& e) {
                                 told.push_back(server + ' ' + std::string(to_string(e.kind)) + ' ' +
                                                std::string(e.activity.title()));
                             },
                             [this](std::string const& server, plex::connection_status const& now) {
                                 told.push_back(server + ' ' + std::string(to_string(now.state)));
                                 next_try_told = now.state == connection_state::ended && now.next_try.has_value();
                             }},
                            std::chrono::milliseconds(20)};
};

} // namespace

TEST_CASE("each configured server is followed, and its client can be called")
{
    scene s;
    fake_server a(s.io.get_executor());
    fake_server b(s.io.get_executor());
    a.start_activity(fake_activity("butler", "One"));
    fake_activity two("media.download", "Two");
    two.cancellable = true;
    std::string const uuid = b.start_activity(two);
    s.servers.watch({settings("a", a.url()), settings("b", b.url())});
    run(s.io, [](scene& t, std::string id) -> asio::awaitable<void> {
        co_await until([&] { return t.has("a started One") && t.has("b started Two") && t.has("b reconciled"); });
        CHECK(t.servers.client_of("c") == nullptr);
        plex::client* const client = t.servers.client_of("b");
        REQUIRE(client != nullptr);
        co_await client->cancel_server_activities(id);
        co_await until([&] { return t.has("b ended Two"); });
        co_await t.servers.close();
    }(s, uuid));
    CHECK_FALSE(s.has("a ended One"));
}

TEST_CASE("of new settings what is the same is not touched, and the rest comes, changes and goes")
{
    scene s;
    fake_server stays(s.io.get_executor());
    fake_server changes(s.io.get_executor());
    fake_server goes(s.io.get_executor());
    fake_server comes(s.io.get_executor());
    changes.start_activity(fake_activity("butler", "One"));
    std::vector<server_settings> const before{settings("stays", stays.url()), settings("changes", changes.url()),
                                              settings("goes", goes.url())};
    s.servers.watch(before);
    run(s.io,
        [](scene& t, fake_server& same, fake_server& other, fake_server& left,
           fake_server& joins) -> asio::awaitable<void> {
            co_await until(
                [&] { return t.has("stays reconciled") && t.has("changes started One") && t.has("goes reconciled"); });
            std::vector<server_settings> const after{settings("comes", joins.url()), settings("stays", same.url()),
                                                     settings("changes", other.url(), "a-new-token")};
            t.servers.watch(after);
            co_await until([&] { return t.has("comes reconciled") && t.count("changes reconciled") == 2; });
            co_await left.connections_open_fell_to(0);
            CHECK(t.servers.client_of("goes") == nullptr);
            CHECK(same.counters().websocket_upgrades == 1);
            CHECK(other.counters().websocket_upgrades == 2);
            // What ran goes on: it is told neither to have ended nor to start again.
            CHECK(t.count("changes started One") == 1);
            CHECK(t.count("changes ended One") == 0);
            t.told.clear();
            left.stop();
            co_await t.servers.close();
            CHECK_FALSE(t.has("goes interrupted"));
        }(s, stays, changes, goes, comes));
}

TEST_CASE("settings that no client can have are refused, and nothing has changed")
{
    scene s;
    fake_server a(s.io.get_executor());
    s.servers.watch({settings("a", a.url())});
    run(s.io, [](scene& t, fake_server& server) -> asio::awaitable<void> {
        co_await until([&] { return t.has("a reconciled"); });
        std::vector<server_settings> bad{settings("b", server.url()), settings("c", "ftp://xyzzy")};
        bad[1].place = "servers[1]";
        std::string why;
        try {
            t.servers.watch(bad);
        } catch (config_error const& e) {
            why = e.what();
        }
        CHECK(why.starts_with("servers[1] (c): "));
        CHECK(t.servers.client_of("a") != nullptr);
        CHECK(t.servers.client_of("b") == nullptr);
        CHECK(server.counters().websocket_upgrades == 1);
        co_await t.servers.close();
    }(s, a));
}

TEST_CASE("a server that refuses us is asked again after a while, and what ran goes on or is told to have ended")
{
    scene s;
    fake_server_options options;
    options.token = "good-token";
    fake_server a(s.io.get_executor(), options);
    a.start_activity(fake_activity("butler", "Stays"));
    std::string const ends = a.start_activity(fake_activity("butler", "Ends"));
    s.servers.watch({settings("a", a.url(), "good-token")});
    run(s.io, [](scene& t, fake_server& server, std::string uuid) -> asio::awaitable<void> {
        co_await until([&] { return t.has("a started Stays") && t.has("a started Ends") && t.has("a reconciled"); });
        server.set_token("another-token");
        server.drop_listeners();
        co_await until([&] { return t.count("a ended") >= 3; }); // it was asked again, more than once
        CHECK(t.next_try_told);
        server.end_activity(uuid);
        t.told.clear();
        server.set_token("good-token");
        co_await until([&] { return t.has("a reconciled") && t.has("a ended Ends"); });
        CHECK_FALSE(t.has("a started Stays"));
        CHECK_FALSE(t.has("a ended Stays"));
        co_await t.servers.close();
    }(s, a, ends));
}

TEST_CASE("closing takes leave of every server, and of those that refuse us or are away")
{
    scene s;
    fake_server a(s.io.get_executor());
    fake_server_options options;
    options.token = "good-token";
    fake_server refuses(s.io.get_executor(), options);
    fake_server away(s.io.get_executor());
    std::string const away_url = away.url();
    away.stop();
    s.servers.watch({settings("a", a.url()), settings("refuses", refuses.url()), settings("away", away_url)});
    run(s.io, [](scene& t, fake_server& server) -> asio::awaitable<void> {
        co_await until([&] { return t.has("a reconciled") && t.has("refuses ended") && t.has("away interrupted"); });
        co_await t.servers.close();
        co_await until([&] { return server.counters().closes_received == 1; });
    }(s, a));
    a.stop();
    refuses.stop();
    s.io.restart();
    s.io.run(); // nothing is left that keeps it
}
