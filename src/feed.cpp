#include <plex/feed.hpp>

#include "live_feed.hpp"
#include "subscriber.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

namespace plex {

namespace asio = boost::asio;

namespace detail {

namespace {

// Whether there is nothing to look at.
bool has_to_wait(subscriber& s)
{
    exclusive::visit const here(s.source->inside);
    if (s.has_news() || !s.source->feed)
        return false;
    if (!s.waiting.empty())
        throw error(errc::operation_in_progress, "waiting for an event of a feed on which another wait is pending");
    return true;
}

error cancelled()
{
    diagnostics::content content;
    content.message = "waiting for an event of a feed";
    return error(asio::error::operation_aborted, diagnostics(std::move(content)));
}

/// What ended it, if anything has.
void throw_failure(subscriber& s)
{
    if (std::optional<error> const failed = s.take_failure())
        throw error(*failed);
}

std::optional<activity_event> try_next(subscriber& s)
{
    exclusive::visit const here(s.source->inside);
    if (s.stopped)
        return std::nullopt;
    if (s.box.empty())
        throw_failure(s);
    return s.box.take();
}

} // namespace

asio::awaitable<void> wait(std::shared_ptr<subscriber> s)
{
    if (!s || !has_to_wait(*s))
        co_return;
    auto waiting = s->waiting.async_wait();
    net::woken const why = co_await std::move(waiting);
    // News that came together with the cancellation count: nothing is taken, so nothing can be lost.
    if (why == net::woken::by_cancellation && !s->has_news())
        throw cancelled();
}

asio::awaitable<std::optional<activity_event>> next(std::shared_ptr<subscriber> s)
{
    while (s) {
        std::optional<activity_event> event = try_next(*s);
        if (event || s->finished() || !s->source->feed)
            co_return event;
        auto const before = co_await asio::this_coro::cancellation_state;
        bool const was_cancelled = before.cancelled() != asio::cancellation_type::none;
        if (!has_to_wait(*s)) // it has just failed
            continue;
        auto waiting = s->waiting.async_wait();
        net::woken const why = co_await std::move(waiting);
        // Of a wait that was cancelled nothing is taken, even when an event came at the same time: it is for the next
        // one.
        auto const after = co_await asio::this_coro::cancellation_state;
        bool const is_cancelled = after.cancelled() != asio::cancellation_type::none;
        if (why == net::woken::by_cancellation || (is_cancelled && !was_cancelled))
            throw cancelled();
    }
    co_return std::nullopt;
}

} // namespace detail

feed& feed::operator=(feed&& other) noexcept
{
    std::swap(subscriber_, other.subscriber_);
    return *this;
}

feed::~feed()
{
    stop();
}

asio::awaitable<void> feed::wait()
{
    return detail::wait(subscriber_);
}
std::optional<activity_event> feed::try_next()
{
    return subscriber_ ? detail::try_next(*subscriber_) : std::nullopt;
}
asio::awaitable<std::optional<activity_event>> feed::next()
{
    return detail::next(subscriber_);
}

void feed::stop() noexcept
{
    if (subscriber_)
        subscriber_->stop();
}

bool feed::stopped() const noexcept
{
    return !subscriber_ || subscriber_->finished();
}
std::uint64_t feed::conflated() const noexcept
{
    return subscriber_ ? subscriber_->box.conflated() : 0;
}

subscription& subscription::operator=(subscription&& other) noexcept
{
    std::swap(subscriber_, other.subscriber_);
    return *this;
}

subscription::~subscription()
{
    stop();
}

void subscription::stop() noexcept
{
    if (subscriber_)
        subscriber_->stop();
}

bool subscription::stopped() const noexcept
{
    return !subscriber_ || subscriber_->finished();
}
std::uint64_t subscription::conflated() const noexcept
{
    return subscriber_ ? subscriber_->box.conflated() : 0;
}

} // namespace plex
