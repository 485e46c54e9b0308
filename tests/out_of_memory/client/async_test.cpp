#include "served_elsewhere.hpp"

#include <plex/activities.hpp>
#include <plex/async.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

// Each allocation of a call that is started with a completion handler fails in turn.

using namespace plex;
using namespace plex::test;
using namespace std::chrono_literals;

namespace asio = boost::asio;

namespace {

/// A client whose thread runs out of memory, and what it is to start.
struct short_of_memory {
    explicit short_of_memory(config const& settings) : c(io.get_executor(), settings), theirs(asio::make_strand(io)) {}

    /// A handler whose executor is too large to be copied without memory.
    auto handler()
    {
        return asio::bind_executor(theirs, [this](error_code ec, auto const&...) {
            ++called;
            code = ec;
        });
    }
    /// What escapes from a handler is that memory has run out, and the others are run on.
    template <class Condition>
    bool pump(Condition until)
    {
        auto const watchdog = std::chrono::steady_clock::now() + 20s;
        while (!until() && std::chrono::steady_clock::now() < watchdog) {
            try {
                if (io.stopped())
                    io.restart();
                io.run_one_for(2ms);
            } catch (std::bad_alloc const&) {
            }
        }
        return until();
    }

    asio::io_context io;
    client c;
    asio::strand<asio::strand<asio::io_context::executor_type>> theirs;
    diagnostics d;
    int called = 0;
    error_code code;
    bool closed = false;
    std::optional<feed> f;
    std::optional<operation> o;
};

/// What became of one start.
struct outcome {
    bool struck = false;
    bool threw = false;
    bool told_so = false;
    std::string broken; // empty when nothing is
};

/// With memory again.
std::string lists_well(short_of_memory& s)
{
    bool done = false;
    error_code code;
    async_get_server_activities(s.c, s.d, [&](error_code ec, std::vector<activity> const&) {
        done = true;
        code = ec;
    });
    if (!s.pump([&] { return done; }))
        return "a later call is not answered";
    return code ? "a later call fails: " + code.message() : "";
}

template <class Prepare, class Start>
outcome start_short_of(std::size_t first, std::size_t count, config const& settings, Prepare prepare, Start start)
{
    outcome o;
    try {
        short_of_memory s(settings);
        prepare(s);
        testing::fail_allocations(first, count);
        try {
            start(s);
        } catch (std::bad_alloc const&) {
            o.threw = true;
        }
        if (!o.threw && !s.pump([&] { return s.called != 0; }))
            o.broken = "neither threw nor was the handler called";
        o.struck = testing::allocation_failed();
        testing::fail_allocation(0, false);
        s.pump([&, turns = 0]() mutable { return ++turns > 3; });
        if (o.broken.empty() && s.called != (o.threw ? 0 : 1))
            o.broken = "called " + std::to_string(s.called) + " times" + (o.threw ? ", though it threw" : "");
        o.told_so = s.code == boost::system::errc::not_enough_memory;
        if (!o.struck && s.code)
            o.broken = s.code.message() + ", with memory";
        else if (s.code == errc::timeout)
            o.broken = "it waited in vain";
        if (o.broken.empty() && !s.closed)
            o.broken = lists_well(s);
    } catch (std::exception const& e) {
        testing::fail_allocation(0, false);
        o.broken = e.what();
    }
    return o;
}

/// With each allocation failing in turn, until there is none left to fail. Side by side, as most of the time is
/// waiting; each on a thread of its own, so that none finds memory that an earlier one has left for reuse.
/// @param prepare with memory. @param start what is tested
template <class Prepare, class Start>
void every_start_is_told(std::string const& what, config const& settings, Prepare prepare, Start start)
{
    constexpr std::size_t side_by_side = 20;
    std::size_t thrown = 0;
    std::size_t out_of_memory = 0;
    for (std::size_t const count : {1u, 3u, 10u, 50u}) {
        bool all_struck = true;
        for (std::size_t first = 1; all_struck; first += side_by_side) {
            REQUIRE(first < 5000);
            std::vector<outcome> outcomes(side_by_side);
            std::vector<std::thread> threads;
            for (std::size_t i = 0; i != side_by_side; ++i)
                threads.emplace_back(
                    [&, i] { outcomes[i] = start_short_of(first + i, count, settings, prepare, start); });
            for (std::thread& t : threads)
                t.join();
            for (std::size_t i = 0; i != side_by_side; ++i) {
                INFO(what << ", allocation " << first + i << " and " << count - 1 << " more failing");
                REQUIRE(outcomes[i].broken == "");
                thrown += outcomes[i].threw ? 1 : 0;
                out_of_memory += outcomes[i].told_so ? 1 : 0;
                all_struck = all_struck && outcomes[i].struck;
            }
        }
    }
    INFO(what);
    CHECK(thrown > 0);
    WARN(what << ": thrown " << thrown << " times, told " << out_of_memory << " times");
}

void nothing(short_of_memory&) {}

void follow(short_of_memory& s)
{
    s.f.emplace(s.c.subscribe());
    testing::must(s.pump([&] { return s.c.connection().state == connection_state::reconciled; }));
}

void operate(short_of_memory& s)
{
    async_start(s.c, scan_section(3), 10s, s.d, [&](error_code ec, operation started) {
        testing::must(!ec);
        s.o.emplace(std::move(started));
    });
    testing::must(s.pump([&] { return s.o.has_value(); }));
}

struct scene {
    scene()
    {
        testing::fake_server_options options;
        options.call_duration = 20ms;
        server.emplace(options);
        settings.url = server->url();
        settings.appear_timeout = 300ms; // of what came and went in a gap
        server->tell([](testing::fake_server& s) {
            testing::fake_activity a("media.download");
            a.uuid = "runs";
            a.cancellable = true;
            s.start_activity(a);
        });
    }
    std::optional<served_elsewhere> server;
    config settings;
};

} // namespace

