#include "catch.hpp"

#include "sync/reconnect_plan.hpp"

#include <vector>

// Rule 5 of the feed's guarantees: when the live connection is tried again, and over which transport.

using namespace std::chrono_literals;

namespace plex::sync {

namespace {

using step = reconnect_plan::step;
using answer = reconnect_plan::list_answer;
using time_point = reconnect_plan::time_point;

constexpr time_point start = time_point(1h);
constexpr auto upward_every = 10min;

/// The longest delay that may be drawn next.
reconnect_plan::duration longest(reconnect_plan& plan)
{
    return plan.delay(0.999999999);
}

/// A connection that is opened and lost.
step lived(reconnect_plan& plan, time_point& now, reconnect_plan::duration how_long)
{
    plan.opened(now);
    plan.heard();
    now += how_long;
    return plan.failed(setback::transient, now);
}

} // namespace

TEST_CASE("each reply to the upgrade is the setback that the table names", "[reconnect]")
{
    for (int const status : {200, 400, 404, 405, 426, 501})
        CHECK(setback_of(status) == setback::unsuitable);
    for (int const status : {401, 403})
        CHECK(setback_of(status) == setback::barred);
    CHECK(setback_of(407) == setback::hopeless);
    for (int const status : {300, 301, 302, 303, 307, 308})
        CHECK(setback_of(status) == setback::misdirected);
    for (int const status : {0, 100, 101, 204, 402, 408, 418, 429, 500, 502, 503, 504, 599})
        CHECK(setback_of(status) == setback::transient);
}

TEST_CASE("delays are drawn between half a second and a bound that doubles up to 30 s", "[reconnect]")
{
    reconnect_plan plan(transport::websocket, upward_every);
    for (auto const bound : {1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s}) {
        CHECK(plan.failed(setback::transient, start) == step::wait);
        reconnect_plan lowest = plan;
        CHECK(lowest.delay(0.0) == 500ms);
        reconnect_plan middle = plan;
        CHECK(std::chrono::abs(middle.delay(0.5) - (500ms + (bound - 500ms) / 2)) < 1us);
        CHECK(std::chrono::abs(longest(plan) - bound) < 1ms);
    }
}

TEST_CASE("a connection under a second raises the delays, a longer one keeps them, a stable minute resets them",
          "[reconnect]")
{
    reconnect_plan plan(transport::websocket, upward_every);
    time_point now = start;
    for (int i = 0; i < 3; ++i) {
        plan.failed(setback::transient, now);
        plan.delay(0);
    }
    lived(plan, now, 999ms);
    CHECK(longest(plan) > 7s);
    lived(plan, now, 1s);
    CHECK(longest(plan) > 15s);
    lived(plan, now, 59s);
    CHECK(longest(plan) > 15s);
    CHECK(longest(plan) < 17s);
    lived(plan, now, 60s);
    CHECK(longest(plan) <= 1s);
}

TEST_CASE("Retry-After is the next delay alone, retry the least of all further ones, both between 0.5 s and 5 min",
          "[reconnect]")
{
    reconnect_plan plan(transport::websocket, upward_every);
    plan.failed(setback::transient, start);
    plan.wait_for(42s);
    CHECK(plan.delay(0) == 42s);
    CHECK(plan.delay(0) == 500ms);
    plan.wait_for(0s);
    CHECK(plan.delay(0.9) == 500ms);
    plan.wait_for(24h);
    CHECK(plan.delay(0) == 5min);
    plan.wait_at_least(3s);
    CHECK(plan.delay(0) == 3s);
    CHECK(plan.delay(0) == 3s);
    plan.wait_at_least(1h);
    CHECK(plan.delay(0) == 5min);
}

TEST_CASE("a transport that is not there gives way to the next one at once, the last one ends the feed", "[reconnect]")
{
    reconnect_plan plan(transport::automatic, upward_every);
    CHECK(plan.current() == transport::websocket);
    CHECK(plan.failed(setback::unsuitable, start) == step::at_once);
    CHECK(plan.current() == transport::eventsource);
    CHECK(plan.failed(setback::unsuitable, start) == step::at_once);
    CHECK(plan.current() == transport::polling);
    CHECK(plan.failed(setback::unsuitable, start) == step::give_up);
}

TEST_CASE("a fixed transport is never left", "[reconnect]")
{
    for (auto const fixed : {transport::websocket, transport::eventsource, transport::polling}) {
        reconnect_plan plan(fixed, upward_every);
        CHECK(plan.current() == fixed);
        for (int i = 0; i < 10; ++i)
            CHECK(plan.failed(setback::transient, start) == step::wait);
        reconnect_plan barred = plan;
        CHECK(barred.failed(setback::barred, start) == step::ask_list);
        CHECK(barred.list_answered(answer::good, start) == step::give_up);
        CHECK(plan.failed(setback::unsuitable, start) == step::give_up);
        CHECK(plan.current() == fixed);
        CHECK_FALSE(plan.upward_at().has_value());
    }
}

TEST_CASE("401 and 403 to the upgrade ask the list: good is the next transport, barred the end, none a delay",
          "[reconnect]")
{
    reconnect_plan const fresh(transport::automatic, upward_every);
    reconnect_plan plan = fresh;
    CHECK(plan.failed(setback::barred, start) == step::ask_list);
    CHECK(plan.list_answered(answer::good, start) == step::at_once);
    CHECK(plan.current() == transport::eventsource);
    plan = fresh;
    plan.failed(setback::barred, start);
    CHECK(plan.list_answered(answer::barred, start) == step::give_up);
    plan = fresh;
    plan.failed(setback::barred, start);
    CHECK(plan.list_answered(answer::none, start) == step::wait);
    CHECK(plan.current() == transport::websocket);
}

TEST_CASE("a redirect, and a list that is barred, end the feed over any transport", "[reconnect]")
{
    for (auto const what : {setback::misdirected, setback::hopeless})
        for (auto const over : {transport::automatic, transport::eventsource, transport::polling})
            CHECK(reconnect_plan(over, upward_every).failed(what, start) == step::give_up);
}

TEST_CASE("three failures in a row on one transport ask the list, and a good one takes the next transport",
          "[reconnect]")
{
    reconnect_plan plan(transport::automatic, upward_every);
    CHECK(plan.failed(setback::transient, start) == step::wait);
    CHECK(plan.failed(setback::transient, start) == step::wait);
    CHECK(plan.failed(setback::transient, start) == step::ask_list);
    CHECK(plan.list_answered(answer::none, start) == step::wait);
    CHECK(plan.failed(setback::transient, start) == step::ask_list);
    CHECK(plan.list_answered(answer::good, start) == step::at_once);
    CHECK(plan.current() == transport::eventsource);
    CHECK(plan.failed(setback::transient, start) == step::wait); // they are counted for each transport
}

TEST_CASE("a stream without a sign of life counts as a failure, one with a sign does not", "[reconnect]")
{
    reconnect_plan silent(transport::automatic, upward_every);
    time_point now = start;
    for (auto const expected : {step::wait, step::wait, step::ask_list}) {
        silent.opened(now);
        now += 45s;
        CHECK(silent.failed(setback::transient, now) == expected);
    }
    reconnect_plan alive(transport::automatic, upward_every);
    for (int i = 0; i < 10; ++i)
        CHECK(lived(alive, now, 2s) == step::wait);
}

TEST_CASE("polling goes on through any transient failure", "[reconnect]")
{
    reconnect_plan plan(transport::automatic, upward_every);
    plan.failed(setback::unsuitable, start);
    plan.failed(setback::unsuitable, start);
    REQUIRE(plan.current() == transport::polling);
    for (int i = 0; i < 10; ++i)
        CHECK(plan.failed(setback::transient, start) == step::wait);
}

TEST_CASE("below the first transport the higher ones are tried again every ten minutes", "[reconnect]")
{
    reconnect_plan plan(transport::automatic, upward_every);
    CHECK_FALSE(plan.upward_at().has_value());
    plan.failed(setback::unsuitable, start);
    CHECK(plan.upward_at() == start + 10min);
    plan.opened(start);
    plan.stayed(start + 10min);
    CHECK(plan.upward_at() == start + 20min);
    CHECK(plan.current() == transport::eventsource);
    plan.went_up(transport::websocket, start + 20min);
    CHECK(plan.current() == transport::websocket);
    CHECK_FALSE(plan.upward_at().has_value());
}

} // namespace plex::sync
