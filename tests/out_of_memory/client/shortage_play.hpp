#pragma once

#include "served_elsewhere.hpp"

#include "integration/feed_judge.hpp"

#include <plex/activities.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plex::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;

using clock_type = std::chrono::steady_clock;

struct shortage_of {
    std::size_t first;
    std::size_t count; // that fail
};

inline bool is_want_of_memory(error_code ec)
{
    return ec == boost::system::errc::not_enough_memory;
}

/// What one subscriber was told, and how it ended.
struct listener {
    void hear(activity_event const& e)
    {
        testing::spared const mine;
        story.push_back(e);
    }
    void hear_end(error_code ec)
    {
        ended = true;
        why = ec;
    }
    bool has_told(std::string const& uuid) const
    {
        return std::any_of(story.begin(), story.end(),
                           [&](activity_event const& e) { return e.activity.uuid() == uuid; });
    }
    bool has_told_all_ends() const
    {
        std::set<std::string_view> running;
        for (activity_event const& e : story) {
            if (e.kind == event_kind::ended)
                running.erase(e.activity.uuid());
            else
                running.insert(e.activity.uuid());
        }
        return running.empty();
    }
    /// Of one that has ended before its time: nothing impossible.
    std::string impossible() const
    {
        std::set<std::string_view> running;
        for (activity_event const& e : story) {
            std::string_view const uuid = e.activity.uuid();
            if ((e.kind == event_kind::started) == running.contains(uuid))
                return std::string(uuid) + " was told in no order";
            if (e.kind == event_kind::ended)
                running.erase(uuid);
            else
                running.insert(uuid);
        }
        return {};
    }

    std::vector<activity_event> story;
    bool ended = false;
    error_code why;
};

/// Counts the coroutines of a test that are over, by whatever way: also where Asio destroys one whose wait finds no
/// memory to begin.
struct underway {
    explicit underway(int& n) noexcept : count(n) { ++count; }
    ~underway() { --count; }
    underway(underway const&) = delete;
    underway& operator=(underway const&) = delete;
    int& count;
};

/// A client with feeds, an operation, a wait and calls, whose thread runs out of memory for a while. The server's own
/// record judges what it is told.
class play
{
public:
    play(transport over, shortage_of s) : shortage_(s)
    {
        testing::fake_server_options options;
        options.call_duration = 20ms;
        options.event_stream_ping_interval = 50ms;
        options.other_notifications = false;
        server_.emplace(options);
        settings_.url = server_->url();
        settings_.transport = over;
        settings_.max_connections = 2;
        settings_.appear_timeout = 300ms;
        settings_.connect_timeout = 5s;
        settings_.request_timeout = 5s;
        settings_.ping_after = 100ms;
        settings_.conflate_after = 8;
        settings_.token_function = []() -> asio::awaitable<std::string> {
            std::string token = "a-token-that-is-too-long-for-a-short-string";
            co_return token;
        };
    }

    /// What is wrong; empty when nothing is.
    std::string run()
    {
        client_.emplace(io_.get_executor(), settings_);
        client_->on_connection_change([this](connection_status const& now) {
            testing::spared const mine;
            hear(now);
        });
        std::atomic<bool> over = false;
        asio::co_spawn(server_->io(), work(over), asio::detached);

        testing::fail_allocations(shortage_.first, shortage_.count);
        begin();
        bool const worked = pump([&] { return over.load(); });
        allocations_ = testing::allocations();
        struck_ = testing::allocation_failed();
        testing::fail_allocation(0, false);
        if (!worked)
            return "the server does not come to an end";
        if (std::string const late = settle(); !late.empty())
            return wrong_.empty() ? late : wrong_;
        return verdict();
    }

    bool struck() const { return struck_; }
    std::size_t allocations() const { return allocations_; }
    std::size_t ended() const { return ended_; }
    std::size_t judged() const { return judge_.judged(); }
    std::size_t excused() const { return judge_.excused(); }
    std::uint64_t reconnects() const { return reconnects_; }

private:
    template <class Condition>
    bool pump(Condition until, std::chrono::seconds watchdog = 60s)
    {
        auto const limit = clock_type::now() + watchdog;
        while (!until() && clock_type::now() < limit) {
            try {
                if (io_.stopped())
                    io_.restart();
                if (io_.poll_one() == 0) {
                    note_turn();
                    io_.run_one_for(10ms);
                }
            } catch (std::bad_alloc const&) { // of an operation that Asio could not begin
            }
            if (testing::allocation_failed() && !joined_)
                join();
        }
        return until();
    }
    void note_turn()
    {
        testing::spared const mine;
        judge_.turned();
    }

