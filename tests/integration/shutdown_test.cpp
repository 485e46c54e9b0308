#include "feed_fixture.hpp"
#include "tls_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <filesystem>
#include <functional>
#include <memory>

// Every state of a client, ended in every way: nothing hangs, nothing is left behind. Frames are counted by what they
// hold, descriptors by the system's list, timers by whether run() still has something to wait for; sanitizers see the
// rest.

using namespace plex;
using namespace plex::test;

namespace {

std::size_t open_descriptors()
{
    std::filesystem::directory_iterator const entries("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

/// Counts the user's coroutines that are alive.
struct frame {
    explicit frame(int& counter) : count(counter) { ++count; }
    frame(frame const&) = delete;
    frame& operator=(frame const&) = delete;
    ~frame() { --count; }
    int& count;
};

enum class state {
    idle,
    resolving,
    connecting,
    tls,
    asking_proxy,
    upgrading,
    listing,
    reading,
    reading_tls,
    goodbye,
    goodbye_tls,
    mailbox_full,
    backing_off,
    polling,
    grace,
    asking_token,
    starting,
    following,
    waiting_for_idle
};
enum class ending { stop, close, destroy, cancel, destroy_context };

char const* name(state s)
{
    constexpr char const* names[] = {"idle",
                                     "resolving",
                                     "connecting",
                                     "TLS",
                                     "asking a proxy for a tunnel",
                                     "upgrading",
                                     "listing",
                                     "reading",
                                     "reading over TLS",
                                     "saying goodbye",
                                     "saying goodbye over TLS",
                                     "mailbox full",
                                     "backing off",
                                     "polling",
                                     "waiting for the grace",
                                     "asking for a token",
                                     "starting an operation",
                                     "following an operation",
                                     "waiting until idle"};
    return names[static_cast<int>(s)];
}
char const* name(ending e)
{
    constexpr char const* names[] = {"stop", "close", "destroy", "cancel", "context destroyed first"};
    return names[static_cast<int>(e)];
}

bool is_over_tls(state s)
{
    return s == state::reading_tls || s == state::goodbye_tls;
}

fake_server_options options_of(state s)
{
    static certificate const own("server", "IP:127.0.0.1");
    return is_over_tls(s) ? serving(own) : fake_server_options();
}

/// One cell of the matrix: two coroutines of the user, one awaiting a call and one a feed, in the given state.
class cell
{
public:
    explicit cell(state in) : in_(in)
    {
        server_context_.emplace();
        server_.emplace(server_context_->get_executor(), options_of(in));
        context_.emplace();
        config settings;
        settings.url = server_->url();
        if (is_over_tls(in)) {
            settings.token = "sEcReT";
            settings.tls.insecure = true;
        }
        switch (in) {
        case state::resolving:
            settings.url = "http://localhost:" + std::to_string(server_->port());
            break;
        case state::connecting:
            hole_.emplace(*server_context_);
            settings.url = hole_->url();
            break;
        case state::tls:
            server_->stall_connections(testing::fake_server::always);
            settings.url.replace(0, 4, "https");
            settings.tls.insecure = true;
            break;
        case state::asking_proxy:
            server_->stall_connections(testing::fake_server::always);
            settings.proxy = server_->url();
            break;
        case state::upgrading:
            server_->stall("/:/websockets", testing::fake_server::always);
            server_->stall("/activities", testing::fake_server::always);
            break;
        case state::listing:
            server_->hold("/activities");
            break;
        case state::mailbox_full:
            settings.mailbox_bytes = 4096;
            break;
        case state::backing_off:
            server_->refuse_with("/:/websockets", 503, "Retry-After", "200");
            break;
        case state::polling:
            settings.transport = transport::polling;
            break;
        case state::asking_token:
            settings.token_function = [this] { return endless(); };
            break;
        case state::starting:
            server_->hold("/library");
            break;
        case state::waiting_for_idle:
            server_->start_activity(activity_named("busy"));
            break;
        default:
            break;
        }
        client_.emplace(context_->get_executor(), settings);
    }

    /// Brings the client into its state.
    void reach()
    {
        if (in_ == state::idle) { // a kept connection, nobody waits
            bool done = false;
            auto once = [&]() -> asio::awaitable<void> {
                std::vector<activity> const list = co_await client_->get_server_activities();
                CHECK(list.empty());
                done = true;
            };
            asio::co_spawn(client_->get_executor(), once(), asio::detached);
            pump([&] { return done; });
            return;
        }
        if (in_ == state::starting || in_ == state::following || in_ == state::waiting_for_idle) {
            reach_operation();
            return;
        }
        feed_.emplace(client_->subscribe());
        if (in_ == state::mailbox_full) {
            pump([&] { return client_->connection().state == connection_state::reconciled; });
            for (int i = 0; i < 64; ++i)
                server_->start_activity(activity_named("activity-" + std::to_string(i)));
            pump([&] { return client_->counters().events == 64; });
            asio::co_spawn(client_->get_executor(), list(),
                           asio::bind_cancellation_slot(cancel_call_.slot(), asio::detached));
            return;
        }
        asio::co_spawn(client_->get_executor(), list(),
                       asio::bind_cancellation_slot(cancel_call_.slot(), asio::detached));
        asio::co_spawn(client_->get_executor(), read(),
                       asio::bind_cancellation_slot(cancel_feed_.slot(), asio::detached));
        switch (in_) {
        case state::resolving:
            context_->run_one(); // the coroutines run up to the resolver, whose answer waits for this thread
            context_->run_one();
            break;
        case state::connecting:
        case state::tls:
        case state::asking_proxy:
            for (int i = 0; i < 50; ++i)
                context_->run_one_for(1ms);
            break;
        case state::upgrading:
            pump([&] { return server_->counters().requests >= 2; });
            break;
        case state::listing:
            pump([&] { return server_->held("/activities") >= 2; });
            break;
        case state::backing_off:
            pump([&] { return client_->connection().state == connection_state::interrupted && calls_done_ == 1; });
            break;
        case state::grace: // what was running is missing from the list after a gap
            server_->start_activity(activity_named("gone"));
            pump([&] { return client_->running().activities.size() == 1; });
            server_->drop_listeners();
            server_->end_activity("gone");
            pump([&] { return client_->connection().state == connection_state::interrupted; });
            pump([&] { return client_->connection().state == connection_state::reconciled; });
            CHECK(client_->running().activities.size() == 1);
            break;
        case state::asking_token:
            pump([&] { return token_frames_ == 1; });
            break;
        case state::goodbye:
        case state::goodbye_tls: // which nobody answers
            pump([&] { return client_->connection().state == connection_state::reconciled && calls_done_ == 1; });
            server_->freeze_listeners();
            asio::co_spawn(client_->get_executor(), close(),
                           asio::bind_cancellation_slot(cancel_close_.slot(), asio::detached));
            for (int i = 0; i < 20; ++i)
                context_->run_one_for(1ms);
            CHECK(frames_ == 2); // who closes, and who reads the feed
            break;
        default:
            pump([&] { return client_->connection().state == connection_state::reconciled && calls_done_ == 1; });
        }
    }

    void reach_operation()
    {
        auto work = in_ == state::waiting_for_idle ? wait_until_idle() : operate();
        asio::co_spawn(client_->get_executor(), std::move(work),
                       asio::bind_cancellation_slot(cancel_call_.slot(), asio::detached));
        if (in_ == state::starting) {
            pump([&] { return server_->held("/library") == 1; });
            return;
        }
        if (in_ == state::waiting_for_idle) {
            pump([&] { return client_->connection().state == connection_state::reconciled; });
            return;
        }
        pump([&] { return operation_.has_value(); });
        asio::co_spawn(client_->get_executor(), take(),
                       asio::bind_cancellation_slot(cancel_feed_.slot(), asio::detached));
        server_->update_activity(server_->running().front().uuid, 10, {}, R"({"librarySectionID":"3"})");
        pump([&] { return taken_ == 2; });
    }

    void end(ending how)
    {
        switch (how) {
        case ending::stop:
            client_->stop();
            break;
        case ending::close: {
            bool closed = false;
            auto close = [&]() -> asio::awaitable<void> {
                co_await client_->close(200ms);
                closed = true;
            };
            asio::co_spawn(client_->get_executor(), close(), asio::detached);
            pump([&] { return closed; });
            break;
        }
        case ending::destroy:
            feed_.reset();
            operation_.reset();
            client_.reset();
            break;
        case ending::cancel:
            cancel_call_.emit(asio::cancellation_type::terminal);
            cancel_feed_.emit(asio::cancellation_type::terminal);
            cancel_close_.emit(asio::cancellation_type::terminal);
            pump([&] { return frames_ == 0; });
            feed_.reset();
            operation_.reset();
            client_->stop();
            break;
        case ending::destroy_context:
            let_go();
            context_.reset();
            break;
        }
        if (context_) // all that waited has been woken, and nothing keeps run() busy
            pump([&] { return context_->stopped(); });
        CHECK(frames_ == 0);
        CHECK(token_frames_ == 0);
        client_.reset();
        feed_.reset();
        operation_.reset();
        let_go();
        context_.reset();
        server_.reset();
        hole_.reset();
        server_context_.reset();
    }

private:
    asio::awaitable<void> list()
    {
        frame const here(frames_);
        try {
            std::vector<activity> const got = co_await client_->get_server_activities();
            ++calls_done_;
            CHECK(got.size() <= 64);
        } catch (error const& e) {
            bool const expected = e.code() == errc::stopped || e.code() == asio::error::operation_aborted;
            CHECK(expected);
        }
    }
    asio::awaitable<void> read()
    {
        frame const here(frames_);
        try {
            while (feed_) { // a feed that is gone must not be asked again
                std::optional<activity_event> const event = co_await feed_->next();
                if (!event)
                    break;
                CHECK(event->kind == event_kind::started);
            }
        } catch (error const& e) {
            CHECK(e.code() == asio::error::operation_aborted);
        }
    }

    asio::awaitable<void> operate()
    {
        frame const here(frames_);
        try {
            operation started = co_await client_->start(scan_section(3));
            operation_.emplace(std::move(started));
            outcome const over = co_await operation_->result();
            CHECK(over.kind == outcome_kind::ended);
        } catch (error const& e) {
            bool const expected = e.code() == errc::stopped || e.code() == asio::error::operation_aborted;
            CHECK(expected);
        }
    }
    asio::awaitable<void> take()
    {
        frame const here(frames_);
        try {
            while (operation_) {
                std::optional<activity_event> const event = co_await operation_->next();
                if (!event)
                    break;
                ++taken_;
            }
        } catch (error const& e) {
            CHECK(e.code() == asio::error::operation_aborted);
        }
    }
    asio::awaitable<void> wait_until_idle()
    {
        frame const here(frames_);
        try {
            co_await client_->wait_until_idle(filter(), 1s);
            CHECK(false);
        } catch (error const& e) {
            bool const expected = e.code() == errc::stopped || e.code() == asio::error::operation_aborted;
            CHECK(expected);
        }
    }

    asio::awaitable<void> close()
    {
        frame const here(frames_);
        try {
            co_await client_->close(60s);
        } catch (error const& e) {
            CHECK(e.code() == asio::error::operation_aborted);
        }
    }

    /// A token function that never has an answer.
    asio::awaitable<std::string> endless()
    {
        frame const here(token_frames_);
        asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
        co_await timer.async_wait(asio::use_awaitable);
        co_return "";
    }

    /// What Asio keeps in the user's signals holds the executor, which must not outlive its context.
    void let_go()
    {
        cancel_call_.slot().clear();
        cancel_feed_.slot().clear();
        cancel_close_.slot().clear();
    }

    /// Runs both sides until `condition`, with a watchdog.
    void pump(std::function<bool()> condition)
    {
        auto const until = std::chrono::steady_clock::now() + 20s;
        while (!condition()) {
            REQUIRE(std::chrono::steady_clock::now() < until);
            if (context_->stopped())
                context_->restart();
            context_->run_one_for(1ms);
            if (server_context_->stopped())
                server_context_->restart();
            server_context_->poll();
        }
    }

    state in_;
    std::optional<asio::io_context> server_context_;
    std::optional<testing::fake_server> server_;
    std::optional<black_hole> hole_;
    std::optional<asio::io_context> context_;
    asio::cancellation_signal cancel_call_, cancel_feed_, cancel_close_;
    int frames_ = 0;
    int token_frames_ = 0;
    int calls_done_ = 0;
    int taken_ = 0;
    std::optional<client> client_;
    std::optional<feed> feed_;
    std::optional<operation> operation_;
};

} // namespace

TEST_CASE("the shutdown matrix: every state ends in every way, and leaves nothing behind")
{
    {
        cell warm(state::reading); // what libraries open once and keep
        warm.reach();
        warm.end(ending::stop);
    }
    std::size_t const descriptors = open_descriptors();
    for (state const in : {state::idle, state::resolving, state::connecting, state::tls, state::asking_proxy,
                           state::upgrading, state::listing, state::reading, state::reading_tls, state::goodbye,
                           state::goodbye_tls, state::mailbox_full, state::backing_off, state::polling, state::grace,
                           state::asking_token, state::starting, state::following, state::waiting_for_idle}) {
        for (ending const how :
             {ending::stop, ending::close, ending::destroy, ending::cancel, ending::destroy_context}) {
            INFO(name(in) << " x " << name(how));
            cell c(in);
            c.reach();
            c.end(how);
            CHECK(open_descriptors() == descriptors);
        }
    }
}
