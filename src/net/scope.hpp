#pragma once

#include "net/wait_list.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/intrusive/list.hpp>

#include <cstdint>

namespace plex::net {

/// Something under way that `scope::stop` must end.
class stoppable : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>
{
public:
    virtual void stop() noexcept = 0;

protected:
    stoppable() = default;
    stoppable(stoppable const&) = delete;
    stoppable& operator=(stoppable const&) = delete;
    ~stoppable() = default;
};

/// The network work of one client: where it runs, and what is to be ended with it.
class scope
{
public:
    /// @param io of sockets: the one that `executor` is a strand over, or the same
    scope(asio::any_io_executor executor, asio::any_io_executor io) : executor_(std::move(executor)), io_(std::move(io))
    {
    }
    explicit scope(asio::any_io_executor executor) : scope(executor, executor) {}

    asio::any_io_executor const& executor() const noexcept { return executor_; }
    /// For sockets whose every handler has `executor()` for its own, as coroutines there have: an operation on a socket
    /// that had the strand itself would go through it twice.
    asio::any_io_executor const& io_executor() const noexcept { return io_; }
    bool stopped() const noexcept { return stopped_; }
    void add(stoppable& s) noexcept { running_.push_back(s); }

    /// Whoever waits for what was stopped finds `stopped()` true.
    void stop() noexcept
    {
        stopped_ = true;
        while (!running_.empty()) {
            stoppable& s = running_.front();
            running_.pop_front();
            s.stop();
        }
    }
    /// The execution context goes: nothing of it may be held any longer.
    void release() noexcept
    {
        stop();
        executor_ = io_ = asio::any_io_executor();
    }

    std::uint64_t connections = 0; ///< opened so far

private:
    asio::any_io_executor executor_;
    asio::any_io_executor io_;
    boost::intrusive::list<stoppable, boost::intrusive::constant_time_size<false>> running_;
    bool stopped_ = false;
};

} // namespace plex::net
