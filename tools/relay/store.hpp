#pragma once

#include "relay/outbox.hpp"
#include "relay/redis.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plex::relay {

/// What is kept in Redis, where and how (docs/guide/relay.md has the keys): the stream, and for each server the lease,
/// the live set and what has ended lately. Each change is one script of `lua/`, so each is done whole or not at all.
class store
{
public:
    /// @param id of this relay, which no other has
    store(redis&, std::string id, std::string prefix, std::uint64_t max_length, std::chrono::milliseconds lease);

    /// Teaches Redis the scripts, after each `redis::open`. @throws redis_error
    boost::asio::awaitable<void> prepare();

    struct written {
        std::string machine; ///< of which server; empty where nothing was written of that name
        relay::records records;
    };
    /// What was written of a server. @throws redis_error
    boost::asio::awaitable<written> read(std::string server);

    /// What became of asking for a lease.
    struct lease_reply {
        enum class kind : std::uint8_t { failed, held, kept, taken };
        kind is = kind::failed;
        std::string lease; ///< taken: what it says, for `write`
        relay::records records;
        std::string why; ///< it failed, or by whom it is held
    };
    /// @param lease what ours says; empty where we have none
    void ask_lease(std::string const& server, std::string const& lease, std::string const& machine,
                   std::function<void(lease_reply)> on_reply);
    void release(std::string const& server, std::string const& lease);

    struct write_reply {
        enum class kind : std::uint8_t { lost, failed, fenced, done };
        kind is = kind::lost;     ///< or Redis says no, or the lease is not ours, or it is written
        std::int64_t written = 0; ///< the others of those given had been written before
        std::int64_t trimmed = 0; ///< off the other end of the stream
        std::string why;
    };
    void write(std::string const& server, std::string const& lease, std::string const& machine,
               std::vector<entry> const& entries, std::function<void(write_reply)> on_reply);

    /// Says that we are there, and is told who is; or nothing, and why Redis says no.
    void say_alive(std::function<void(std::optional<std::vector<std::string>>, std::string const& why)> on_reply);
    /// That we go.
    void say_gone();

    /// An end is remembered for so long, for one who tells of it late.
    static constexpr std::chrono::hours remembers_ends{1};

private:
    struct script {
        std::string_view text;
        std::string sha;
    };
    std::vector<std::string> call(script const&, std::vector<std::string> keys) const;
    std::string key(std::string_view name) const { return "{" + prefix_ + "}:" + std::string(name); }
    std::string key(std::string_view name, std::string const& server) const;

    redis& redis_;
    std::string id_;
    std::string prefix_;
    std::string max_length_;
    std::string lease_ms_;
    script lease_, write_, release_, alive_;
};

} // namespace plex::relay
