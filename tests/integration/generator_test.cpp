#include "calls_fixture.hpp"
#include "feed_fixture.hpp"

#include <plex/generator.hpp>

#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

// Events as a generator, and generators of one's own.

using namespace plex;
using namespace plex::test;

namespace {

asio::awaitable<void> turn()
{
    auto const executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
}

} // namespace

TEST_CASE("a generator ends with its feed, and stays ended; one of no body has ended")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        generator<activity_event> all = events(c.subscribe());
        generator<activity_event> none;
        co_await c.ready(10s);
        c.stop();
        for (int i = 0; i != 2; ++i) {
            std::optional<activity_event> const event = co_await all.next();
            CHECK_FALSE(event.has_value());
        }
        std::optional<activity_event> const nothing = co_await none.next();
        CHECK_FALSE(nothing.has_value());
    };
    s.run(c, body());
}

TEST_CASE("a generator is moved and not copied: one that was moved from has ended, the other goes on")
{
    static_assert(!std::is_copy_constructible_v<generator<activity_event>>);
    static_assert(!std::is_copy_assignable_v<generator<activity_event>>);
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        generator<activity_event> first = events(c.subscribe());
        co_await c.ready(10s);
        s.server.start_activity(activity_named("a"));
        s.server.end_activity("a");
        std::optional<activity_event> event = co_await first.next();
        CHECK(told(*event) == "started a 0");
        generator<activity_event> second = std::move(first);
        event = co_await first.next(); // NOLINT(bugprone-use-after-move): what is asked
        CHECK_FALSE(event.has_value());
        event = co_await second.next();
        CHECK(told(*event) == "ended a 100");
    };
    s.run(c, body());
}

TEST_CASE("what ends the feed is thrown by the generator's next(), once")
{
    served s;
    s.settings.transport = transport::websocket;
    s.server.refuse("/:/websockets", 404, {}, "text/html", testing::fake_server::always);
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        generator<activity_event> all = events(c.subscribe());
        error const failure = co_await failure_of(all.next());
        CHECK(failure.code() == errc::not_found);
        std::optional<activity_event> const after = co_await all.next();
        CHECK_FALSE(after.has_value());
    };
    s.run(c, body());
}

TEST_CASE("a generator's body may catch what it awaits, and go on")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    struct refusals {
        static generator<error_code> of(client* c)
        {
            for (int i = 0; i != 2; ++i) {
                error_code seen;
                try {
                    co_await c->cancel_server_activities("unknown");
                } catch (error const& e) {
                    seen = e.code();
                }
                co_yield seen;
            }
        }
    };
    auto body = [&]() -> asio::awaitable<void> {
        generator<error_code> all = refusals::of(&c);
        for (int i = 0; i != 2; ++i) {
            std::optional<error_code> const code = co_await all.next();
            REQUIRE(code.has_value());
            CHECK(*code == errc::activity_not_found);
        }
        std::optional<error_code> const last = co_await all.next();
        CHECK_FALSE(last.has_value());
    };
    s.run(c, body());
}

TEST_CASE("a second next() of a generator beside one that waits fails, and the first goes on")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        generator<activity_event> all = events(c.subscribe());
        co_await c.ready(10s);
        std::string got;
        auto first = [&]() -> asio::awaitable<void> {
            std::optional<activity_event> const event = co_await all.next();
            got = event ? told(*event) : "nothing";
        };
        asio::co_spawn(c.get_executor(), first(), asio::detached);
        co_await turn();
        error const busy = co_await failure_of(all.next());
        CHECK(busy.code() == errc::operation_in_progress);
        s.server.start_activity(activity_named("scan"));
        std::function<bool()> const done = [&] { return !got.empty(); };
        co_await come_true(done);
        CHECK(got == "started scan 0");
    };
    s.run(c, body());
}
