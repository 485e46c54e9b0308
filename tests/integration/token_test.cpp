#include "calls_fixture.hpp"

#include <stdexcept>

using namespace plex;
using namespace plex::test;

namespace {

/// A server that wants `good`, and a client whose token comes from a function that the test opens and shuts.
class token_scene : public call_scene
{
public:
    token_scene() : call_scene(guarded())
    {
        settings.token_function = [this]() -> asio::awaitable<std::string> { return give(); };
    }

    asio::awaitable<std::string> give()
    {
        ++asked;
        if (hold) {
            asio::steady_timer never(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
            boost::system::error_code ec;
            waiting = &never;
            co_await never.async_wait(asio::redirect_error(asio::use_awaitable, ec));
            waiting = nullptr;
            if (hold)
                ++cancelled;
        }
        if (throws)
            throw std::runtime_error("the vault is shut");
        co_return token;
    }
    void release()
    {
        hold = false;
        if (waiting)
            waiting->cancel();
    }
    /// The client has a token that was good, and is not any more; the function gives one that is.
    asio::awaitable<void> let_a_token_expire()
    {
        token = "old";
        server.set_token("old");
        error const first = co_await failure_of(client().get_server_activities());
        CHECK(first.code() == error_code());
        server.set_token("good");
        token = "good";
    }
    started list() { return started(client().get_executor(), client().get_server_activities()); }

    int asked = 0;
    int cancelled = 0;
    bool hold = false;
    bool throws = false;
    std::string token = "good";
    asio::steady_timer* waiting = nullptr;

private:
    static fake_server_options guarded()
    {
        fake_server_options options;
        options.token = "good";
        return options;
    }
};

} // namespace

TEST_CASE("the token function is asked at the first use, once, however many calls wait")
{
    token_scene s;
    s.hold = true;
    s.run([&]() -> asio::awaitable<void> {
        CHECK(s.asked == 0);
        std::vector<started> calls;
        for (int i = 0; i < 5; ++i)
            calls.push_back(s.list());
        co_await until([&] { return s.waiting != nullptr; });
        CHECK(s.server.requests().empty());
        s.release();
        for (started& call : calls) {
            error const outcome = co_await call.result();
            CHECK(outcome.code() == error_code());
        }
        CHECK(s.asked == 1);
        error const later = co_await failure_of(s.client().get_server_activities());
        CHECK(later.code() == error_code());
        CHECK(s.asked == 1);
    });
}

TEST_CASE("a refused token is renewed once, and the calls that were refused go through")
{
    token_scene s;
    s.run([&]() -> asio::awaitable<void> {
        co_await s.let_a_token_expire();
        std::vector<started> calls;
        for (int i = 0; i < 5; ++i)
            calls.push_back(s.list());
        for (started& call : calls) {
            error const outcome = co_await call.result();
            CHECK(outcome.code() == error_code());
        }
        CHECK(s.asked == 2);
    });
    CHECK(s.server.requests().back().header("X-Plex-Token") == "good");
}

TEST_CASE("a POST that was refused for its token is sent again with the new one")
{
    token_scene s;
    s.run([&]() -> asio::awaitable<void> {
        co_await s.let_a_token_expire();
        request const posted("POST", "/media/subscriptions/process");
        reply const answered = co_await s.client().send(posted);
        CHECK(answered.status() == 200);
    });
    std::vector<std::string> sent;
    for (plex::testing::seen_request const& r : s.server.requests())
        if (r.method == "POST")
            sent.push_back(r.header("X-Plex-Token").value_or(""));
    CHECK(sent == std::vector<std::string>{"old", "good"});
}

TEST_CASE("within one episode of refusals the function is asked once, in the next one again")
{
    token_scene s;
    s.token = "bad";
    s.run([&]() -> asio::awaitable<void> {
        error const first = co_await failure_of(s.client().get_server_activities());
        CHECK(first.code() == errc::unauthorized);
        CHECK(s.asked == 2); // at the first use, and for the refusal
        error const second = co_await failure_of(s.client().get_server_activities());
        CHECK(second.code() == errc::unauthorized);
        CHECK(s.asked == 2);
        s.server.set_token("bad");
        error const accepted = co_await failure_of(s.client().get_server_activities());
        CHECK(accepted.code() == error_code());
        s.server.set_token("good");
        s.token = "good";
        error const third = co_await failure_of(s.client().get_server_activities());
        CHECK(third.code() == error_code());
        CHECK(s.asked == 3);
    });
}

TEST_CASE("a server in trouble has not accepted the token")
{
    token_scene s;
    s.token = "bad";
    s.run([&]() -> asio::awaitable<void> {
        error const first = co_await failure_of(s.client().get_server_activities());
        CHECK(first.code() == errc::unauthorized);
        s.server.refuse_for_maintenance("/activities");
        error const second = co_await failure_of(s.client().get_server_activities());
        CHECK(second.code() == errc::server_error);
        error const third = co_await failure_of(s.client().get_server_activities());
        CHECK(third.code() == errc::unauthorized);
        CHECK(s.asked == 2);
    });
}

TEST_CASE("a fixed token that is refused is not tried again")
{
    fake_server_options options;
    options.token = "good";
    call_scene s(options);
    s.settings.token = "bad";
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::unauthorized);
        CHECK(failure.diagnostics().http_status() == 401);
    });
    CHECK(s.server.requests().size() == 1);
}

