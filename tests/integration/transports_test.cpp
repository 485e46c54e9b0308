#include "feed_fixture.hpp"

// What the server answers to the feed, and what the client makes of it: the next try, the next transport, or the end.

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("transports that are not there give way to the next: WebSocket, EventSource, polling")
{
    for (unsigned const status : {200u, 400u, 404u, 405u, 426u, 501u, 401u, 403u}) {
        CAPTURE(status);
        served s;
        s.server.start_activity(activity_named("scan"));
        s.server.refuse("/:/websockets", status, {}, "text/html", testing::fake_server::always);
        {
            client c(s.io.get_executor(), s.settings);
            auto body = [&]() -> asio::awaitable<void> {
                co_await c.ready(10s);
                CHECK(c.connection().transport == transport::eventsource);
            };
            s.run(c, body());
        }
        s.server.refuse("/:/eventsource", status, {}, "text/html", testing::fake_server::always);
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            co_await c.ready(10s);
            CHECK(c.connection().transport == transport::polling);
            lines const first = co_await take(f, 1);
            CHECK(first == lines{"started! scan 0"});
            s.server.end_activity("scan");
            lines const last = co_await take(f, 1);
            CHECK(last == lines{"ended! scan 0"});
        };
        s.run(c, body());
    }
}

TEST_CASE("a base URL that is wrong ends the feed with not_found, once every transport was tried")
{
    served s;
    s.settings.url += "/wrong";
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        error_code code;
        try {
            co_await c.ready(10s);
        } catch (error const& e) {
            code = e.code();
        }
        CHECK(code == errc::not_found);
        CHECK(c.connection().state == connection_state::ended);
    };
    s.run(c, body());
    CHECK(s.server.requests().size() == 3);
}

TEST_CASE("three refusals in a row with a good list take the next transport")
{
    served s;
    s.server.refuse("/:/websockets", 503, {}, "text/html", testing::fake_server::always);
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await reach(c, connection_state::reconciled);
        CHECK(c.connection().transport == transport::eventsource);
    };
    s.run(c, body());
    std::size_t upgrades = 0;
    for (testing::seen_request const& r : s.server.requests())
        upgrades += r.path == "/:/websockets/notifications" ? 1 : 0;
    CHECK(upgrades == 3);
}

TEST_CASE("Retry-After of a refusal is the time until the next try")
{
    served s;
    s.server.refuse_with("/:/websockets", 503, "Retry-After", "2");
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await reach(c, connection_state::interrupted);
        std::optional<std::chrono::steady_clock::duration> const wait = c.connection().next_try;
        REQUIRE(wait.has_value());
        CHECK(*wait > 1s);
        CHECK(*wait <= 2s);
    };
    s.run(c, body());
}

TEST_CASE("a redirect ends the feed with a configuration error that names its target")
{
    served s;
    s.server.refuse_with("/:/websockets", 301, "Location", "https://other.example/:/websockets?X-Plex-Token=secret");
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        std::string what;
        error_code code;
        try {
            co_await c.ready(10s);
        } catch (error const& e) {
            what = e.what();
            code = e.code();
        }
        CHECK(code == errc::redirected);
        CHECK(what.find("https://other.example/:/websockets") != std::string::npos);
        CHECK(what.find("secret") == std::string::npos);
    };
    s.run(c, body());
}

TEST_CASE("401 is mended by the token function, asked once by one caller, for calls and feed alike")
{
    testing::fake_server_options options;
    options.token = "first";
    served s(options);
    int asked = 0;
    s.settings.token_function = [&]() -> asio::awaitable<std::string> {
        ++asked;
        co_return asked == 1 ? "first" : "second";
    };
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        co_await c.ready(10s);
        CHECK(asked == 1);
        s.server.set_token("second");
        s.server.drop_listeners();
        co_await reach(c, connection_state::interrupted);
        co_await reach(c, connection_state::reconciled);
        CHECK(asked == 2);
    };
    s.run(c, body());
}

TEST_CASE("a token that is refused for good ends the feed with unauthorized, wherever it is noticed")
{
    for (bool const at_the_list : {false, true}) {
        CAPTURE(at_the_list);
        testing::fake_server_options options;
        options.token = "good";
        served s(options);
        s.settings.token = "good";
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            if (at_the_list) {
                s.server.refuse("/activities", 401);
            } else {
                co_await c.ready(10s);
                s.server.set_token("another");
                s.server.drop_listeners();
            }
            error_code code;
            try {
                std::optional<activity_event> const event = co_await f.next();
                CHECK_FALSE(event.has_value());
            } catch (error const& e) {
                code = e.code();
            }
            CHECK(code == errc::unauthorized);
            CHECK(c.connection().state == connection_state::ended);
        };
        s.run(c, body());
    }
}

TEST_CASE("a token function may throw anything: the feed tries again")
{
    served s;
    int asked = 0;
    s.settings.token_function = [&]() -> asio::awaitable<std::string> {
        if (++asked == 1)
            throw 17;
        co_return "good";
    };
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        error_code first;
        try {
            co_await c.ready(10s);
        } catch (error const& e) {
            first = e.code();
        }
        CHECK(first == errc::unauthorized);
        co_await reach(c, connection_state::reconciled);
    };
    s.run(c, body());
    CHECK(asked == 2);
}