    /// Somebody comes while others have yet to hear of what ran out of memory half-way: he is told it once.
    void join()
    {
        testing::spared const mine;
        joined_.emplace(client_->subscribe());
        asio::co_spawn(client_->get_executor(), read(*joined_, newcomer_), asio::detached);
    }

    // the server's side

    asio::awaitable<void> work(std::atomic<bool>& over)
    {
        testing::fake_server& s = server_->server();
        asio::steady_timer timer(server_->io());
        s.start_activity(named("before"));
        for (int i = 0; i != 12; ++i) {
            auto const begun = clock_type::now();
            std::string const uuid = "a life among others, number " + std::to_string(i);
            s.start_activity(named(uuid));
            for (int j = 0; j != 4; ++j)
                s.update_activity(uuid, 10.0 * j, "a file whose name is too long for a short string " + uuid);
            timer.expires_after(5ms);
            co_await timer.async_wait(asio::use_awaitable);
            if (auto const now = clock_type::now(); now - begun > 50ms)
                starved_.push_back({begun, now});
            if (i % 4 != 3)
                s.end_activity(uuid);
        }
        for (int i = 3; i < 12; i += 4)
            s.end_activity("a life among others, number " + std::to_string(i));
        s.end_activity("before");
        over = true;
    }
    /// What the server said while a busy machine let its thread stand may have gone out only when it stood no more.
    void went_out(testing::told_event& said) const
    {
        for (auto const& [from, to] : starved_)
            if (said.event != "ended" && said.at >= from && said.at < to)
                said.at = to;
    }
    static testing::fake_activity named(std::string uuid)
    {
        testing::fake_activity a("library.update.section", "A title that is too long for a short string");
        a.uuid = std::move(uuid);
        a.context_json = R"({"librarySectionID":"3","accessible":true,"exists":true,"refreshed":false})";
        return a;
    }

    // the client's

    /// What finds no memory to begin is begun anew with some.
    template <class F>
    void try_hard(F f)
    {
        try {
            f();
        } catch (std::bad_alloc const&) {
            testing::spared const plenty;
            f();
        }
    }
    void begin()
    {
        asio::any_io_executor const home = client_->get_executor();
        try_hard([&] { feed_ = client_->subscribe(); });
        try_hard([&] { filtered_ = client_->subscribe(filter().type("library.update.section")); });
        try_hard([&] {
            subscription_ = client_->subscribe(
                filter(), [this](activity_event const& e) { called_.hear(e); },
                [this](error_code ec, diagnostics const&) { called_.hear_end(ec); });
        });
        testing::spared const mine;
        for (auto [from, to] : {std::pair(&feed_, &awaited_), std::pair(&filtered_, &chosen_)})
            asio::co_spawn(home, read(*from, *to), asio::detached);
        asio::co_spawn(home, operate(), asio::detached);
        asio::co_spawn(home, wait_until_idle(), asio::detached);
        for (int i = 0; i != 6; ++i)
            asio::co_spawn(home, call(5), asio::detached);
    }

    asio::awaitable<void> read(feed& from, listener& to)
    {
        try {
            while (std::optional<activity_event> const event = co_await from.next())
                to.hear(*event);
        } catch (error const& e) {
            to.hear_end(e.code());
        }
    }
    asio::awaitable<void> operate()
    {
        underway const here(underway_);
        try {
            operation o = co_await client_->start(scan_section(3), 20s);
            while (std::optional<activity_event> const event = co_await o.next(20s))
                ;
            outcome const how = co_await o.result(20s);
            if (how.kind == outcome_kind::ended && how.activity.uuid().empty())
                wrong_ = "an operation ended without an activity";
        } catch (error const& e) {
            allow("an operation", e);
        } catch (std::bad_alloc const&) {
        }
    }
    asio::awaitable<void> wait_until_idle()
    {
        underway const here(underway_);
        try {
            co_await client_->wait_until_idle(filter().type("nothing.of.the.kind"), 0s, 20s);
        } catch (error const& e) {
            allow("a wait", e);
        } catch (std::bad_alloc const&) {
        }
    }
    asio::awaitable<void> call(int times)
    {
        underway const here(underway_);
        for (int i = 0; i != times; ++i) {
            try {
                std::vector<activity> const list = co_await client_->get_server_activities();
            } catch (error const& e) {
                allow("a call", e);
            } catch (std::bad_alloc const&) {
            }
        }
    }
    void allow(std::string const& what, error const& e)
    {
        testing::spared const mine;
        if (!testing::allocation_failed())
            wrong_ = what + " fails, with memory: " + e.what();
        else if (e.code() == errc::unauthorized)
            wrong_ = what + " takes want of memory for a refusal: " + e.what();
    }

