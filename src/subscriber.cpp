#include "subscriber.hpp"

#include "live_feed.hpp"

#include "failure.hpp"
#include "throw_from_run.hpp"

#include <exception>
#include <new>
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

void subscriber::end(std::shared_ptr<error const> e) noexcept
{
    if (stopped || failure)
        return;
    failure = std::move(e);
    notify();
}

void subscriber::run_out() noexcept
{
    if (!failure)
        failure = out_of_memory();
}

/// What is pending comes first, and what is remembered from an earlier process may yet be told to have ended.
bool subscriber::goes_round_mailbox() noexcept
{
    direct_ = on_event && box.empty() && !box.overflowed() && !box.remembers();
    return direct_;
}

// After what a mailbox has had no memory for there is nothing that it could be told.

void subscriber::receive(std::span<sync::mail const> batch) noexcept
{
    if (failure || goes_round_mailbox())
        return;
    try {
        box.post(batch);
    } catch (std::bad_alloc const&) {
        run_out();
    }
}

void subscriber::receive_last(std::span<sync::mail> batch) noexcept
{
    if (failure || goes_round_mailbox())
        return;
    try {
        for (sync::mail& m : batch)
            box.post(std::move(m));
    } catch (std::bad_alloc const&) {
        run_out();
    }
}

void subscriber::settled(std::chrono::steady_clock::time_point requested, sync::instant now) noexcept
{
    if (failure)
        return;
    try {
        box.settled(requested, now);
    } catch (std::bad_alloc const&) {
        run_out();
    }
}

void subscriber::notify(std::span<sync::mail const> batch) noexcept
{
    if (stopped || !introduced)
        return;
    if (on_event)
        call_back(std::exchange(direct_, false) ? batch : std::span<sync::mail const>());
    else if (has_news())
        waiting.wake();
}

std::optional<error> subscriber::take_failure() noexcept
{
    if (stopped || told_failure || !box.empty())
        return std::nullopt;
    if (box.overflowed() && !failure) {
        try {
            failure = std::make_shared<error const>(errc::subscriber_overflow,
                                                    "taking a feed's events: they came faster than they were taken");
        } catch (std::bad_alloc const&) {
            run_out();
        }
    }
    if (!failure)
        return std::nullopt;
    told_failure = true;
    leave();
    return *failure;
}

/// The caller holds it: a callback may destroy its subscription.
void subscriber::call_back(std::span<sync::mail const> batch) noexcept
try {
    bool is_theirs = false; // what is thrown
    try {
        for (sync::mail const& m : batch) {
            box.admit(m, [&](activity_event const& event) {
                is_theirs = true;
                if (!stopped)
                    on_event(event);
                is_theirs = false;
            });
        }
    } catch (std::bad_alloc const&) {
        if (is_theirs)
            throw;
        run_out();
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
    // Whose fault it is must hear of it, the other subscribers must not.
    stop();
    throw_from_run(source->room->executor(), std::current_exception());
}

} // namespace plex::detail