TEST_CASE("a token function that does not reach whom it asks is a failed connection, tried again")
{
    served s;
    int asked = 0;
    s.settings.token_function = [&]() -> asio::awaitable<std::string> {
        if (++asked == 1)
            throw boost::system::system_error(asio::error::connection_refused);
        co_return "good";
    };
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        error first;
        try {
            co_await c.ready(10s);
        } catch (error const& e) {
            first = e;
        }
        CHECK(first.code() == errc::connection_failed);
        CHECK(first.diagnostics().cause() == asio::error::connection_refused);
        co_await reach(c, connection_state::reconciled);
    };
    s.run(c, body());
    CHECK(asked == 2);
}

TEST_CASE("errors[] of a refused upgrade are given as they are")
{
    served s;
    s.settings.transport = transport::websocket;
    s.server.refuse("/:/websockets", 400,
                    R"({"errors":[{"code":1000,"status":400,"message":"X-Plex-Client-Identifier is missing"}]})",
                    "application/json");
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        error failure;
        try {
            co_await c.ready(10s);
        } catch (error const& e) {
            failure = e;
        }
        CHECK(failure.code() == errc::bad_request);
        REQUIRE(failure.diagnostics().server_errors().size() == 1);
        CHECK(failure.diagnostics().server_errors().front().code == 1000);
    };
    s.run(c, body());
}

TEST_CASE("the transports above the one in use are tried now and then, and the feed goes on over a better one")
{
    for (bool const from_polling : {true, false}) {
        CAPTURE(from_polling);
        served s;
        s.settings.upward_every = 20ms;
        s.server.start_activity(activity_named("scan"));
        s.server.refuse("/:/websockets", 404, {}, "text/html", 3); // the first try and two looks upward
        if (from_polling)
            s.server.refuse("/:/eventsource", 404, {}, "text/html", testing::fake_server::always);
        lines changes;
        client c(s.io.get_executor(), s.settings);
        c.on_connection_change([&](connection_status const& status) {
            std::string change(to_string(status.state));
            if (status.transport != transport::automatic)
                change += " " + std::string(to_string(status.transport));
            if (changes.empty() || changes.back() != change)
                changes.push_back(std::move(change));
        });
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            std::function<bool()> const up = [&] {
                return c.connection().transport == transport::websocket &&
                       c.connection().state == connection_state::reconciled;
            };
            co_await come_true(up);
            s.server.update_activity("scan", 50);
            s.server.end_activity("scan");
            lines const life = co_await take(f, 3);
            CHECK(life == lines{"started! scan 0", "updated scan 50", "ended scan 100"});
        };
        s.run(c, body());
        std::string const below = from_polling ? "polling" : "eventsource";
        CHECK(changes == lines{"connecting", "connected " + below, "reconciled " + below, "connecting",
                               "connected websocket", "reconciled websocket"});
        CHECK(c.counters().reconnects == 1);
    }
}

TEST_CASE("a better transport found for a feed that leaves at that moment is let go")
{
    for (int turns = 0; turns < 25; ++turns) { // of the loop, between the server's 101 and the leaving
        CAPTURE(turns);
        served s;
        s.settings.upward_every = 5ms;
        s.server.refuse("/:/websockets", 404);
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            {
                feed f = c.subscribe();
                asio::any_io_executor const here = co_await asio::this_coro::executor;
                while (s.server.counters().websocket_upgrades == 0)
                    co_await asio::post(here, asio::use_awaitable);
                for (int turn = 0; turn < turns; ++turn)
                    co_await asio::post(here, asio::use_awaitable);
            }
            std::function<bool()> const gone = [&] {
                return c.connection().state == connection_state::idle && s.server.listeners() == 0;
            };
            co_await come_true(gone);
            feed f = c.subscribe();
            co_await reach(c, connection_state::reconciled);
            CHECK(s.server.listeners() == 1);
        };
        s.run(c, body());
    }
}

TEST_CASE("a polled server is asked every two seconds while something runs, and every ten while nothing does")
{
    served busy;
    testing::fake_server idle(busy.io.get_executor());
    busy.server.start_activity(activity_named("scan"));
    busy.settings.transport = transport::polling;
    busy.settings.executor_is_strand = true;
    client c(busy.io.get_executor(), busy.settings);
    busy.settings.url = idle.url();
    client d(busy.io.get_executor(), busy.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        feed g = d.subscribe();
        co_await idle.requests_reached("/activities", 1);
        auto const first = std::chrono::steady_clock::now();
        co_await busy.server.requests_reached("/activities", 1);
        auto const busy_first = std::chrono::steady_clock::now();
        co_await busy.server.requests_reached("/activities", 3);
        CHECK(std::chrono::steady_clock::now() - busy_first >= 3900ms); // the first was seen up to a turn late
        co_await idle.requests_reached("/activities", 2);
        CHECK(std::chrono::steady_clock::now() - first >= 9900ms);
        std::size_t lists = 0;
        for (testing::seen_request const& r : busy.server.requests())
            lists += r.path == "/activities" ? 1 : 0;
        CHECK(lists >= 4); // six on a machine that keeps up
        CHECK(lists <= 7);
    };
    busy.run(body());
}
