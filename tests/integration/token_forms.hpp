#pragma once

#include "calls_fixture.hpp"

#include <tuple>
#include <vector>

namespace plex::test {

/// What a call for a completion token needs: a fake server and its client on one `io_context`, a feed, an operation.
struct stage : call_scene {
    /// The live connection is open, and what runs is known.
    void open_feed()
    {
        events = client().subscribe();
        run([this]() -> asio::awaitable<void> { co_await client().ready(20s); });
    }
    /// What was started appears when the test says so.
    void start_operation()
    {
        run([this]() -> asio::awaitable<void> {
            activity_request asked = silent_request();
            work = co_await client().start(std::move(asked), 20s);
        });
    }
    activity_request silent_request()
    {
        server.reply_raw("GET /silent", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true, fake_server::always);
        return activity_request(request("GET", "/silent"), filter().type("library.update.section"));
    }
    void appears()
    {
        fake_activity a = activity_called("one");
        a.cancellable = true;
        server.start_activity(std::move(a));
    }
    /// Runs whatever is ready, and waits no longer than until `condition`, with a watchdog.
    void pump(std::function<bool()> condition)
    {
        auto const limit = std::chrono::steady_clock::now() + 30s;
        while (!condition()) {
            REQUIRE(std::chrono::steady_clock::now() < limit);
            if (io.stopped())
                io.restart();
            io.run_one_for(10ms);
        }
    }
    void settle()
    {
        if (io.stopped())
            io.restart();
        while (io.poll() != 0) {
        }
    }

    std::optional<client::duration> deadline = 30s;
    diagnostics why;
    feed events;
    operation work;
};

// The forms of <plex/async.hpp>, each a row of the table that tokens_test.cpp puts each token to:
//   prepare   before the call, so that it waits
//   call      the form
//   waits     whether it has got so far
//   finish    lets it succeed
//   check     what it then gives
//   spoil     before the call, so that it fails with `failure`
//   lose      the object it was called for goes; `lost` is what it then completes with

struct client_form {
    static void lose(stage& s) { s.drop_client(); }
    static error_code lost() { return errc::stopped; }
};
/// What waits for the activity, and says so to nobody.
struct waiting_form {
    static bool waits(stage& s)
    {
        s.settle();
        return true;
    }
    static void finish(stage& s) { s.appears(); }
};
struct feed_form : waiting_form {
    static void prepare(stage& s) { s.open_feed(); }
    static void spoil(stage& s)
    {
        s.open_feed();
        static diagnostics of_the_other;
        async_wait(s.events, of_the_other, [](error_code) {});
        s.settle();
    }
    static error_code failure() { return errc::operation_in_progress; }
    static void lose(stage& s) { s.events = feed(); }
    static error_code lost() { return {}; }
};
struct operation_form : waiting_form {
    static void prepare(stage& s) { s.start_operation(); }
    static void spoil(stage& s)
    {
        s.start_operation();
        s.deadline = 1ms;
    }
    static error_code failure() { return errc::timeout; }
    static void lose(stage& s) { s.work = operation(); }
    static error_code lost() { return errc::stopped; }
};

struct get_server_activities_form : client_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_get_server_activities(s.client(), s.why, std::forward<Token>(token));
    }
    static void prepare(stage& s)
    {
        s.appears();
        s.server.hold("/activities");
    }
    static bool waits(stage& s) { return s.server.held("/activities") == 1; }
    static void finish(stage& s) { s.server.release("/activities"); }
    static void check(std::vector<activity> const& list) { CHECK(list.size() == 1); }
    static void spoil(stage& s) { s.server.refuse("/activities", 503); }
    static error_code failure() { return errc::server_error; }
};

struct cancel_server_activities_form : client_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_cancel_server_activities(s.client(), "one", s.why, std::forward<Token>(token));
    }
    static void prepare(stage& s)
    {
        s.appears();
        s.server.hold("DELETE /activities");
    }
    static bool waits(stage& s) { return s.server.held("DELETE /activities") == 1; }
    static void finish(stage& s) { s.server.release("DELETE /activities"); }
    static void check() {}
    static void spoil(stage&) {}
    static error_code failure() { return errc::activity_not_found; }
};

