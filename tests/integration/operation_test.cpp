#include "feed_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <future>
#include <memory>

// Operations followed to their end, over real sockets.

using namespace plex;
using namespace plex::test;

namespace {

using lines = std::vector<std::string>;

constexpr auto section_3 = R"({"librarySectionID":"3"})";
constexpr auto section_4 = R"({"librarySectionID":"4"})";

/// A request whose reply names nothing and which starts nothing by itself: the test does.
activity_request silent_request(testing::fake_server& server, filter wanted)
{
    server.reply_raw("GET /silent", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, testing::fake_server::always);
    return activity_request(request("GET", "/silent"), std::move(wanted));
}

filter scan_of_3()
{
    return filter().type("library.update.section").context("librarySectionID", "3");
}

testing::fake_activity scan_named(std::string uuid, std::string context = {})
{
    testing::fake_activity a = activity_named(std::move(uuid));
    a.context_json = std::move(context);
    return a;
}

asio::awaitable<lines> all_of(operation& o)
{
    lines result;
    while (true) {
        std::optional<activity_event> const event = co_await o.next(30s);
        if (!event)
            break;
        result.push_back(told(*event));
    }
    co_return result;
}

std::string uuid_of(operation const& o)
{
    activity const a = o.activity();
    return std::string(a.uuid());
}

template <class T>
asio::awaitable<error> failure_of(asio::awaitable<T> work)
{
    error result;
    try {
        co_await std::move(work);
    } catch (error const& e) {
        result = e;
    }
    co_return result;
}

} // namespace

TEST_CASE("an operation that the reply names is followed to its end")
{
    testing::fake_server_options options;
    options.call_duration = 50ms;
    served s(options);
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation guide = co_await c.start(reload_guide(5));
        CHECK(guide.reply().status() == 200);
        std::string const uuid(guide.reply().activity_uuid());
        lines const events = co_await all_of(guide);
        REQUIRE(events.size() >= 2);
        CHECK(events.front() == "started " + uuid + " 0");
        CHECK(events.back() == "ended " + uuid + " 100");
        outcome const over = co_await guide.result();
        CHECK(over.kind == outcome_kind::ended);
        CHECK(over.activity.uuid() == uuid);
        CHECK_FALSE(over.weak);
        CHECK(uuid_of(guide) == uuid);
    };
    s.run(c, body());
    CHECK(s.server.listeners() <= 1);
}

TEST_CASE("a section scan, which the reply does not name, is found by its Context among others")
{
    testing::fake_server_options options;
    options.call_duration = 100ms;
    served s(options);
    s.server.start_activity(scan_named("older", section_3));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        feed f = c.subscribe();
        operation fourth = co_await c.start(scan_section(4));
        operation third = co_await c.start(scan_section(3, "/films/ä & b"));
        outcome const over = co_await third.result(30s);
        CHECK(over.kind == outcome_kind::ended);
        CHECK(over.activity.uuid() != "older");
        CHECK(over.activity.context().text("librarySectionID") == "3");
        outcome const other = co_await fourth.result(30s);
        CHECK(other.activity.context().text("librarySectionID") == "4");
    };
    s.run(c, body());
    bool found = false;
    for (testing::seen_request const& r : s.server.requests())
        found = found || (r.path == "/library/sections/3/refresh" && r.query_value("path") == "/films/ä & b");
    CHECK(found);
}

TEST_CASE("an activity that ended before the reply was read is found, named or not")
{
    for (bool const named : {true, false}) {
        CAPTURE(named);
        served s;
        std::string const head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
        s.server.hold("GET /quick");
        s.server.reply_raw("GET /quick", head + (named ? "x-plex-activity: quick\r\n\r\n" : "\r\n"), true);
        client c(s.io.get_executor(), s.settings);
        auto act = [&]() -> asio::awaitable<void> {
            co_await s.server.held_reached("GET /quick", 1);
            s.server.start_activity(scan_named("quick", section_3));
            s.server.end_activity("quick");
            std::function<bool()> const heard = [&] { return c.counters().events == 2; };
            co_await come_true(heard);
            s.server.release("GET /quick");
        };
        auto follow = [&]() -> asio::awaitable<void> {
            operation o = co_await c.start(activity_request(request("GET", "/quick"), scan_of_3()));
            outcome const over = co_await o.result(5s);
            CHECK(over.kind == outcome_kind::ended);
            CHECK(over.activity.uuid() == "quick");
            lines const events = co_await all_of(o);
            CHECK(events == lines{"started quick 0", "ended quick 100"});
        };
        auto body = [&]() -> asio::awaitable<void> {
            using namespace asio::experimental::awaitable_operators;
            auto both = act() && follow();
            co_await std::move(both);
        };
        s.run(c, body());
    }
}

