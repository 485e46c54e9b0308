#include "child_process.hpp"
#include "feed_fixture.hpp"

#include <optional>

// Operations against a server that shares no code with this project (tests/command/foreign_server.py, on aiohttp).

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

class foreign_server
{
public:
    foreign_server() { start(); }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_.number()); }
    /// Killed, and started anew on the same port with nothing running.
    void restart() { start(); }

private:
    void start()
    {
        std::string const script = PLEX_TEST_DATA "/../command/foreign_server.py";
        process_.reset();
        // The packages of the distribution belong to its own Python.
        std::vector<std::string> words = {"env", "/usr/bin/python3", "-B", script, "--calls", "--port"};
        words.push_back(std::to_string(port_.number()));
        process_.emplace(std::move(words), folder_ / "output");
        process_->wait_for_listener(port_);
    }

    reserved_port port_;
    temporary_folder folder_;
    std::optional<child_process> process_;
};

struct scene {
    scene()
    {
        settings.url = server.url();
        settings.appear_timeout = 100ms;
    }
    void run(client const& c, asio::awaitable<void> body) { test::run(io, c.get_executor(), std::move(body)); }

    foreign_server server;
    asio::io_context io;
    config settings;
};

} // namespace

TEST_CASE(
    "a foreign server's activities are followed: named, ended before the reply, found by a late Context, cancelled")
{
    scene s;
    client c(s.io.get_executor(), s.settings);
    client other(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation guide = co_await c.start(reload_guide(5));
        outcome over = co_await guide.result(30s);
        CHECK(over.kind == outcome_kind::ended);
        CHECK(over.activity.uuid() == "guide");

        operation scan = co_await c.start(scan_section(3));
        operation second = co_await other.start(scan_section(3).or_running()); // it has none of its own
        std::optional<activity_event> event = co_await scan.next(30s);
        REQUIRE(event.has_value());
        CHECK(event->activity.uuid() == "scan-3");
        co_await scan.cancel();
        over = co_await scan.result(30s);
        CHECK(over.kind == outcome_kind::ended);
        CHECK(over.activity.uuid() == "scan-3");
        over = co_await second.result(30s);
        CHECK(over.kind == outcome_kind::ended);
        CHECK(over.activity.uuid() == "scan-3");

        operation mine = co_await c.start(activity_request(request("POST", "/media/subscriptions/process"), filter()));
        co_await other.cancel_server_activities("subscriptions");
        over = co_await mine.result(30s);
        CHECK(over.kind == outcome_kind::ended);
        co_await mine.cancel(); // it has ended: no error

        operation never = co_await c.start(scan_channels(7));
        over = co_await never.result(30s);
        CHECK(over.kind == outcome_kind::not_started);
        CHECK(over.message.find("nowhere") != std::string::npos);
    };
    s.run(c, body());
}

TEST_CASE("what runs on a foreign server that is killed and comes back without it has vanished")
{
    scene s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation scan = co_await c.start(scan_section(3));
        std::optional<activity_event> const event = co_await scan.next(30s);
        REQUIRE(event.has_value());
        s.server.restart();
        outcome const over = co_await scan.result(50s);
        CHECK(over.kind == outcome_kind::vanished);
        CHECK(over.activity.uuid() == "scan-3");
        co_await c.wait_until_idle(filter().type("library."), 100ms, 30s);
    };
    s.run(c, body());
}
