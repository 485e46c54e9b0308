#pragma once
#include "plex/testing/fake_server.hpp"
#include "testing/fault_script.hpp"
#include "testing/listener.hpp"
#include "testing/notification.hpp"
#include "testing/wire.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace plex::testing {

/// What the server's user, its connections and its listeners share. What they know is under the mutex, so that a
/// call from any thread has its effect at once; sockets and timers belong on the strand.
struct server_state : std::enable_shared_from_this<server_state> {
    server_state(asio::any_io_executor executor, fake_server_options wanted);

    fake_server_options const options;
    std::string const machine_identifier = random_uuid();
    asio::any_io_executor const strand;
    std::shared_ptr<socket_registry> const registry = std::make_shared<socket_registry>();
    std::shared_ptr<tls_identity> const identity;
    asio::ip::tcp::acceptor acceptor;
    std::uint16_t port = 0;

    mutable std::mutex mutex;
    bool stopped = false;
    std::string token;
    std::vector<fake_activity> running;
    std::set<std::string, std::less<>> hidden;
    fault_script script;
    std::size_t connections_to_stall = 0;
    std::size_t connections_to_refuse = 0;
    std::vector<std::shared_ptr<listener>> listeners;
    bool late_registration = false;
    /// Empty while late registration waits for the test.
    std::optional<std::chrono::steady_clock::duration> registration_delay;
    bool feed_held = false;
    std::vector<std::shared_ptr<feed_item const>> held_items;
    std::vector<seen_request> requests;
    std::vector<told_event> truth;
    server_counters counters;
    std::size_t lists_told = 0;

    // Each of these locks.
    std::string start(fake_activity activity);
    /// False if it does not run.
    bool update(fake_activity activity);
    bool change(std::string const& uuid, std::function<void(fake_activity&)> const& change_it);
    bool end(std::string const& uuid, std::optional<double> progress);
    std::optional<fake_activity> find(std::string_view uuid) const;
    std::string list(bool json);
    void publish(std::shared_ptr<feed_item const> item);
    void add(std::shared_ptr<listener> added);
    void remove(listener const& removed);
    void drop_listeners(abrupt how);
    bool is_stopped() const;
    void stop();

    /// The same while the mutex is held.
    void publish_locked(std::shared_ptr<feed_item const> item);
    void queue_locked(listener& target, std::shared_ptr<feed_item const> item);
    void record_locked(char const* event, fake_activity const& activity);
    void tell_locked(char const* event, fake_activity const& activity);
    std::vector<fake_activity>::iterator find_locked(std::string_view uuid);

    // On the strand.
    /// Returns early only if the server stops.
    asio::awaitable<void> sleep(std::chrono::steady_clock::duration time);
    asio::awaitable<void> wait_for_release(std::shared_ptr<held_request> held);
    void wake_sleepers();

private:
    void pump_dirty();

    /// Listeners with something new in their queues, for the handler that is on its way to them; under the mutex.
    std::vector<std::shared_ptr<listener>> dirty_;
    bool pump_posted_ = false;
    std::set<asio::steady_timer*> sleepers_;
};

/// Sends each listener that is due a sign of life at regular times, until the server stops.
asio::awaitable<void> send_pings(std::shared_ptr<server_state> state, feed_item::kind what,
                                 std::chrono::steady_clock::duration interval);

} // namespace plex::testing
