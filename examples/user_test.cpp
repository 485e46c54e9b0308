// How a user tests code of his own: a fake server and a client in the test, no sleeps, and a watchdog.
#include <plex/activities.hpp>
#include <plex/testing/fake_server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#if __has_include(<catch2/catch_all.hpp>) // Catch2 3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// What is tested: it scans a section and says in a few words how that went.
asio::awaitable<std::string> rescan(plex::client& client, std::int64_t section)
{
    try {
        plex::operation scan = co_await client.start(plex::scan_section(section), 10s);
        plex::outcome const how = co_await scan.result(1h);
        if (how.kind == plex::outcome_kind::ended)
            co_return "done";
        co_return how.kind == plex::outcome_kind::vanished ? "look yourself" : "nothing to do";
    } catch (plex::error const& e) {
        if (e.code() != plex::errc::forbidden)
            throw;
    }
    co_return "not allowed";
}

/// A server, a client of it, and a way to wait for what a coroutine gives.
struct scene {
    explicit scene(plex::testing::fake_server_options options = plex::testing::fake_server_options())
        : server(io.get_executor(), std::move(options)), client(io.get_executor(), settings())
    {
    }

    plex::config settings() const
    {
        plex::config c;
        c.url = server.url();
        c.token = "secret";
        c.appear_timeout = 50ms; // a real server is given 15 s for an activity to appear
        return c;
    }

    std::string result_of(asio::awaitable<std::string> work)
    {
        std::string result = "the watchdog ended the test";
        std::exception_ptr failure;
        asio::co_spawn(client.get_executor(), std::move(work), [&](std::exception_ptr e, std::string value) {
            failure = e;
            result = std::move(value);
            client.stop();
            server.stop(); // nothing is left to wait for, and run_for() returns
        });
        io.run_for(30s);
        if (failure)
            std::rethrow_exception(failure);
        return result;
    }

    asio::io_context io; // first, so that it goes last
    plex::testing::fake_server server;
    plex::client client;
};

} // namespace

TEST_CASE("a scan that ends is done, and was asked for once, with the token in its header")
{
    plex::testing::fake_server_options options;
    options.token = "secret";
    options.call_duration = 0ms; // what a request starts ends at once
    scene s(options);
    CHECK(s.result_of(rescan(s.client, 3)) == "done");

    std::size_t scans = 0;
    for (plex::testing::seen_request const& r : s.server.requests())
        if (r.method == "GET" && r.path == "/library/sections/3/refresh") {
            ++scans;
            CHECK(r.header("X-Plex-Token") == "secret");
        }
    CHECK(scans == 1);
}

TEST_CASE("a scan that is refused is not allowed")
{
    scene s;
    s.server.refuse("GET /library/sections/3/refresh", 403);
    CHECK(s.result_of(rescan(s.client, 3)) == "not allowed");
}

TEST_CASE("a server that accepts a scan and begins none has nothing to do")
{
    scene s;
    s.server.refuse("GET /library/sections/3/refresh", 200, "nothing");
    CHECK(s.result_of(rescan(s.client, 3)) == "nothing to do");
}

TEST_CASE("a scan that goes on while the connection is lost is done when it ends")
{
    scene s;
    s.server.refuse("GET /library/sections/3/refresh", 200, "accepted"); // what happens is up to the script
    auto script = [&]() -> asio::awaitable<void> {
        co_await s.server.requests_reached("GET /library/sections/3/refresh", 1);
        plex::testing::fake_activity scan("library.update.section", "Scanning Movies");
        scan.context_json = R"({"librarySectionID":"3"})";
        std::string const uuid = s.server.start_activity(scan);
        s.server.drop_listeners();
        co_await s.server.listeners_reached(1); // the client has come back by itself
        s.server.end_activity(uuid);
    };
    std::exception_ptr failure;
    asio::co_spawn(s.io, script(), [&](std::exception_ptr e) { failure = e; });
    CHECK(s.result_of(rescan(s.client, 3)) == "done");
    CHECK(!failure);
}
