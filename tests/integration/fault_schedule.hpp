#pragma once

#include "feed_fixture.hpp"
#include "feed_judge.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <memory>
#include <random>
#include <set>

namespace plex::test {

/// A server that lives through a few seconds of work and faults, a client with a prompt and a slow subscriber, and the
/// judge of what they are told. Many of them run side by side on one `io_context`.
class fault_schedule
{
public:
    explicit fault_schedule(asio::io_context& io, testing::fake_server_options options = {})
        : io_(io), options_(std::move(options))
    {
        options_.event_stream_ping_interval = 100ms;
        server_.emplace(io.get_executor(), options_);
        options_.port = server_->port();
        settings.url = server_->url();
        settings.ping_after = 500ms;
        settings.idle_limit = 2500ms;
        settings.connect_timeout = 2500ms;
        settings.conflate_after = 4;
    }

    /// From subscribing to the last event. `events` is what happens meanwhile.
    asio::awaitable<void> play(asio::awaitable<void> events)
    {
        client_.emplace(io_.get_executor(), settings);
        client_->on_connection_change([this](connection_status const& now) { hear(now); });
        prompt_ = client_->subscribe();
        slow_ = client_->subscribe();
        asio::co_spawn(client_->get_executor(), read(prompt_, prompt_story_, 0ms), asio::detached);
        asio::co_spawn(client_->get_executor(), read(slow_, slow_story_, 150ms), asio::detached);
        asio::co_spawn(io_, count_turns(alive_), asio::detached);
        co_await std::move(events);
        co_await settle();
        judge.gap_ended(std::chrono::steady_clock::time_point::max());
        judge.happened(server_->truth());
        finding_ = judge.verdict(prompt_story_, client_->counters().revived);
        if (finding_.empty())
            finding_ = judge.verdict(slow_story_, client_->counters().revived);
        co_await client_->close(500ms);
        server_->stop();
        over_ = true;
    }

    /// The same with a scan, beside what runs already.
    asio::awaitable<void> play_scan()
    {
        server_->start_activity(activity_named("before"));
        auto events = scan();
        co_await play(std::move(events));
    }

    testing::fake_server& server() { return *server_; }
    client& connected() { return *client_; }
    /// Gone and back at once, on the same port, with nothing running.
    void restart()
    {
        judge.gap_began();
        judge.happened(server_->truth());
        judge.restarted();
        server_->stop();
        server_.reset();
        server_.emplace(io_.get_executor(), options_);
        running_.clear();
    }

    // the server's work

    void start()
    {
        std::string const uuid = "u" + std::to_string(++named_);
        server_->start_activity(activity_named(uuid));
        running_.push_back(uuid);
    }
    void update(std::size_t which)
    {
        if (!running_.empty())
            server_->update_activity(running_[which % running_.size()], ++progress_ % 100);
    }
    void end(std::size_t which)
    {
        if (running_.empty())
            return;
        auto const it = running_.begin() + static_cast<std::ptrdiff_t>(which % running_.size());
        server_->end_activity(*it);
        running_.erase(it);
    }

    /// Empty once it has ended well.
    std::string finding() const
    {
        if (over_)
            return finding_;
        std::string text = "not over: " + std::string(to_string(last_state_)) + " over " +
                           std::string(to_string(client_->connection().transport)) +
                           (judge.in_gap() ? ", in a gap" : "") + ", revived " +
                           std::to_string(client_->counters().revived) + ", runs";
        for (activity const& a : client_->running().activities)
            text += " " + std::string(a.uuid());
        return text;
    }
    std::uint64_t reconnects() const { return client_->counters().reconnects; }
    /// How often the connection, or a list, has told of a failure.
    std::size_t failures() const { return failures_; }
    /// Whether the client has noticed that something was wrong.
    bool felt() const { return reconnects() > 0 || failures() > 0; }

    config settings;
    feed_judge judge;

private:
    asio::awaitable<void> scan()
    {
        asio::steady_timer timer(io_);
        co_await server_->requests_reached("/:/", 1);
        for (int i = 0; i < 20; ++i) {
            start();
            update(static_cast<std::size_t>(i));
            timer.expires_after(20ms);
            co_await timer.async_wait(asio::use_awaitable);
            if (i % 3 == 2)
                end(0);
        }
        server_->end_activity("before");
    }

