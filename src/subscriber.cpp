#include "subscriber.hpp"

#include "live_feed.hpp"

#include <boost/asio/post.hpp>

#include <exception>

namespace plex::detail {

void subscriber::stop() noexcept
{
    if (stopped)
        return;
    stopped = true;
    waiting.wake_all();
    leave();
}

void subscriber::leave() noexcept
{
    if (source->feed)
        source->feed->unsubscribe(*this);
}

void subscriber::end(error e)
{
    if (stopped || failure)
        return;
    failure = std::move(e);
    notify();
}

void subscriber::notify()
{
    if (on_event)
        call_back();
    else
        waiting.wake_all();
}

std::optional<error> subscriber::take_failure()
{
    if (stopped || told_failure || !box.empty())
        return std::nullopt;
    if (box.overflowed() && !failure)
        failure = error(errc::subscriber_overflow, "taking a feed's events: they came faster than they were taken");
    if (failure) {
        told_failure = true;
        leave();
    }
    return failure;
}

void subscriber::call_back()
{
    auto const keep = shared_from_this(); // a callback may destroy its subscription
    try {
        while (!stopped) {
            std::optional<activity_event> const event = box.take();
            if (!event)
                break;
            on_event(*event);
        }
        if (std::optional<error> const failed = take_failure(); failed && on_end)
            on_end(failed->code(), failed->diagnostics());
    } catch (...) {
        // Whose fault it is must hear of it, the other subscribers must not: so it leaves run() from a handler of its
        // own.
        stop();
        asio::post(source->executor, [e = std::current_exception()] { std::rethrow_exception(e); });
    }
}

} // namespace plex::detail