TEST_CASE("what never appears is not_started after the time to appear and one more list, and says what was running")
{
    for (bool const named : {true, false}) {
        CAPTURE(named);
        served s;
        s.settings.appear_timeout = 50ms;
        s.server.start_activity(scan_named("other", section_4));
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            activity_request asked = silent_request(s.server, scan_of_3());
            if (named)
                s.server.reply_raw("GET /named",
                                   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Plex-Activity: nowhere\r\n\r\n", true);
            if (named)
                asked = activity_request(request("GET", "/named"), filter());
            operation o = co_await c.start(asked);
            outcome const over = co_await o.result(30s);
            CHECK(over.kind == outcome_kind::not_started);
            CHECK(over.activity.uuid().empty());
            CHECK(over.message.find(named ? "nowhere" : "librarySectionID=3") != std::string::npos);
            CHECK(over.message.find("running: library.update.section") != std::string::npos);
            std::optional<activity_event> const event = co_await o.next();
            CHECK_FALSE(event.has_value());
        };
        s.run(c, body());
    }
}

TEST_CASE("with neither a name nor a filter the operation says so at once")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(silent_request(s.server, filter()));
        outcome const over = co_await o.result(1s);
        CHECK(over.kind == outcome_kind::not_started);
        CHECK_FALSE(over.message.empty());
    };
    s.run(c, body());
}

TEST_CASE("one that runs already is followed when the request accepts it")
{
    served s;
    s.server.start_activity(scan_named("older", section_3));
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(silent_request(s.server, scan_of_3()).or_running());
        CHECK(uuid_of(o) == "older");
        s.server.end_activity("older");
        outcome const over = co_await o.result(30s);
        CHECK(over.kind == outcome_kind::ended);
    };
    s.run(c, body());
}

TEST_CASE("a Context that comes late decides, and one that never comes leaves a weak match")
{
    for (bool const comes : {true, false}) {
        CAPTURE(comes);
        served s;
        s.settings.appear_timeout = 20ms;
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            operation o = co_await c.start(silent_request(s.server, scan_of_3()));
            s.server.start_activity(scan_named("a"));
            s.server.start_activity(scan_named("b"));
            std::function<bool()> const heard = [&] { return c.running().activities.size() == 2; };
            co_await come_true(heard);
            CHECK(uuid_of(o).empty());
            if (comes) {
                s.server.update_activity("a", 10, {}, section_4);
                s.server.update_activity("b", 10, {}, section_3);
            }
            s.server.end_activity("a");
            s.server.end_activity("b");
            outcome const over = co_await o.result(30s);
            CHECK(over.kind == outcome_kind::ended);
            CHECK(over.activity.uuid() == (comes ? "b" : "a"));
            CHECK(over.weak == !comes);
        };
        s.run(c, body());
    }
}

TEST_CASE("an activity that a restart of the server took with it has vanished")
{
    served s;
    auto first = std::make_unique<testing::fake_server>(s.io.get_executor());
    s.settings.url = first->url();
    testing::fake_server_options again;
    again.port = first->port();
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(scan_section(3));
        std::function<bool()> const found = [&] { return !uuid_of(o).empty(); };
        std::string const uuid = first->running().front().uuid;
        first->update_activity(uuid, 10, {}, section_3);
        co_await come_true(found);
        first.reset();
        first = std::make_unique<testing::fake_server>(s.io.get_executor(), again);
        outcome const over = co_await o.result(40s);
        CHECK(over.kind == outcome_kind::vanished);
        CHECK(over.activity.uuid() == uuid);
    };
    s.run(c, body());
}

TEST_CASE("an operation is cancelled by its request's own way, or by its uuid, and one that has ended is no error")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation scan = co_await c.start(scan_section(3));
        s.server.update_activity(s.server.running().front().uuid, 10, {}, section_3);
        co_await scan.cancel();
        outcome over = co_await scan.result(30s);
        CHECK(over.kind == outcome_kind::ended);
        co_await scan.cancel();

        operation other = co_await c.start(activity_request(request("POST", "/media/subscriptions/process"), filter()));
        co_await other.cancel(30s);
        over = co_await other.result(30s);
        CHECK(over.kind == outcome_kind::ended);
        co_await other.cancel();

        // It has ended, but that is not known yet.
        operation third = co_await c.start(activity_request(request("POST", "/media/subscriptions/process"), filter()));
        s.server.refuse("DELETE /activities", 404);
        co_await third.cancel();
        s.server.refuse("DELETE /activities", 403);
        auto refused = third.cancel();
        error const failure = co_await failure_of(std::move(refused));
        CHECK(failure.code() == errc::forbidden);
    };
    s.run(c, body());
    lines targets;
    for (testing::seen_request const& r : s.server.requests())
        if (r.method == "DELETE")
            targets.push_back(r.path.substr(0, 12));
    CHECK(targets == lines{"/library/sec", "/activities/", "/activities/", "/activities/"});
}