TEST_CASE("what the token function throws reaches all who wait, and the next call asks again")
{
    token_scene s;
    s.hold = true;
    s.throws = true;
    s.run([&]() -> asio::awaitable<void> {
        std::vector<started> calls;
        for (int i = 0; i < 2; ++i)
            calls.push_back(s.list());
        co_await until([&] { return s.waiting != nullptr; });
        s.release();
        for (started& call : calls) {
            std::string thrown;
            try {
                error const outcome = co_await call.result();
                CHECK(outcome.code() == error_code());
            } catch (std::runtime_error const& e) {
                thrown = e.what();
            }
            CHECK(thrown == "the vault is shut");
        }
        CHECK(s.asked == 1);
        s.throws = false;
        error const later = co_await failure_of(s.client().get_server_activities());
        CHECK(later.code() == error_code());
        CHECK(s.asked == 2);
    });
}

TEST_CASE("a token function that failed in an episode is asked again in it")
{
    token_scene s;
    s.token = "bad";
    s.run([&]() -> asio::awaitable<void> {
        s.server.set_token("bad");
        error const first = co_await failure_of(s.client().get_server_activities());
        CHECK(first.code() == error_code());
        s.server.set_token("good");
        s.throws = true;
        bool threw = false;
        try {
            std::vector<activity> const list = co_await s.client().get_server_activities();
            CHECK(list.empty());
        } catch (std::runtime_error const&) {
            threw = true;
        }
        CHECK(threw);
        s.throws = false;
        s.token = "good";
        error const second = co_await failure_of(s.client().get_server_activities());
        CHECK(second.code() == error_code());
        CHECK(s.asked == 3);
    });
}

TEST_CASE("a caller who is cancelled while the token is asked for takes nothing from the others")
{
    token_scene s;
    s.hold = true;
    s.run([&]() -> asio::awaitable<void> {
        started first = s.list();
        started second = s.list();
        co_await until([&] { return s.waiting != nullptr; });
        first.cancel();
        error const aborted = co_await first.result();
        CHECK(aborted.code() == asio::error::operation_aborted);
        CHECK(contains(aborted.what(), "listing the activities at " + s.settings.url));
        CHECK(contains(aborted.what(), "waiting for the token"));
        CHECK_FALSE(second.done());
        s.release();
        error const outcome = co_await second.result();
        CHECK(outcome.code() == error_code());
        CHECK(s.asked == 1);
        CHECK(s.cancelled == 0);
    });
}

TEST_CASE("a token function that never answers is bounded by the request's time")
{
    token_scene s;
    s.hold = true;
    s.settings.request_timeout = 20ms;
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::timeout);
        CHECK(contains(failure.what(), "waiting for the token"));
        s.release();
    });
}

TEST_CASE("stopping the client wakes who waits for the token, and cancels the function")
{
    token_scene s;
    s.hold = true;
    s.run([&]() -> asio::awaitable<void> {
        started call = s.list();
        co_await until([&] { return s.waiting != nullptr; });
        s.client().stop();
        error const failure = co_await call.result();
        CHECK(failure.code() == errc::stopped);
        co_await until([&] { return s.cancelled == 1; });
    });
    CHECK(s.server.requests().empty());
}

TEST_CASE("a token that is no header's value is refused before anything is sent, and not echoed")
{
    token_scene s;
    s.token = "sEcReT\r\nX-Evil: 1";
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::invalid_argument);
        CHECK_FALSE(contains(failure.what(), "sEcReT"));
    });
    CHECK(s.server.requests().empty());
}

TEST_CASE("a client that stops just after its token function was destroyed reaches for nothing that it waited on")
{
    call_scene s;
    s.settings.token_function = [&s]() -> asio::awaitable<std::string> {
        asio::steady_timer timer(s.io, 1ms);
        co_await timer.async_wait(asio::use_awaitable); // as what throws at once is thrown at whoever asks
        // A wait that cannot begin, as for want of memory: Asio then destroys the coroutine, with what it waits on.
        auto const begins = [&timer](auto handler) {
            auto const cancel = [&timer](asio::cancellation_type) { timer.cancel(); };
            asio::get_associated_cancellation_slot(handler).assign(cancel);
            throw std::bad_alloc();
        };
        co_await asio::async_initiate<asio::use_awaitable_t<> const, void()>(begins, asio::use_awaitable);
        co_return std::string();
    };
    int called = 0;
    diagnostics d;
    async_get_server_activities(s.client(), d, [&](error_code, std::vector<activity> const&) { ++called; });
    CHECK_THROWS_AS(s.io.run_for(20s), std::bad_alloc);
    asio::post(s.client().get_executor(), [&] { s.client().stop(); }); // before the call is told of it
    auto const watchdog = std::chrono::steady_clock::now() + 20s;
    while (called == 0 && std::chrono::steady_clock::now() < watchdog)
        s.io.run_one_for(1s);
    CHECK(called == 1);
}
