#include "plex/testing/fake_server.hpp"

#include "testing/connection.hpp"
#include "testing/recorded_line.hpp"
#include "testing/scan_recording.hpp"
#include "testing/server_state.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace plex::testing {
namespace {

using kind = feed_item::kind;

std::shared_ptr<feed_item> item(kind what, std::string text = {})
{
    auto made = std::make_shared<feed_item>(what);
    made->text = std::move(text);
    return made;
}

[[noreturn]] void not_running(std::string const& uuid)
{
    throw std::out_of_range("no activity " + uuid + " is running");
}

/// How a test waits for the server: by looking, so that the waiter's executor, its threads and its cancellation are
/// nobody's business but its own.
template <class Predicate>
asio::awaitable<void> until(std::shared_ptr<server_state> state, Predicate predicate)
{
    asio::any_io_executor const executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    for (;;) {
        {
            std::lock_guard const lock(state->mutex);
            if (predicate(*state))
                co_return;
        }
        timer.expires_after(std::chrono::microseconds(200));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

std::size_t count_listeners(server_state const& state)
{
    return static_cast<std::size_t>(std::count_if(state.listeners.begin(), state.listeners.end(),
                                                  [](auto const& known) { return known->registered && known->ready; }));
}

} // namespace

fake_server_options::fake_server_options() = default;
told_event::told_event() = default;
scan_options::scan_options() = default;

fake_server::fake_server(asio::any_io_executor executor, fake_server_options options)
    : state_(std::make_shared<server_state>(std::move(executor), std::move(options)))
{
    auto const spawn = [this](asio::awaitable<void> task) {
        asio::co_spawn(state_->strand, std::move(task), asio::detached);
    };
    spawn(accept_connections(state_));
    if (state_->options.ping_interval.count() > 0)
        spawn(send_pings(state_, kind::ping, state_->options.ping_interval));
    if (state_->options.event_stream_ping_interval.count() > 0)
        spawn(send_pings(state_, kind::event_stream_ping, state_->options.event_stream_ping_interval));
}

fake_server::~fake_server()
{
    state_->stop();
}

std::uint16_t fake_server::port() const
{
    return state_->port;
}

std::string fake_server::url() const
{
    return (state_->identity ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(state_->port) +
           state_->options.base_path;
}

std::string fake_server::machine_identifier() const
{
    return state_->machine_identifier;
}

void fake_server::stop()
{
    state_->stop();
}

// --- what the server does ---

std::string fake_server::start_activity(fake_activity activity)
{
    return state_->start(std::move(activity));
}

void fake_server::update_activity(fake_activity activity)
{
    std::string const uuid = activity.uuid;
    if (!state_->update(std::move(activity)))
        not_running(uuid);
}

void fake_server::update_activity(std::string const& uuid, std::optional<double> progress,
                                  std::optional<std::string> subtitle, std::optional<std::string> context_json)
{
    bool const known = state_->change(uuid, [&](fake_activity& activity) {
        if (progress)
            activity.progress = progress;
        if (subtitle)
            activity.subtitle = std::move(*subtitle);
        if (context_json)
            activity.context_json = std::move(*context_json);
    });
    if (!known)
        not_running(uuid);
}

void fake_server::end_activity(std::string const& uuid, std::optional<double> progress)
{
    if (!state_->end(uuid, progress))
        not_running(uuid);
}

std::vector<fake_activity> fake_server::running() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->running;
}

void fake_server::hide_from_list(std::string uuid)
{
    std::lock_guard const lock(state_->mutex);
    state_->hidden.insert(std::move(uuid));
}

void fake_server::show_in_list(std::string const& uuid)
{
    std::lock_guard const lock(state_->mutex);
    state_->hidden.erase(uuid);
}

void fake_server::announce(std::string event, fake_activity const& activity)
{
    notify("activity", "ActivityNotification", activity_notification(event, activity));
}

void fake_server::notify(std::string type, std::string key, std::string object_json)
{
    auto made = item(kind::notification, std::move(object_json));
    made->type = std::move(type);
    made->key = std::move(key);
    state_->publish(std::move(made));
}

void fake_server::notify_others()
{
    for (auto& other : other_notifications())
        state_->publish(std::make_shared<feed_item const>(std::move(other)));
}

void fake_server::notify_raw(std::string text, bool binary)
{
    auto made = item(kind::raw_message, std::move(text));
    made->binary = binary;
    state_->publish(std::move(made));
}

void fake_server::send_bytes(std::string bytes)
{
    state_->publish(item(kind::bytes, std::move(bytes)));
}

void fake_server::ping_listeners(std::string payload)
{
    state_->publish(item(kind::ping, std::move(payload)));
    state_->publish(item(kind::event_stream_ping));
}

asio::awaitable<void> fake_server::play_scan(scan_options options)
{
    return play_recording(state_, std::move(options));
}

asio::awaitable<void> fake_server::play(recording session, double speed)
{
    return play_session(state_, std::move(session), speed);
}

asio::awaitable<void> fake_server::flushed() const
{
    return until(state_, [](server_state const& state) {
        return std::all_of(state.listeners.begin(), state.listeners.end(),
                           [](auto const& known) { return known->idle || known->frozen; });
    });
}

// --- what has happened ---

std::vector<seen_request> fake_server::requests() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->requests;
}

std::vector<told_event> fake_server::truth() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->truth;
}

void fake_server::forget_records()
{
    std::lock_guard const lock(state_->mutex);
    state_->requests.clear();
    state_->truth.clear();
}

server_counters fake_server::counters() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->counters;
}

std::size_t fake_server::listeners() const
{
    std::lock_guard const lock(state_->mutex);
    return count_listeners(*state_);
}

asio::awaitable<void> fake_server::listeners_reached(std::size_t count) const
{
    return until(state_, [count](server_state const& state) { return count_listeners(state) >= count; });
}

asio::awaitable<void> fake_server::requests_reached(std::string match, std::size_t count) const
{
    return until(state_, [match = std::move(match), count](server_state const& state) {
        auto const found = std::count_if(state.requests.begin(), state.requests.end(), [&](auto const& request) {
            return matches(match, request.method, request.path);
        });
        return static_cast<std::size_t>(found) >= count;
    });
}

asio::awaitable<void> fake_server::held_reached(std::string match, std::size_t count) const
{
    return until(state_, [match = std::move(match), count](server_state const& state) {
        return state.script.held(match) >= count;
    });
}

asio::awaitable<void> fake_server::pings_reached(std::size_t count) const
{
    return until(state_, [count](server_state const& state) { return state.counters.pings_received >= count; });
}

asio::awaitable<void> fake_server::connections_open_fell_to(std::size_t count) const
{
    return until(state_, [count](server_state const& state) { return state.counters.connections_open <= count; });
}

} // namespace plex::testing
