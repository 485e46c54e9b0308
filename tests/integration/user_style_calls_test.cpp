#include "calls_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/strand.hpp>

// Calls as users write them, for g++ 12 with sanitizers: in `||` and `&&`, with what they are given as temporaries, and
// with clients that go while calls are under way.

using namespace plex;
using namespace plex::test;
using namespace asio::experimental::awaitable_operators;

namespace {

asio::awaitable<void> timeout(std::chrono::milliseconds after)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, after);
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<std::size_t> count(client& c)
{
    std::size_t n = 0;
    for (activity const& a : co_await c.get_server_activities())
        n += a.uuid().empty() ? 0 : 1;
    co_return n;
}

/// A client of the function's own, gone before its call is awaited.
asio::awaitable<std::vector<activity>> of_a_client_that_died(asio::any_io_executor executor, config settings)
{
    client c(executor, std::move(settings));
    return c.get_server_activities();
}

} // namespace

TEST_CASE("user style: the calls of the README")
{
    call_scene s;
    s.server.start_activity(activity_called("one", "Scanning Movies"));
    s.run([&]() -> asio::awaitable<void> {
        client& client = s.client();
        std::string titles;
        for (auto const& a : co_await client.get_server_activities())
            titles += a.title();
        CHECK(titles == "Scanning Movies");
        std::string code;
        try {
            co_await client.cancel_server_activities("one");
        } catch (error const& e) {
            code = e.code().message();
        }
        CHECK(code == make_error_code(errc::not_cancellable).message());
        reply const answer = co_await client.send(request("GET", "/identity").header("X-A", "b"));
        CHECK(answer.status() == 200);
        reply const posted = co_await client.send(
            request("POST", "/livetv/dvrs/" + std::to_string(5) + "/reloadGuide").body("{}", "application/json"));
        CHECK_FALSE(posted.activity_uuid().empty());
        std::size_t const n = co_await count(client);
        CHECK(n == 2);
    });
}

TEST_CASE("user style: two calls at once with &&")
{
    call_scene s;
    s.server.start_activity(activity_called("one"));
    s.run([&]() -> asio::awaitable<void> {
        auto const [list, answer] =
            co_await (s.client().get_server_activities() && s.client().send(request("GET", "/identity")));
        CHECK(list.size() == 1);
        CHECK(answer.status() == 200);
    });
    CHECK(s.server.counters().connections_accepted == 2);
}

TEST_CASE("user style: with && the failure of one cancels the other")
{
    call_scene s;
    s.server.stall("/identity");
    s.run([&]() -> asio::awaitable<void> {
        error_code code;
        try {
            auto const [answer, list] =
                co_await (s.client().send(request("GET", "bad")) && s.client().send(request("GET", "/identity")));
            CHECK(answer.status() == list.status());
        } catch (asio::multiple_exceptions const& both) {
            try {
                std::rethrow_exception(both.first_exception());
            } catch (error const& first) {
                code = first.code();
            }
        }
        CHECK(code == errc::invalid_argument);
        error const next = co_await failure_of(s.client().get_server_activities());
        CHECK(next.code() == error_code());
    });
}

TEST_CASE("user style: a call that loses against a timer with || is cancelled, and the client goes on")
{
    call_scene s;
    s.settings.max_connections = 1;
    s.server.stall("/activities");
    s.run([&]() -> asio::awaitable<void> {
        auto const first = co_await (s.client().get_server_activities() || timeout(20ms));
        CHECK(first.index() == 1);
        auto const second = co_await (s.client().get_server_activities() || timeout(30s));
        CHECK(second.index() == 0);
    });
    CHECK(s.server.requests().size() == 2);
}

TEST_CASE("user style: an operation is not begun before it is awaited, and may never be")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        auto never = s.client().cancel_server_activities("one");
        auto later = s.client().get_server_activities();
        for (int i = 0; i < 10; ++i)
            co_await asio::post(s.client().get_executor(), asio::use_awaitable);
        CHECK(s.client().counters().requests == 0);
        std::vector<activity> const list = co_await std::move(later);
        CHECK(list.empty());
    });
    CHECK(s.server.requests().size() == 1);
}

TEST_CASE("user style: an operation awaited after its client died fails with stopped")
{
    call_scene s;
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(of_a_client_that_died(s.io.get_executor(), s.settings));
        CHECK(failure.code() == errc::stopped);
        auto later = s.client().send(request("GET", "/identity"));
        s.drop_client();
        error const stopped = co_await failure_of(std::move(later));
        CHECK(stopped.code() == errc::stopped);
        CHECK(contains(stopped.what(), s.settings.url));
    });
    CHECK(s.server.requests().empty());
}

TEST_CASE("user style: a client is moved, and replaced, while its calls are under way")
{
    call_scene s;
    s.server.stall("/activities");
    s.run([&]() -> asio::awaitable<void> {
        client first(s.io.get_executor(), s.settings);
        started call(first.get_executor(), first.get_server_activities());
        co_await s.server.requests_reached("/activities", 1);
        client second(std::move(first));
        CHECK_FALSE(call.done());
        second = client(s.io.get_executor(), s.settings);
        error const stopped = co_await call.result();
        CHECK(stopped.code() == errc::stopped);
        std::vector<activity> const list = co_await second.get_server_activities();
        CHECK(list.empty());
    });
}

TEST_CASE("user style: a client on an executor that is a strand already makes none of its own")
{
    call_scene s;
    s.settings.executor_is_strand = true;
    CHECK(s.client().get_executor() == asio::any_io_executor(s.io.get_executor()));
    s.run([&]() -> asio::awaitable<void> {
        std::vector<activity> const list = co_await s.client().get_server_activities();
        CHECK(list.empty());
    });
    s.drop_client();
    asio::any_io_executor const strand = asio::make_strand(s.io);
    client on_strand(strand, s.settings);
    CHECK(on_strand.get_executor() == strand);
    auto body = [&]() -> asio::awaitable<void> {
        std::vector<activity> const list = co_await on_strand.get_server_activities();
        CHECK(list.empty());
    };
    test::run(s.io, strand, body());
}

TEST_CASE("user style: a coroutine spawned on the io_context itself is not on the client's strand, and need not be")
{
    call_scene s;
    client& c = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        std::size_t const n = co_await count(c);
        CHECK(n == 0);
        auto const first = co_await (c.get_server_activities() || timeout(30s));
        CHECK(first.index() == 0);
        error const failure = co_await failure_of(c.cancel_server_activities("one"));
        CHECK(failure.code() == errc::activity_not_found);
    };
    test::run(s.io, body());
    CHECK(s.server.requests().size() == 3);
}

TEST_CASE("user style: close() from a coroutine that is on no strand, with calls under way")
{
    call_scene s;
    s.server.stall("/activities");
    client& c = s.client();
    auto body = [&]() -> asio::awaitable<void> {
        started call(co_await asio::this_coro::executor, c.get_server_activities());
        co_await s.server.requests_reached("/activities", 1);
        co_await c.close(1s);
        error const stopped = co_await call.result();
        CHECK(stopped.code() == errc::stopped);
        co_await c.close(1s); // again costs nothing
    };
    test::run(s.io, body());
}