TEST_CASE("one without a name is cancelled once it has appeared")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(silent_request(s.server, scan_of_3()));
        auto too_soon = o.cancel(10ms);
        error const failure = co_await failure_of(std::move(too_soon));
        CHECK(failure.code() == errc::timeout);
        testing::fake_activity scan = scan_named("mine", section_3);
        scan.cancellable = true;
        s.server.start_activity(scan);
        co_await o.cancel(30s);
        outcome const over = co_await o.result(30s);
        CHECK(over.activity.uuid() == "mine");
    };
    s.run(c, body());
}

TEST_CASE("another's cancel ends an operation like any end")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    client other(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(activity_request(request("POST", "/media/subscriptions/process"), filter()));
        co_await other.cancel_server_activities(std::string(o.reply().activity_uuid()));
        outcome const over = co_await o.result(30s);
        CHECK(over.kind == outcome_kind::ended);
    };
    s.run(c, body());
}

namespace {

/// How a start ends whose request the server never answers.
error outcome_of_a_stalled_start(std::chrono::milliseconds request_timeout, std::optional<client::duration> deadline)
{
    served s;
    s.settings.request_timeout = request_timeout;
    client c(s.io.get_executor(), s.settings);
    error failure;
    auto body = [&]() -> asio::awaitable<void> {
        feed const f = c.subscribe();
        co_await c.ready(30s);
        s.server.stall("/library/sections/3/refresh");
        auto start = c.start(scan_section(3), deadline);
        failure = co_await failure_of(std::move(start));
    };
    s.run(c, body());
    return failure;
}

} // namespace

TEST_CASE("the deadline of a start is for the request too")
{
    error const failure = outcome_of_a_stalled_start(1h, 50ms);
    INFO(failure.what());
    CHECK(failure.code() == errc::timeout);
}

TEST_CASE("of a start without a deadline the request has the request's time")
{
    error const failure = outcome_of_a_stalled_start(50ms, std::nullopt);
    CHECK(failure.code() == errc::timeout);
}

TEST_CASE("an activity has a quarter of a minute to appear, a silent server three, unless that is set")
{
    config const usual;
    CHECK(usual.appear_timeout == 15s);
    CHECK(usual.ping_after == 15s);
    CHECK(usual.idle_limit == 45s);
}

TEST_CASE("stopping or closing a client cancels nothing on the server")
{
    for (bool const closes : {false, true}) {
        served s;
        client c(s.io.get_executor(), s.settings);
        auto body = [&]() -> asio::awaitable<void> {
            operation const o = co_await c.start(scan_section(3), 10s);
            if (closes)
                co_await c.close(5s);
            else
                c.stop();
        };
        s.run(c, body());
        CHECK(s.server.running().size() == 1);
        for (testing::seen_request const& r : s.server.requests())
            CHECK(r.method != "DELETE");
    }
}

TEST_CASE("a deadline says what was waited for, and the operation goes on")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(silent_request(s.server, scan_of_3()));
        auto unseen = o.result(5ms);
        error failure = co_await failure_of(std::move(unseen));
        CHECK(failure.code() == errc::timeout);
        CHECK(std::string(failure.what())
                  .find("waiting for type library.update.section with librarySectionID=3 to "
                        "appear") != std::string::npos);
        s.server.start_activity(scan_named("mine", section_3));
        std::optional<activity_event> event = co_await o.next(30s);
        CHECK(event.has_value());
        auto open = o.next(5ms);
        failure = co_await failure_of(std::move(open));
        CHECK(failure.code() == errc::timeout);
        CHECK(std::string(failure.what()).find("waiting for the end of library.update.section mine") !=
              std::string::npos);
        s.server.end_activity("mine");
        outcome const over = co_await o.result(30s);
        CHECK(over.kind == outcome_kind::ended);
    };
    s.run(c, body());
}