    void hear(connection_status const& now)
    {
        if (now.state == connection_state::connected)
            connected_at_ = clock_type::now();
        else if (now.state == connection_state::interrupted)
            judge_.gap_began();
        else if (now.state == connection_state::reconciled && now.transport != transport::polling)
            judge_.gap_ended(connected_at_); // polling sees states, not events: what lives between two may be missed
    }

    bool is_content(listener const& l, std::string const& last) const
    {
        bool const polling = client_->connection().transport == transport::polling;
        return l.ended || ((polling || l.has_told(last)) && l.has_told_all_ends());
    }

    /// Memory is there again: everybody hears of the end of all, or has ended.
    std::string settle()
    {
        auto const limit = clock_type::now() + 60s;
        for (int i = 0; clock_type::now() < limit; ++i) { // and again, as it may fall into a gap
            std::string const last = "last" + std::to_string(i);
            server_->tell([&](testing::fake_server& s) {
                s.start_activity(named(last));
                s.end_activity(last);
            });
            auto const content = [&] {
                return is_content(awaited_, last) && is_content(chosen_, last) && is_content(called_, last) &&
                       (!joined_ || is_content(newcomer_, last)) && underway_ == 0;
            };
            auto const soon = clock_type::now() + 300ms;
            pump([&] { return content() || clock_type::now() > soon; });
            if (content())
                return {};
        }
        return "not told: " + std::string(awaited_.ended ? "" : "feed ") + (chosen_.ended ? "" : "filtered ") +
               (called_.ended ? "" : "callback ") + std::to_string(underway_) + " under way, " +
               std::string(to_string(client_->connection().state)) + ", " +
               std::to_string(client_->running().activities.size()) + " known to run; " +
               client_->connection().diagnostics.message() + ": " + client_->connection().last_error.message();
    }

    std::string verdict()
    {
        reconnects_ = client_->counters().reconnects;
        if (!wrong_.empty())
            return wrong_;
        judge_.gap_ended(clock_type::time_point::max());
        judge_.happened(server_->tell([this](testing::fake_server& s) {
            std::vector<testing::told_event> truth = s.truth();
            for (testing::told_event& e : truth)
                went_out(e);
            return truth;
        }));
        for (auto const& [l, name] : {std::pair(&awaited_, "feed: "), std::pair(&chosen_, "filtered feed: "),
                                      std::pair(&called_, "callback: ")}) {
            if (l->ended && !is_want_of_memory(l->why))
                return std::string(name) + "ended with " + l->why.message();
            if (l->ended && !struck_)
                return std::string(name) + "ended with memory";
            ended_ += l->ended ? 1 : 0;
            std::string const bad = l->ended ? l->impossible() : judge_.verdict(l->story, client_->counters().revived);
            if (!bad.empty())
                return name + bad;
        }
        if (std::string const bad = newcomer_.impossible(); !bad.empty())
            return "newcomer: " + bad;
        // Every connection is free, and nobody is forgotten.
        for (int i = 0; i != 3; ++i)
            asio::co_spawn(client_->get_executor(), call_well(), asio::detached);
        if (!pump([&] { return good_calls_ == 3; }, 10s))
            return "calls wait for connections that are lost";
        // Whoever subscribes now is served.
        feed fresh = client_->subscribe();
        listener late;
        asio::co_spawn(client_->get_executor(), read(fresh, late), asio::detached);
        server_->tell([](testing::fake_server& s) { s.start_activity(named("for the late")); });
        bool const served = pump([&] { return late.has_told("for the late"); });
        fresh.stop();
        bool closed = false;
        asio::co_spawn(client_->get_executor(), client_->close(1s), [&](std::exception_ptr) { closed = true; });
        bool const did_close = pump([&] { return closed; });
        pump([&, turns = 0]() mutable { return ++turns > 3; });
        return !served ? "who subscribes afterwards is not served" : did_close ? "" : "it does not close";
    }
    asio::awaitable<void> call_well()
    {
        std::vector<activity> const list = co_await client_->get_server_activities();
        ++good_calls_;
    }

    shortage_of const shortage_;
    std::vector<std::pair<clock_type::time_point, clock_type::time_point>> starved_; // of the server's thread alone
    std::optional<served_elsewhere> server_;
    config settings_;
    asio::io_context io_;
    std::optional<client> client_;
    feed feed_, filtered_;
    std::optional<feed> joined_;
    subscription subscription_;
    listener awaited_, chosen_, called_, newcomer_;
    feed_judge judge_;
    clock_type::time_point connected_at_ = clock_type::time_point::min();
    int underway_ = 0;
    int good_calls_ = 0;
    std::string wrong_;
    bool struck_ = false;
    std::size_t allocations_ = 0;
    std::size_t ended_ = 0;
    std::uint64_t reconnects_ = 0;
};

} // namespace plex::test