    void hear(connection_status const& now)
    {
        last_state_ = now.state;
        failures_ += now.last_error ? 1 : 0;
        if (now.state == connection_state::connected)
            connected_at_ = std::chrono::steady_clock::now();
        else if (now.state == connection_state::interrupted)
            judge.gap_began_if_none_since(connected_at_);
        else if (now.state == connection_state::reconciled && now.transport != transport::polling &&
                 !judge.may_be_hit(connected_at_))
            judge.gap_ended(connected_at_); // polling sees states, not events: what lives between two may be missed
    }

    asio::awaitable<void> count_turns(std::weak_ptr<void> alive)
    {
        asio::steady_timer timer(io_);
        while (!alive.expired() && !over_) {
            judge.turned();
            timer.expires_after(10ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    asio::awaitable<void> read(feed& from, std::vector<activity_event>& into, std::chrono::milliseconds pause)
    {
        asio::steady_timer timer(io_);
        while (std::optional<activity_event> event = co_await from.next()) {
            // What is heard shows that the connection works, where that is not sure.
            connection_status const now = client_->connection();
            if (&from == &prompt_ && !event->inferred && now.state == connection_state::reconciled &&
                now.transport != transport::polling)
                judge.gap_ended(connected_at_);
            into.push_back(std::move(*event));
            if (pause == 0ms)
                continue;
            timer.expires_after(pause);
            co_await timer.async_wait(asio::use_awaitable);
            pause = pause / 2; // so that it catches up
        }
    }

    /// Everything ends, and everybody has heard of it: of something that began and ended later, and of the ends of all.
    asio::awaitable<void> settle()
    {
        while (!running_.empty())
            end(0);
        asio::steady_timer timer(io_);
        for (int i = 0;; ++i) { // and again, as it may fall into a gap
            std::string const last = "last" + std::to_string(i);
            server_->start_activity(activity_named(last));
            timer.expires_after(100ms);
            co_await timer.async_wait(asio::use_awaitable);
            server_->end_activity(last);
            timer.expires_after(300ms);
            co_await timer.async_wait(asio::use_awaitable);
            if (client_->connection().state == connection_state::ended)
                co_return; // the verdict tells what is missing
            bool const polling = client_->connection().transport == transport::polling;
            bool const heard = polling || (!judge.in_gap() && told(prompt_story_, last) && told(slow_story_, last));
            if (heard && client_->connection().state == connection_state::reconciled &&
                client_->running().activities.empty() && ended(prompt_story_) && ended(slow_story_))
                co_return;
        }
    }
    static bool told(std::vector<activity_event> const& story, std::string const& uuid)
    {
        return std::any_of(story.begin(), story.end(),
                           [&](activity_event const& e) { return e.activity.uuid() == uuid; });
    }
    static bool ended(std::vector<activity_event> const& story)
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

    asio::io_context& io_;
    testing::fake_server_options options_;
    std::optional<testing::fake_server> server_;
    std::optional<client> client_;
    feed prompt_, slow_;
    std::vector<activity_event> prompt_story_, slow_story_;
    std::vector<std::string> running_;
    int named_ = 0;
    int progress_ = 0;
    std::size_t failures_ = 0;
    connection_state last_state_ = connection_state::idle;
    std::chrono::steady_clock::time_point connected_at_ = std::chrono::steady_clock::time_point::min();
    std::string finding_;
    bool over_ = false;
    std::shared_ptr<void> const alive_ = std::make_shared<char>(); // for the loop, which may live on
};

/// Each one's `run()`, side by side until all are over, with a watchdog.
template <class T>
void run_all(asio::io_context& io, std::vector<std::unique_ptr<T>> const& all, std::chrono::seconds limit)
{
    std::size_t over = 0;
    for (auto const& one : all)
        asio::co_spawn(io, one->run(), [&over](std::exception_ptr e) {
            ++over;
            if (e)
                std::rethrow_exception(e);
        });
    auto const until = std::chrono::steady_clock::now() + limit;
    while (over != all.size() && std::chrono::steady_clock::now() < until)
        io.run_one_for(1s);
}

} // namespace plex::test