TEST_CASE("a refused request, and a server that cannot be followed, are errors of start()")
{
    testing::fake_server_options options;
    options.token = "good";
    served s(options);
    auto body = [&]() -> asio::awaitable<void> {
        s.settings.token = "bad";
        client unknown(s.io.get_executor(), s.settings);
        auto refused = unknown.start(scan_section(3), 10s);
        error failure = co_await failure_of(std::move(refused));
        CHECK(failure.code() == errc::unauthorized);
        s.settings.token = "good";
        client known(s.io.get_executor(), s.settings);
        s.server.refuse("GET /library", 403, "not for you");
        auto forbidden = known.start(scan_section(3));
        failure = co_await failure_of(std::move(forbidden));
        CHECK(failure.code() == errc::forbidden);
        CHECK(failure.diagnostics().http_status() == 403);
        CHECK(std::string(failure.what()).find("not for you") != std::string::npos);
        CHECK(std::string(failure.what()).find("starting an activity at http://127.0.0.1") == 0);
        auto hostile = known.start(activity_request(request("GET", "/a b"), filter()));
        failure = co_await failure_of(std::move(hostile));
        CHECK(failure.code() == errc::invalid_argument);
        s.server.stall("GET /activities", testing::fake_server::always);
        client waiting(s.io.get_executor(), s.settings);
        auto late = waiting.start(reload_guide(1), 20ms);
        failure = co_await failure_of(std::move(late));
        CHECK(failure.code() == errc::timeout);
        for (testing::seen_request const& r : s.server.requests()) // nothing is sent before the feed is ready
            CHECK(r.path.find("reloadGuide") == std::string::npos);
    };
    s.run(body());
}

TEST_CASE("hundreds of operations at a time share one feed, and each finds its own")
{
    constexpr int count = 300;
    testing::fake_server_options options;
    options.call_duration = 100ms;
    served s(options);
    client c(s.io.get_executor(), s.settings);
    int ended = 0;
    auto one = [&](int id) -> asio::awaitable<void> {
        operation o = co_await c.start(scan_section(id));
        outcome const over = co_await o.result(50s);
        bool const mine = over.activity.context().text("librarySectionID") == std::to_string(id);
        ended += over.kind == outcome_kind::ended && mine ? 1 : 0;
    };
    auto body = [&]() -> asio::awaitable<void> {
        int running = count;
        for (int id = 0; id < count; ++id)
            asio::co_spawn(c.get_executor(), one(id), [&](std::exception_ptr e) {
                CHECK(e == nullptr);
                --running;
            });
        std::function<bool()> const over = [&] { return running == 0; };
        co_await come_true(over);
    };
    s.run(c, body());
    CHECK(ended == count);
    CHECK(s.server.counters().websocket_upgrades == 1);
}

TEST_CASE("stopping an operation wakes who waits, and leaves the server's activity alone")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        auto o = std::make_unique<operation>(co_await c.start(scan_section(3)));
        bool woken = false;
        error failure;
        auto taker = o->next();
        asio::co_spawn(c.get_executor(), std::move(taker),
                       [&](std::exception_ptr, std::optional<activity_event> event) { woken = !event; });
        auto second = o->next(1s);
        error const busy = co_await failure_of(std::move(second));
        CHECK(busy.code() == errc::operation_in_progress);
        auto last = o->result();
        asio::co_spawn(c.get_executor(), failure_of(std::move(last)),
                       [&](std::exception_ptr, error e) { failure = std::move(e); });
        asio::any_io_executor const here = c.get_executor();
        co_await asio::post(here, asio::use_awaitable);
        o.reset();
        std::function<bool()> const both = [&] { return woken && failure.code(); };
        co_await come_true(both);
        CHECK(failure.code() == errc::stopped);
        CHECK(s.server.running().size() == 1);
        std::function<bool()> const idle = [&] { return c.connection().state == connection_state::idle; };
        co_await come_true(idle); // nobody wants the feed any more
    };
    s.run(c, body());
}

TEST_CASE("an operation that is awaited after its client has died says that it has stopped")
{
    served s;
    auto c = std::make_unique<client>(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c->start(scan_section(3));
        c.reset();
        auto late = o.result();
        error const failure = co_await failure_of(std::move(late));
        CHECK(failure.code() == errc::stopped);
        auto cancelled = o.cancel();
        error const uncancelled = co_await failure_of(std::move(cancelled));
        CHECK(uncancelled.code() == errc::stopped);
    };
    s.run(body());
}

