#include "subscriber.hpp"

#include "live_feed.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

namespace plex::detail {

void subscriber::stop() noexcept
{
    if (stopped)
        return;
    stopped = true;
    waiting.wake();
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
    failure = std::make_unique<error const>(std::move(e));
    notify();
}

/// What is pending comes first, and what is remembered from an earlier process may yet be told to have ended.
bool subscriber::goes_round_mailbox() noexcept
{
    direct_ = on_event && box.empty() && !box.overflowed() && !box.remembers();
    return direct_;
}

void subscriber::receive(std::span<sync::mail const> batch)
{
    if (!goes_round_mailbox())
        box.post(batch);
}

void subscriber::receive_last(std::span<sync::mail> batch)
{
    if (goes_round_mailbox())
        return;
    for (sync::mail& m : batch)
        box.post(std::move(m));
}

void subscriber::notify(std::span<sync::mail const> batch)
{
    if (stopped)
        return;
    if (on_event)
        call_back(std::exchange(direct_, false) ? batch : std::span<sync::mail const>());
    else if (has_news())
        waiting.wake();
}

std::optional<error> subscriber::take_failure()
{
    if (stopped || told_failure || !box.empty())
        return std::nullopt;
    if (box.overflowed() && !failure)
        failure = std::make_unique<error const>(errc::subscriber_overflow,
                                                "taking a feed's events: they came faster than they were taken");
    if (!failure)
        return std::nullopt;
    told_failure = true;
    leave();
    return *failure;
}

/// The caller holds it: a callback may destroy its subscription.
void subscriber::call_back(std::span<sync::mail const> batch)
{
    try {
        for (sync::mail const& m : batch) {
            box.admit(m, [&](activity_event const& event) {
                if (!stopped)
                    on_event(event);
            });
        }
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
        asio::post(source->room->executor(), [e = std::current_exception()] { std::rethrow_exception(e); });
    }
}

} // namespace plex::detail
