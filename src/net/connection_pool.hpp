#pragma once

#include "net/dial.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

namespace plex::net {

struct pool_settings {
    endpoint_settings endpoint;
    std::size_t max_connections = 8;
    std::size_t max_waiting = 1024;
    std::chrono::steady_clock::duration connect_timeout = std::chrono::seconds(10);
    std::chrono::steady_clock::duration idle = std::chrono::seconds(30);
};

/// The kept connections of one client, and the queue of those who wait for one.
class connection_pool final : public stoppable, private expiry_listener
{
public:
    connection_pool(scope& s, pool_settings settings) : scope_(s), settings_(std::move(settings)) { s.add(*this); }

    /// Closes the kept connections and wakes the queue.
    void stop() noexcept override;

    /// The right to one of the connections; gives it up when destroyed, by whatever way a coroutine ends.
    class lease
    {
    public:
        lease() noexcept = default;
        explicit lease(connection_pool& pool) noexcept : pool_(&pool) { ++pool.in_use_; }
        lease(lease&& other) noexcept
            : stream(std::move(other.stream)), kept(other.kept), pool_(std::exchange(other.pool_, nullptr))
        {
        }
        lease& operator=(lease&& other) noexcept
        {
            std::swap(stream, other.stream);
            std::swap(kept, other.kept);
            std::swap(pool_, other.pool_);
            return *this;
        }
        ~lease() { release(); }

        /// The connection is clean: the next request may have it.
        void keep() noexcept;

        std::unique_ptr<byte_stream> stream;
        bool kept = false; ///< it carried a request before: the server may have closed it meanwhile

    private:
        void release() noexcept;
        connection_pool* pool_ = nullptr;
    };

    struct acquired {
        lease connection;
        error_code ec; ///< as of `dial`; `errc::limit_exceeded` when too many wait already
        /// What was being done when it failed: empty while waiting for a free connection.
        std::optional<dial_step> step;
    };
    /// A kept connection, or a new one, or a place in the queue until there is one.
    /// @param hurries in a row of requests one goes without a look at the connection: it may be sent twice, and what
    /// was said unasked may be taken for its reply
    asio::awaitable<acquired> acquire(steady_time deadline, bool hurries);
    /// A kept connection, if there is one and nobody waits; else none, to be acquired.
    lease acquire_kept(steady_time now, steady_time deadline, bool hurries);

    /// A new connection in the place of one that turned out to be dead.
    asio::awaitable<acquired> replace(lease, steady_time deadline);

    endpoint_settings const& endpoint() const noexcept { return settings_.endpoint; }

    /// How many are kept.
    std::size_t kept() const noexcept { return idle_.size(); }
    /// All that are kept.
    std::vector<std::unique_ptr<byte_stream>> take_idle();

private:
    struct idle_connection {
        std::unique_ptr<byte_stream> stream;
        steady_time since;
    };
    // In the queue. Whoever leaves it, by whatever way, may have been called: where there is room the next one is.
    struct place {
        explicit place(connection_pool& p) noexcept : pool(p) { ++pool.waiting_; }
        ~place()
        {
            --pool.waiting_;
            if (!pool.scope_.stopped() && !pool.queue_.is_waking())
                pool.call_next();
        }
        place(place const&) = delete;
        place& operator=(place const&) = delete;
        connection_pool& pool;
    };
    std::unique_ptr<byte_stream> take_kept(steady_time now, bool hurries);
    void expired(byte_stream&) noexcept override;
    void call_next() noexcept
    {
        if (has_room())
            queue_.wake_one();
    }
    bool has_room() const noexcept { return in_use_ < settings_.max_connections; }

    scope& scope_;
    pool_settings settings_;
    std::vector<idle_connection> idle_; // the last one used is the last
    std::size_t in_use_ = 0;
    wait_list queue_;
    std::size_t waiting_ = 0;
};

} // namespace plex::net
