#pragma once

#include "calls.hpp"
#include "net/websocket_link.hpp"
#include "protocol/decoder.hpp"
#include "subscriber.hpp"
#include "sync/backoff.hpp"
#include "sync/ledger.hpp"

#include <plex/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace plex::detail {

inline sync::instant now_instant()
{
    return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
}

/// The one live connection of a client and everybody who listens to it: bytes -> frames -> notifications -> ledger ->
/// mailboxes. It is open while somebody is interested.
class live_feed final : public net::stoppable
{
public:
    live_feed(net::scope&, calls&, config const&);
    ~live_feed();

    /// @param owner kept alive by the coroutines that this starts
    std::shared_ptr<subscriber> subscribe(std::shared_ptr<void> owner, filter, std::vector<activity> known,
                                          event_function, end_function);
    void unsubscribe(subscriber&) noexcept;

    asio::awaitable<void> ready(std::shared_ptr<void> owner, net::steady_time deadline);
    running_activities running() const;
    connection_status const& status() const noexcept { return status_; }
    void on_change(std::function<void(connection_status const&)> f) { on_change_ = std::move(f); }
    /// Adds what the feed has counted.
    void count(counters&) const;

    void stop() noexcept override;
    /// The execution context goes.
    void release() noexcept;
    /// Sends a close frame and waits for the peer's.
    asio::awaitable<void> say_goodbye(net::steady_time deadline);

private:
    struct interest;

    void open(std::shared_ptr<void> const& owner);
    bool wanted() const noexcept
    {
        return !scope_.stopped() && !closing_ && (!subscribers_.empty() || interested_ != 0);
    }
    void disconnect_if_unwanted() noexcept;

    asio::awaitable<void> run(std::shared_ptr<void> owner);
    asio::awaitable<error> one_connection(std::shared_ptr<void> owner);
    asio::awaitable<std::shared_ptr<net::websocket_link>> connect();
    asio::awaitable<error> read(std::shared_ptr<net::websocket_link>);
    net::websocket_link::end read_once(net::websocket_link&, sync::instant now);
    asio::awaitable<void> take_snapshots(std::shared_ptr<void> owner, std::shared_ptr<net::websocket_link>);
    asio::awaitable<bool> take_snapshot(std::shared_ptr<net::websocket_link>, bool closes_gap);

    void heard(std::span<char> message, sync::instant now);
    void distribute(); ///< into the mailboxes
    void notify();     ///< whoever has news
    void change(connection_state);
    bool is_current(net::websocket_link const& l) const noexcept { return link_.get() == &l; }

    net::scope& scope_;
    calls& calls_;
    config const& settings_;
    std::shared_ptr<subscription_source> source_;
    std::vector<std::shared_ptr<subscriber>> subscribers_;
    std::size_t interested_ = 0; // beside the subscribers: who waits for `ready`
    bool running_ = false;
    bool closing_ = false; // saying goodbye

    sync::ledger ledger_;
    protocol::decoder decoder_;
    protocol::decoder decoder_list_;
    std::vector<sync::mail> outgoing_;
    std::vector<std::shared_ptr<subscriber>> round_;
    std::shared_ptr<net::websocket_link> link_;
    std::optional<error> snapshot_failure_;

    net::wait_list snapshot_news_;
    net::wait_list status_news_;
    connection_status status_;
    std::function<void(connection_status const&)> on_change_;
    counters counts_;
    std::optional<net::steady_time> last_snapshot_;
};

} // namespace plex::detail
