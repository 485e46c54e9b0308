#include "feed_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

// wait_until_idle over real sockets.

using namespace plex;
using namespace plex::test;

namespace {

testing::fake_activity scan_of(std::string uuid, std::string section)
{
    testing::fake_activity a = activity_named(std::move(uuid));
    a.context_json = R"({"librarySectionID":")" + section + "\"}";
    return a;
}

filter scans_of_3()
{
    return filter().type("library.update.section").context("librarySectionID", "3");
}

/// Starts the wait beside the test, and tells when it is over.
struct wait_beside {
    wait_beside(client& c, filter wanted, client::duration quiet, std::optional<client::duration> deadline = {})
    {
        asio::awaitable<void> wait = c.wait_until_idle(std::move(wanted), quiet, deadline);
        asio::co_spawn(c.get_executor(), std::move(wait), [this](std::exception_ptr e) {
            done = true;
            failure = e;
        });
    }
    asio::awaitable<void> over()
    {
        std::function<bool()> const is_over = [this] { return done; };
        co_await come_true(is_over);
    }
    std::string what() const
    {
        try {
            if (failure)
                std::rethrow_exception(failure);
        } catch (error const& e) {
            return e.what();
        }
        return {};
    }

    bool done = false;
    std::exception_ptr failure;
};

std::size_t lists(served const& s)
{
    std::size_t count = 0;
    for (testing::seen_request const& r : s.server.requests())
        count += r.path == "/activities" ? 1 : 0;
    return count;
}

} // namespace

TEST_CASE("the wait is over when nothing has run for the quiet time, and a list was asked last")
{
    served s;
    s.server.start_activity(scan_of("mine", "3"));
    s.server.start_activity(scan_of("other", "4"));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        wait_beside wait(c, scans_of_3(), 200ms);
        co_await c.ready(10s);
        CHECK(lists(s) == 1);
        s.server.start_activity(scan_of("queued", "3"));
        s.server.end_activity("mine");
        std::function<bool()> const heard = [&] { return c.counters().events == 2; };
        co_await come_true(heard);
        CHECK_FALSE(wait.done);
        auto const ended = std::chrono::steady_clock::now();
        s.server.end_activity("queued");
        co_await wait.over();
        CHECK(wait.failure == nullptr);
        CHECK(std::chrono::steady_clock::now() - ended >= 200ms);
        CHECK(lists(s) == 2);
        CHECK(s.server.running().size() == 1); // another library's
    };
    s.run(c, body());
}

TEST_CASE("the list that a wait asks for comes 2.5 s after the last one at the soonest")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        wait_beside wait(c, scans_of_3(), 10ms);
        co_await c.ready(10s);
        auto const listed = std::chrono::steady_clock::now() - *c.running().snapshot_age;
        co_await wait.over();
        CHECK(wait.failure == nullptr);
        CHECK(lists(s) == 2);
        CHECK(std::chrono::steady_clock::now() - listed >= 2500ms);
    };
    s.run(c, body());
}

TEST_CASE("a list that shows more than the feed has told keeps the wait going")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        wait_beside wait(c, scans_of_3(), 100ms);
        co_await c.ready(10s);
        s.server.hold_feed();
        s.server.start_activity(scan_of("unheard", "3"));
        std::function<bool()> const seen = [&] { return c.running().activities.size() == 1; };
        co_await come_true(seen);
        CHECK_FALSE(wait.done);
        s.server.release_feed();
        s.server.end_activity("unheard");
        co_await wait.over();
        CHECK(wait.failure == nullptr);
    };
    s.run(c, body());
}

TEST_CASE("time without a connection is not quiet")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        co_await c.ready(10s);
        wait_beside wait(c, scans_of_3(), 400ms);
        co_await reach(c, connection_state::reconciled);
        s.server.refuse("/:/websockets", 503);
        s.server.drop_listeners();
        co_await reach(c, connection_state::interrupted);
        co_await reach(c, connection_state::reconciled);
        auto const live = std::chrono::steady_clock::now();
        CHECK_FALSE(wait.done);
        co_await wait.over();
        CHECK(std::chrono::steady_clock::now() - live >= 300ms); // it was noticed a little later than it was true
    };
    s.run(c, body());
}

TEST_CASE("a deadline says what runs")
{
    served s;
    s.server.start_activity(scan_of("mine", "3"));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        co_await c.ready(10s);
        wait_beside wait(c, scans_of_3(), 10ms, 30ms);
        co_await wait.over();
        CHECK(wait.what().find("waiting for the end of library.update.section") != std::string::npos);
    };
    s.run(c, body());
}

TEST_CASE("a wait that is cancelled says what it waited for")
{
    served s;
    s.server.start_activity(scan_of("mine", "3"));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        co_await c.ready(10s);
        asio::cancellation_signal cancel;
        std::string what;
        auto wait = [&]() -> asio::awaitable<void> {
            try {
                co_await c.wait_until_idle(scans_of_3(), 10ms);
            } catch (error const& e) {
                CHECK(e.code() == asio::error::operation_aborted);
                what = e.what();
            }
        };
        asio::co_spawn(c.get_executor(), wait(), asio::bind_cancellation_slot(cancel.slot(), asio::detached));
        for (int turns = 0; turns != 50; ++turns)
            co_await asio::post(c.get_executor(), asio::use_awaitable);
        CHECK(what.empty());
        cancel.emit(asio::cancellation_type::terminal);
        std::function<bool()> const over = [&] { return !what.empty(); };
        co_await come_true(over);
        CHECK(what.find("cancelled while waiting for the end of library.update.section") != std::string::npos);
    };
    s.run(c, body());
}

TEST_CASE("the wait works where polling is all there is")
{
    served s;
    s.settings.transport = transport::polling;
    s.server.start_activity(scan_of("mine", "3"));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        wait_beside wait(c, scans_of_3(), 100ms);
        co_await c.ready(10s);
        s.server.end_activity("mine");
        co_await wait.over();
        CHECK(wait.failure == nullptr);
    };
    s.run(c, body());
}

TEST_CASE("a wrong token, and a client that stops, end the wait with an error")
{
    testing::fake_server_options options;
    options.token = "good";
    served s(options);
    s.settings.token = "bad";
    client stranger(s.io.get_executor(), s.settings);
    s.settings.token = "good";
    client c(s.io.get_executor(), s.settings);
    s.server.start_activity(scan_of("mine", "3"));
    auto body = [&]() -> asio::awaitable<void> {
        wait_beside refused(stranger, scans_of_3(), 1s);
        co_await refused.over();
        CHECK(refused.what().find("token") != std::string::npos);
        wait_beside stopped(c, scans_of_3(), 1s);
        co_await c.ready(10s);
        c.stop();
        co_await stopped.over();
        CHECK(stopped.failure != nullptr);
    };
    s.run(body());
}

TEST_CASE("nothing has to run for five seconds unless the wait is told how long")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        co_await c.ready(10s);
        auto const start = std::chrono::steady_clock::now();
        asio::awaitable<void> wait = c.wait_until_idle(filter());
        co_await std::move(wait);
        auto const waited = std::chrono::steady_clock::now() - start;
        CHECK(waited >= 5s);
        CHECK(waited < 50s);
    };
    s.run(c, body());
}
