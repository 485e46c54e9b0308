#pragma once

#include "relay/followed_server.hpp"
#include "relay/redis.hpp"
#include "relay/relay_metrics.hpp"
#include "relay/relay_settings.hpp"
#include "relay/store.hpp"
#include "services/metrics.hpp"
#include "services/status_site.hpp"
#include "services/watched_servers.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plex::relay {

/// The service: of the configured servers those that fall to this relay, into Redis.
///
/// Which relays there are is kept in Redis; from that each finds out by itself which servers are its own to follow
/// (`placement.hpp`), and the lease decides who writes (`followed_server.hpp`).
class relay
{
public:
    /// @param io run by one thread
    /// @param followers relays that follow each server
    relay(boost::asio::io_context& io, std::string config_path, std::size_t followers);
    ~relay();

    /// @throws service::config_error, std::runtime_error where it cannot listen
    void start();
    /// Reads the configuration anew. @throws service::config_error and nothing has changed
    void reload();
    /// For `systemctl status`.
    std::string status() const;
    boost::asio::awaitable<void> stop();

private:
    using clock = std::chrono::steady_clock;
    using server_ptr = std::shared_ptr<followed_server>;

    boost::asio::awaitable<void> keep_redis();
    boost::asio::awaitable<bool> open_redis();
    void tick();
    void tell_figures();
    void place();
    void begin_some();
    /// @param machine that answers for it; empty where that is not known
    boost::asio::awaitable<void> begin(std::string name, std::string machine);
    void end(std::string const& name);
    void watch();
    void ask_identity(server_ptr const&);
    boost::asio::awaitable<void> identify(server_ptr);
    void flush_soon(server_ptr const&);
    clock::duration beat() const;
    relay_metrics::figures figures() const;
    std::string ails() const;
    service::server_settings const* configured(std::string_view name) const;

    std::string config_path_;
    std::size_t followers_;
    boost::asio::any_io_executor executor_;
    std::string id_;
    relay_settings settings_;
    std::map<std::string, service::server_settings, std::less<>> configured_; // by name
    redis redis_;
    std::optional<store> store_;
    service::metrics metrics_;
    relay_metrics own_metrics_;
    service::watched_servers watched_;
    std::optional<service::status_site> site_;
    written_counts counts_;
    std::string refusal_; // of Redis, that we are there
    std::string told_refusal_;
    std::uint64_t told_trimmed_ = 0;
    clock::time_point told_trimmed_at_ = clock::now() - std::chrono::minutes(1);

    std::vector<std::string> relays_; // that are alive, as Redis has them
    std::map<std::string, server_ptr, std::less<>> followed_;
    std::deque<std::string> to_begin_;
    std::vector<server_ptr> to_flush_;
    boost::asio::steady_timer next_tick_;
    boost::asio::steady_timer next_begin_;
    boost::asio::steady_timer next_figures_;
    boost::asio::steady_timer redis_changed_;
    bool redis_is_ready_ = false; // it is open, and knows the scripts
    bool redis_was_ready_ = false;
    bool others_may_come_back_ = false; // to Redis, where we are the first
    bool stopping_ = false;
};

} // namespace plex::relay