TEST_CASE("what ends the feed ends its operations with that error")
{
    testing::fake_server_options options;
    options.token = "good";
    served s(options);
    s.settings.token = "good";
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(scan_section(3));
        operation unseen = co_await c.start(silent_request(s.server, filter().type("butler")));
        s.server.set_token("another");
        s.server.drop_listeners();
        auto last = o.result(30s);
        error const failure = co_await failure_of(std::move(last));
        CHECK(failure.code() == errc::unauthorized);
        auto event = unseen.next(30s);
        error const no_event = co_await failure_of(std::move(event));
        CHECK(no_event.code() == errc::unauthorized);
        auto cancelled = unseen.cancel(30s); // by its uuid, which nobody will learn
        error const uncancelled = co_await failure_of(std::move(cancelled));
        CHECK(uncancelled.code() == errc::unauthorized);
    };
    s.run(c, body());
}

TEST_CASE("cancelling next() at any moment loses no event, and is told as an error of ours")
{
    served s;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(silent_request(s.server, scan_of_3()));
        s.server.start_activity(scan_named("mine", section_3));
        std::optional<activity_event> event = co_await o.next(30s);
        CHECK(event.has_value());
        asio::any_io_executor const here = c.get_executor();
        std::vector<int> seen;
        int cancelled = 0;
        for (int turns = 1; turns <= 60; ++turns) {
            asio::cancellation_signal cancel;
            bool done = false;
            bool too_late = false; // `||` would drop what comes now
            auto taker = [&]() -> asio::awaitable<void> {
                try {
                    std::optional<activity_event> const got = co_await o.next();
                    if (!too_late)
                        seen.push_back(got->activity.progress().value_or(-1));
                } catch (error const& e) {
                    cancelled += e.code() == asio::error::operation_aborted ? 1 : 0;
                }
                done = true;
            };
            asio::co_spawn(here, taker(), asio::bind_cancellation_slot(cancel.slot(), asio::detached));
            s.server.update_activity("mine", turns);
            for (int turn = 0; turn < turns % 20; ++turn)
                co_await asio::post(here, asio::use_awaitable);
            too_late = true;
            cancel.emit(asio::cancellation_type::terminal);
            std::function<bool()> const is_done = [&] { return done; };
            co_await come_true(is_done);
            if (!seen.empty() && seen.back() == turns)
                continue;
            event = co_await o.next(30s);
            REQUIRE(event.has_value());
            seen.push_back(event->activity.progress().value_or(-1));
        }
        REQUIRE(seen.size() == 60);
        for (int turns = 1; turns <= 60; ++turns)
            CHECK(seen[static_cast<std::size_t>(turns - 1)] == turns);
        CHECK(cancelled > 0);
        CHECK(cancelled < 60);
    };
    s.run(c, body());
}

TEST_CASE("an operation whose events nobody takes knows its outcome all the same")
{
    served s;
    s.settings.mailbox_bytes = 1024;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> {
        operation o = co_await c.start(silent_request(s.server, scan_of_3()));
        testing::fake_activity scan = scan_named("mine", section_3);
        scan.title = std::string(2000, 'x');
        s.server.start_activity(scan);
        s.server.end_activity("mine");
        outcome const over = co_await o.result(30s);
        CHECK(over.kind == outcome_kind::ended);
        auto lost = o.next();
        error const failure = co_await failure_of(std::move(lost));
        CHECK(failure.code() == errc::subscriber_overflow);
    };
    s.run(c, body());
}

TEST_CASE("an operation may be awaited from another executor")
{
    testing::fake_server_options options;
    options.call_duration = 20ms;
    served s(options);
    client c(s.io.get_executor(), s.settings);
    asio::thread_pool pool(2);
    auto elsewhere = [&]() -> asio::awaitable<outcome> {
        operation o = co_await c.start(reload_guide(1));
        std::optional<activity_event> const first = co_await o.next(30s);
        CHECK(first.has_value());
        outcome over = co_await o.result(30s);
        asio::post(c.get_executor(), [gone = std::move(o)]() mutable { gone.stop(); }); // its end belongs there
        co_return over;
    };
    bool done = false;
    outcome over;
    asio::co_spawn(pool, elsewhere(), [&](std::exception_ptr e, outcome o) {
        asio::post(s.io, [&, e, o = std::move(o)] {
            CHECK(e == nullptr);
            over = o;
            done = true;
        });
    });
    auto body = [&]() -> asio::awaitable<void> {
        std::function<bool()> const is_done = [&] { return done; };
        co_await come_true(is_done);
    };
    s.run(body());
    pool.join();
    CHECK(over.kind == outcome_kind::ended);
}
