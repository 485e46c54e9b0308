#include "live_feed.hpp"

#include "failure.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <utility>

// What keeps the feed going, and what becomes of it where memory runs out in that.
namespace plex::detail {

/// In the frame of the coroutine that the feed cannot go on without. It notices that the coroutine has ended before
/// its work was done: by what it has thrown, or as Asio has destroyed it, which it does where an operation that it was
/// to wait for finds no memory to begin. The client has stopped where its execution context goes.
struct live_feed::lifeline {
    ~lifeline()
    {
        if (!done)
            feed.broke_off(line, owner);
    }
    live_feed& feed;
    std::uint64_t line;
    std::shared_ptr<void> owner;
    bool done = false;
};

/// Starts what keeps the feed going from here. It runs in here until it has to wait, and what it throws may come from
/// there: then it may have been started again meanwhile.
void live_feed::go_on(std::shared_ptr<void> const& owner, asio::awaitable<void> work)
{
    std::uint64_t const line = ++line_;
    try {
        asio::co_spawn(scope_.executor(), watched(owner, line, std::move(work)), asio::detached);
    } catch (...) {
        if (line_ != line)
            return;
        ++line_;
        throw;
    }
}

asio::awaitable<void> live_feed::watched(std::shared_ptr<void> owner, std::uint64_t line, asio::awaitable<void> work)
{
    lifeline mine{*this, line, std::move(owner)};
    co_await std::move(work);
    mine.done = true;
}

/// Memory has run out in what keeps the feed going: it goes on as after a loss. Where there is none for that either,
/// or has not been since the last time, it ends, rather than trying again and again.
void live_feed::broke_off(std::uint64_t line, std::shared_ptr<void> const& owner) noexcept
{
    if (line != line_ || !running_ || scope_.stopped())
        return;
    ++connection_;
    promoted_.reset();
    close_link();
    if (!std::exchange(restarting_, true)) {
        try {
            tell_what_is_left(now_instant());
            lose(*out_of_memory(), sync::setback::transient);
            go_on(owner, restart(owner));
            return;
        } catch (...) {
        }
        if (!running_ || scope_.stopped()) // by a callback
            return;
    }
    ++line_;
    give_up(out_of_memory());
}

/// In what goes on beside it: the connection is lost with it.
void live_feed::broke_off_beside(std::uint64_t connection) noexcept
{
    if (scope_.stopped() || !is_current(connection))
        return;
    try {
        if (!lost_)
            lose(*out_of_memory(), sync::setback::transient);
    } catch (std::bad_alloc const&) { // it is lost without a reason
    }
    broken_ = true;
    if (link_)
        link_->close(); // who reads it hears of that
    else
        news_.wake_all();
}

asio::awaitable<void> live_feed::restart(std::shared_ptr<void> owner)
{
    bool const goes_on = co_await leave_connection();
    restarting_ = false;
    tell_what_is_left(now_instant());
    if (goes_on)
        co_await run(std::move(owner));
}

} // namespace plex::detail
