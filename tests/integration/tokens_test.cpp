#include "token_forms.hpp"

#include <plex/generator.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <thread>

// plex/async.hpp: each form with each completion token.

using namespace plex;
using namespace plex::test;

namespace {

/// How a form completed, noted by its handler.
struct noted {
    bool done = false;
    error_code code;

    auto handler()
    {
        return [this](error_code ec, auto const&...) {
            code = ec;
            done = true;
        };
    }
};

/// Runs a stage on a thread of its own, as long as it lives.
class run_elsewhere
{
public:
    explicit run_elsewhere(stage& s) : io_(s.io), work_(asio::make_work_guard(s.io))
    {
        io_.restart();
        thread_ = std::thread([this] { io_.run(); });
    }
    ~run_elsewhere()
    {
        io_.stop();
        thread_.join();
    }

private:
    asio::io_context& io_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

bool runs_on(client const& c)
{
    asio::any_io_executor const executor = c.get_executor();
    auto const* const strand = executor.target<asio::strand<asio::io_context::executor_type>>();
    return strand && strand->running_in_this_thread();
}

template <class T>
void check_future(std::future<T>& result, void (*check)(T const&))
{
    T const value = result.get();
    check(value);
}
void check_future(std::future<void>& result, void (*check)())
{
    result.get();
    check();
}

} // namespace

TEMPLATE_LIST_TEST_CASE("a form calls back with its result, on the client's executor and not from within the call", "",
                        all_forms)
{
    stage s;
    TestType::prepare(s);
    bool done = false;
    bool calling = false;
    asio::post(s.client().get_executor(), [&] {
        calling = true;
        TestType::call(s, [&](error_code ec, auto const&... value) {
            CHECK_FALSE(calling);
            CHECK_FALSE(ec);
            CHECK(runs_on(s.client()));
            TestType::check(value...);
            done = true;
        });
        calling = false;
    });
    s.pump([&] { return TestType::waits(s); });
    CHECK_FALSE(done);
    TestType::finish(s);
    s.pump([&] { return done; });
    CHECK(s.why.message().empty());
}

TEMPLATE_LIST_TEST_CASE("a form whose result is there already does not call back from within the call either", "",
                        all_forms)
{
    stage s;
    TestType::prepare(s);
    TestType::finish(s);
    s.settle();
    bool done = false;
    bool calling = false;
    asio::post(s.client().get_executor(), [&] {
        calling = true;
        TestType::call(s, [&](error_code, auto const&...) {
            CHECK_FALSE(calling);
            done = true;
        });
        calling = false;
    });
    s.pump([&] { return done; });
}

TEMPLATE_LIST_TEST_CASE("a form that fails calls back with the code, and fills the diagnostics", "", failing_forms)
{
    stage s;
    TestType::spoil(s);
    noted end;
    TestType::call(s, end.handler());
    s.pump([&] { return end.done; });
    CHECK(end.code == TestType::failure());
    CHECK_FALSE(s.why.message().empty());
}

TEMPLATE_LIST_TEST_CASE("use_future is filled while another thread runs the client", "", all_forms)
{
    stage s;
    TestType::prepare(s);
    std::optional<run_elsewhere> running(std::in_place, s);
    auto result = TestType::call(s, asio::use_future);
    TestType::finish(s);
    REQUIRE(result.wait_for(30s) == std::future_status::ready);
    running.reset(); // an operation that it gives belongs on the client's executor
    check_future(result, TestType::check);
}

TEMPLATE_LIST_TEST_CASE("use_future throws the code, and the diagnostics are filled", "", failing_forms)
{
    stage s;
    TestType::spoil(s);
    run_elsewhere const running(s);
    auto result = TestType::call(s, asio::use_future);
    REQUIRE(result.wait_for(30s) == std::future_status::ready);
    error_code thrown;
    try {
        result.get();
    } catch (boost::system::system_error const& e) {
        thrown = e.code();
    }
    CHECK(thrown == TestType::failure());
    CHECK_FALSE(s.why.message().empty());
}

TEMPLATE_LIST_TEST_CASE("deferred starts nothing until it is called itself, and then does what the form does", "",
                        all_forms)
{
    stage s;
    TestType::prepare(s);
    std::uint64_t const requests = s.client().counters().requests;
    auto later = TestType::call(s, asio::deferred);
    s.settle();
    CHECK(s.client().counters().requests == requests);
    bool done = false;
    std::move(later)([&](error_code ec, auto const&... value) {
        CHECK_FALSE(ec);
        TestType::check(value...);
        done = true;
    });
    s.pump([&] { return TestType::waits(s); });
    CHECK_FALSE(done);
    TestType::finish(s);
    s.pump([&] { return done; });
}

TEMPLATE_LIST_TEST_CASE("deferred may outlive the object that it was made for", "", all_forms)
{
    stage s;
    TestType::prepare(s);
    auto later = TestType::call(s, asio::deferred);
    TestType::lose(s);
    noted end;
    std::move(later)(end.handler());
    s.pump([&] { return end.done; });
    CHECK(end.code == TestType::lost());
}

TEMPLATE_LIST_TEST_CASE("as_tuple gives the code beside the result", "", all_forms)
{
    stage s;
    TestType::prepare(s);
    TestType::finish(s);
    s.run([&]() -> asio::awaitable<void> {
        auto result = co_await TestType::call(s, asio::as_tuple(asio::use_awaitable));
        std::apply(
            [](error_code ec, auto const&... value) {
                CHECK_FALSE(ec);
                TestType::check(value...);
            },
            result);
    });
}

TEMPLATE_LIST_TEST_CASE("as_tuple gives the code of a failure, and the diagnostics are filled", "", failing_forms)
{
    stage s;
    TestType::spoil(s);
    s.run([&]() -> asio::awaitable<void> {
        auto result = co_await TestType::call(s, asio::as_tuple(asio::use_awaitable));
        CHECK(std::get<0>(result) == TestType::failure());
        CHECK_FALSE(s.why.message().empty());
    });
}

TEMPLATE_LIST_TEST_CASE("use_awaitable of another executor resumes there", "", all_forms)
{
    stage s;
    TestType::prepare(s);
    asio::thread_pool others(1);
    std::shared_ptr<void> kept;       // an operation that it gives belongs on the client's executor
    std::promise<bool> resumed_there; // Catch2's macros belong to the main thread
    std::future<bool> result = resumed_there.get_future();
    {
        run_elsewhere const running(s);
        auto const there = others.get_executor();
        auto body = [&]() -> asio::awaitable<void> {
            auto completed = co_await TestType::call(s, asio::as_tuple(asio::use_awaitable));
            bool const good = !std::get<0>(completed) && there.running_in_this_thread();
            kept = std::make_shared<decltype(completed)>(std::move(completed));
            resumed_there.set_value(good);
        };
        asio::co_spawn(there, body(), asio::detached);
        TestType::finish(s);
        REQUIRE(result.wait_for(30s) == std::future_status::ready);
        others.join();
    }
    CHECK(result.get());
}

TEMPLATE_LIST_TEST_CASE("use_awaitable throws the code on the awaiter's executor", "", failing_forms)
{
    stage s;
    TestType::spoil(s);
    asio::thread_pool others(1);
    std::promise<error_code> thrown;
    std::future<error_code> result = thrown.get_future();
    {
        run_elsewhere const running(s);
        auto const there = others.get_executor();
        auto body = [&]() -> asio::awaitable<void> {
            error_code code;
            try {
                co_await TestType::call(s, asio::use_awaitable);
            } catch (boost::system::system_error const& e) {
                code = there.running_in_this_thread() ? e.code() : error_code();
            }
            thrown.set_value(code);
        };
        asio::co_spawn(there, body(), asio::detached);
        REQUIRE(result.wait_for(30s) == std::future_status::ready);
        others.join();
    }
    CHECK(result.get() == TestType::failure());
    CHECK_FALSE(s.why.message().empty());
}

TEMPLATE_LIST_TEST_CASE("a form is cancelled by its slot, with any type, and says what it waited for", "", all_forms)
{
    for (asio::cancellation_type const type :
         {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
        stage s;
        TestType::prepare(s);
        asio::cancellation_signal signal;
        noted end;
        TestType::call(s, asio::bind_cancellation_slot(signal.slot(), end.handler()));
        s.pump([&] { return TestType::waits(s); });
        CHECK_FALSE(end.done);
        signal.emit(type);
        s.pump([&] { return end.done; });
        CHECK(end.code == asio::error::operation_aborted);
        CHECK_FALSE(s.why.message().empty());
    }
}

TEMPLATE_LIST_TEST_CASE("a wait that was cancelled has taken nothing: the next one gets what came", "", waiting_forms)
{
    stage s;
    TestType::prepare(s);
    asio::cancellation_signal signal;
    noted first;
    TestType::call(s, asio::bind_cancellation_slot(signal.slot(), first.handler()));
    s.settle();
    TestType::finish(s);
    signal.emit(asio::cancellation_type::total);
    s.pump([&] { return first.done; });
    CHECK(first.code == asio::error::operation_aborted);
    bool done = false;
    TestType::call(s, [&](error_code ec, auto const&... value) {
        CHECK_FALSE(ec);
        TestType::check(value...);
        done = true;
    });
    s.pump([&] { return done; });
}

TEMPLATE_LIST_TEST_CASE("the object may be destroyed while a form waits for it", "", all_forms)
{
    stage s;
    TestType::prepare(s);
    noted end;
    TestType::call(s, end.handler());
    s.pump([&] { return TestType::waits(s); });
    CHECK_FALSE(end.done);
    TestType::lose(s);
    s.pump([&] { return end.done; });
    CHECK(end.code == TestType::lost());
}

TEMPLATE_LIST_TEST_CASE("the client may be destroyed while a form waits", "", all_forms)
{
    stage s;
    TestType::prepare(s);
    noted end;
    TestType::call(s, end.handler());
    s.pump([&] { return TestType::waits(s); });
    s.drop_client();
    s.pump([&] { return end.done; });
    CHECK(end.code == TestType::lost());
}

TEMPLATE_LIST_TEST_CASE("a form's future is a broken promise once the execution context is destroyed", "", all_forms)
{
    std::optional<stage> s(std::in_place);
    TestType::prepare(*s);
    auto result = TestType::call(*s, asio::use_future);
    s->pump([&] { return TestType::waits(*s); });
    s.reset();
    REQUIRE(result.wait_for(0s) == std::future_status::ready);
    bool broken = false;
    try {
        result.get();
    } catch (std::future_error const& e) {
        broken = e.code() == std::future_errc::broken_promise;
    }
    CHECK(broken);
}

TEST_CASE("what ended a feed is told by async_next, with its diagnostics")
{
    stage s;
    s.settings.transport = transport::websocket;
    s.server.refuse("/:/websockets", 404, {}, "text/html", fake_server::always);
    s.events = s.client().subscribe();
    noted first;
    async_next(s.events, s.why, first.handler());
    s.pump([&] { return first.done; });
    CHECK(first.code == errc::not_found);
    CHECK(s.why.http_status() == 404);
    bool ended = false;
    async_next(s.events, s.why, [&](error_code ec, std::optional<activity_event> const& event) {
        CHECK_FALSE(ec);
        CHECK_FALSE(event);
        ended = true;
    });
    s.pump([&] { return ended; });
}

TEST_CASE("a feed and an operation that never were complete at once, on the handler's executor where it has one")
{
    feed const nowhere;
    operation const nothing;
    diagnostics d;
    noted wait, next, event, result, cancel;
    async_wait(nowhere, d, wait.handler());
    async_next(nowhere, d, next.handler());
    async_next(nothing, 1s, d, event.handler());
    CHECK(wait.done);
    CHECK(next.done);
    CHECK(event.done);
    for (error_code const& code : {wait.code, next.code, event.code})
        CHECK_FALSE(code);
    async_result(nothing, 1s, d, result.handler());
    CHECK(result.code == errc::stopped);
    CHECK_FALSE(d.message().empty());
    asio::io_context io;
    async_cancel(nothing, 1s, d, asio::bind_executor(io, cancel.handler()));
    CHECK_FALSE(cancel.done);
    io.run();
    CHECK(cancel.code == errc::stopped);
}

TEST_CASE("after the execution context is gone feeds end and operations have stopped")
{
    feed events;
    operation work;
    {
        stage s;
        s.start_operation();
        events = s.client().subscribe();
        work = std::move(s.work);
    }
    diagnostics d;
    noted next, result;
    async_next(events, d, next.handler());
    CHECK(next.done);
    CHECK_FALSE(next.code);
    async_result(work, std::nullopt, d, result.handler());
    CHECK(result.code == errc::stopped);
    CHECK_FALSE(d.message().empty());
}

TEST_CASE("a generator's next() takes completion tokens by co_spawn, as it has no executor of its own")
{
    stage s;
    s.open_feed();
    generator<activity_event> all = events(std::move(s.events));
    run_elsewhere const running(s);
    std::future<std::optional<activity_event>> event =
        asio::co_spawn(s.client().get_executor(), all.next(), asio::use_future);
    s.appears();
    REQUIRE(event.wait_for(30s) == std::future_status::ready);
    feed_next_form::check(event.get());
}