TEST_CASE("a call for whose start there is no memory throws, or completes once, and no handler is forgotten")
{
    scene s;
    every_start_is_told("async_get_server_activities", s.settings, nothing,
                        [](short_of_memory& m) { async_get_server_activities(m.c, m.d, m.handler()); });
    every_start_is_told("async_send", s.settings, nothing,
                        [](short_of_memory& m) { async_send(m.c, request("GET", "/identity"), m.d, m.handler()); });
    every_start_is_told("async_close", s.settings, nothing, [](short_of_memory& m) {
        m.closed = true;
        async_close(m.c, 1s, m.d, m.handler());
    });
}

TEST_CASE("a question for the token that finds no memory is answered all the same, and asked again by the next call")
{
    scene s;
    s.settings.token_function = []() -> asio::awaitable<std::string> {
        asio::any_io_executor const here = co_await asio::this_coro::executor;
        asio::steady_timer timer(here, 1ms);
        co_await timer.async_wait(asio::use_awaitable);
        std::string token = "a-token-that-is-too-long-for-a-short-string";
        co_return token;
    };
    every_start_is_told("async_get_server_activities with a token function", s.settings, nothing,
                        [](short_of_memory& m) { async_get_server_activities(m.c, m.d, m.handler()); });
}

TEST_CASE("what waits for the feed throws or completes once, though there is no memory for it")
{
    scene s;
    every_start_is_told("async_ready", s.settings, nothing,
                        [](short_of_memory& m) { async_ready(m.c, 10s, m.d, m.handler()); });
    every_start_is_told("async_wait_until_idle", s.settings, nothing, [](short_of_memory& m) {
        async_wait_until_idle(m.c, filter().type("nothing.of.the.kind"), 0s, 10s, m.d, m.handler());
    });
    every_start_is_told("async_wait", s.settings, follow,
                        [](short_of_memory& m) { async_wait(*m.f, m.d, m.handler()); });
    every_start_is_told("async_next", s.settings, follow,
                        [](short_of_memory& m) { async_next(*m.f, m.d, m.handler()); });
}

TEST_CASE("an operation for which there is no memory throws or completes once")
{
    scene s;
    every_start_is_told("async_start", s.settings, nothing,
                        [](short_of_memory& m) { async_start(m.c, scan_section(3), 10s, m.d, m.handler()); });
    every_start_is_told("async_next of an operation", s.settings, operate,
                        [](short_of_memory& m) { async_next(*m.o, 10s, m.d, m.handler()); });
    every_start_is_told("async_result", s.settings, operate,
                        [](short_of_memory& m) { async_result(*m.o, 10s, m.d, m.handler()); });
}

TEST_CASE("without a client there may be no memory for its handler's executor either")
{
    scene s;
    for (std::size_t n = 1;; ++n) {
        bool struck = false;
        std::thread([&] {
            std::optional<client> survivor;
            {
                asio::io_context gone;
                survivor.emplace(gone.get_executor(), s.settings);
            }
            short_of_memory other(s.settings);
            bool threw = false;
            testing::fail_allocation(n, false);
            try {
                async_get_server_activities(*survivor, other.d, other.handler());
            } catch (std::bad_alloc const&) {
                threw = true;
            }
            struck = testing::allocation_failed();
            testing::fail_allocation(0, false);
            testing::must(other.pump([&] { return threw || other.called == 1; }));
            testing::must(threw || other.code == errc::stopped);
        }).join();
        if (!struck)
            break;
        REQUIRE(n < 1000);
    }
}