struct send_form : client_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_send(s.client(), request("GET", "/identity"), s.why, std::forward<Token>(token));
    }
    static void prepare(stage& s) { s.server.hold("/identity"); }
    static bool waits(stage& s) { return s.server.held("/identity") == 1; }
    static void finish(stage& s) { s.server.release("/identity"); }
    static void check(reply const& answer) { CHECK(answer.status() == 200); }
    static void spoil(stage& s) { s.server.reply_raw("/identity", "nonsense\r\n\r\n"); }
    static error_code failure() { return errc::malformed_reply; }
};

struct ready_form : client_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_ready(s.client(), s.deadline, s.why, std::forward<Token>(token));
    }
    static void prepare(stage& s) { s.server.hold("/activities"); }
    static bool waits(stage& s) { return s.server.held("/activities") == 1; }
    static void finish(stage& s) { s.server.release("/activities"); }
    static void check() {}
    static void spoil(stage& s)
    {
        s.server.hold("/activities");
        s.deadline = 1ms;
    }
    static error_code failure() { return errc::timeout; }
};

struct start_form : client_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_start(s.client(), s.silent_request(), s.deadline, s.why, std::forward<Token>(token));
    }
    static void prepare(stage& s) { s.server.hold("/silent"); }
    static bool waits(stage& s) { return s.server.held("/silent") == 1; }
    static void finish(stage& s) { s.server.release("/silent"); }
    static void check(operation const& o) { CHECK(o.reply().status() == 200); }
    static void spoil(stage& s) { s.server.refuse("/silent", 403); }
    static error_code failure() { return errc::forbidden; }
};

struct wait_until_idle_form : client_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_wait_until_idle(s.client(), filter(), 1ms, s.deadline, s.why, std::forward<Token>(token));
    }
    static void prepare(stage& s)
    {
        s.open_feed();
        s.appears();
    }
    static bool waits(stage& s)
    {
        s.settle();
        return !s.client().running().activities.empty();
    }
    static void finish(stage& s) { s.server.end_activity("one"); }
    static void check() {}
    static void spoil(stage& s)
    {
        prepare(s);
        s.deadline = 1ms;
    }
    static error_code failure() { return errc::timeout; }
};

struct close_form : client_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_close(s.client(), 30s, s.why, std::forward<Token>(token));
    }
    static void prepare(stage& s)
    {
        s.open_feed();
        s.server.freeze_listeners();
    }
    static bool waits(stage& s) { return s.server.counters().closes_received == 1; }
    static void finish(stage& s) { s.server.thaw_listeners(); }
    static void check() {}
    static error_code lost() { return {}; }
    // What the server does is no error of a goodbye.
};

struct feed_wait_form : feed_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_wait(s.events, s.why, std::forward<Token>(token));
    }
    static void check() {}
};

struct feed_next_form : feed_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_next(s.events, s.why, std::forward<Token>(token));
    }
    static void check(std::optional<activity_event> const& event)
    {
        REQUIRE(event);
        CHECK(event->activity.uuid() == "one");
    }
};

struct operation_next_form : operation_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_next(s.work, s.deadline, s.why, std::forward<Token>(token));
    }
    static void check(std::optional<activity_event> const& event)
    {
        REQUIRE(event);
        CHECK(event->kind == event_kind::started);
    }
    static error_code lost() { return {}; }
};

struct operation_result_form : operation_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_result(s.work, s.deadline, s.why, std::forward<Token>(token));
    }
    static void finish(stage& s)
    {
        s.appears();
        s.server.end_activity("one");
    }
    static void check(outcome const& over) { CHECK(over.kind == outcome_kind::ended); }
};

struct operation_cancel_form : operation_form {
    template <class Token>
    static auto call(stage& s, Token&& token)
    {
        return async_cancel(s.work, s.deadline, s.why, std::forward<Token>(token));
    }
    static void check() {}
};

using waiting_forms = std::tuple<feed_wait_form, feed_next_form, operation_next_form, operation_result_form>;
using failing_forms = std::tuple<get_server_activities_form, cancel_server_activities_form, send_form, ready_form,
                                 start_form, wait_until_idle_form, feed_wait_form, feed_next_form, operation_next_form,
                                 operation_result_form, operation_cancel_form>;
using all_forms = decltype(std::tuple_cat(failing_forms(), std::tuple<close_form>()));

} // namespace plex::test
