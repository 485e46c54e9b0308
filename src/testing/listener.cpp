#include "testing/listener.hpp"

#include "testing/server_state.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

namespace plex::testing {

namespace {
/// What is made bytes ahead of the socket; the rest waits as texts that all listeners share.
constexpr std::size_t write_ahead = 256 * 1024;
constexpr std::size_t items_at_once = 256;
} // namespace

listener::listener(std::shared_ptr<server_state> state, std::shared_ptr<wire> connection, feed_filter filter)
    : state_(std::move(state)), connection_(std::move(connection)), filter_(std::move(filter))
{
}

void listener::pump()
{
    std::vector<std::shared_ptr<feed_item const>> batch;
    connection_->cork();
    while (connection_->is_open() && connection_->backlog() < write_ahead) {
        batch.clear();
        {
            std::lock_guard const lock(state_->mutex);
            if (!ready || frozen || queue.empty())
                break;
            auto const count = std::min(queue.size(), items_at_once);
            auto const last = queue.begin() + static_cast<std::ptrdiff_t>(count);
            batch.assign(std::make_move_iterator(queue.begin()), std::make_move_iterator(last));
            queue.erase(queue.begin(), last);
            for (auto const& item : batch)
                if (item->what == feed_item::kind::notification || item->what == feed_item::kind::raw_message)
                    ++state_->counters.notifications_sent;
        }
        for (auto const& item : batch)
            encode(*item);
    }
    connection_->uncork();
    std::lock_guard const lock(state_->mutex);
    idle = queue.empty() && connection_->idle();
}

void listener::become_ready()
{
    std::optional<std::chrono::steady_clock::duration> registered_after;
    {
        std::lock_guard const lock(state_->mutex);
        ready = true;
        if (!registered)
            registered_after = state_->registration_delay;
    }
    if (registered_after)
        asio::co_spawn(state_->strand, register_later(shared_from_this(), *registered_after), asio::detached);
    std::weak_ptr<listener> const weak = weak_from_this();
    connection_->on_written([weak] {
        if (auto const self = weak.lock())
            self->pump();
    });
    pump();
}

asio::awaitable<void> listener::register_later(std::shared_ptr<listener> late,
                                               std::chrono::steady_clock::duration after)
{
    co_await late->state_->sleep(after);
    std::lock_guard const lock(late->state_->mutex);
    late->registered = !late->closing;
}

void listener::leave()
{
    state_->remove(*this);
}

} // namespace plex::testing
