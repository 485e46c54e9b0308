#include "testing/server_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace plex::testing {

using asio::ip::tcp;
using std::chrono::steady_clock;

server_state::server_state(asio::any_io_executor executor, fake_server_options wanted)
    : options(std::move(wanted)), strand(asio::make_strand(executor)),
      identity(options.certificate_pem.empty() || options.private_key_pem.empty()
                   ? nullptr
                   : load_identity(options.certificate_pem, options.private_key_pem)),
      acceptor(strand, tcp::endpoint(asio::ip::address_v4::loopback(), options.port), /*reuse_address=*/true),
      port(acceptor.local_endpoint().port()), token(options.token)
{
    registry->sockets.insert(acceptor.native_handle());
}

std::vector<fake_activity>::iterator server_state::find_locked(std::string_view uuid)
{
    return std::find_if(running.begin(), running.end(), [&](auto const& known) { return known.uuid == uuid; });
}

std::string server_state::start(fake_activity activity)
{
    std::lock_guard const lock(mutex);
    std::string const uuid = activity.uuid;
    running.push_back(std::move(activity));
    tell_locked("started", running.back());
    return uuid;
}

bool server_state::update(fake_activity activity)
{
    std::string const uuid = activity.uuid;
    return change(uuid, [&](fake_activity& known) { known = std::move(activity); });
}

bool server_state::change(std::string const& uuid, std::function<void(fake_activity&)> const& change_it)
{
    std::lock_guard const lock(mutex);
    auto const known = find_locked(uuid);
    if (known == running.end())
        return false;
    change_it(*known);
    tell_locked("updated", *known);
    return true;
}

bool server_state::end(std::string const& uuid, std::optional<double> progress)
{
    std::lock_guard const lock(mutex);
    auto const known = find_locked(uuid);
    if (known == running.end())
        return false;
    fake_activity ended = std::move(*known);
    running.erase(known);
    ended.progress = progress;
    tell_locked("ended", ended);
    return true;
}

std::optional<fake_activity> server_state::find(std::string_view uuid) const
{
    std::lock_guard const lock(mutex);
    for (auto const& known : running)
        if (known.uuid == uuid)
            return known;
    return std::nullopt;
}

std::string server_state::list(bool json)
{
    std::lock_guard const lock(mutex);
    ++lists_told;
    std::vector<fake_activity const*> shown;
    for (auto const& known : running)
        if (!hidden.contains(known.uuid))
            shown.push_back(&known);
    return json ? list_json(shown) : list_xml(shown);
}

void server_state::record_locked(char const* event, fake_activity const& activity)
{
    if (!options.keep_records)
        return;
    told_event told;
    told.event = event;
    told.uuid = activity.uuid;
    told.subtitle = activity.subtitle;
    told.progress = activity.progress;
    told.at = steady_clock::now();
    truth.push_back(std::move(told));
}

void server_state::tell_locked(char const* event, fake_activity const& activity)
{
    record_locked(event, activity);
    auto item = std::make_shared<feed_item>(feed_item::kind::notification);
    item->type = "activity";
    item->key = "ActivityNotification";
    item->text = activity_notification(event, activity);
    publish_locked(std::move(item));
}

void server_state::publish(std::shared_ptr<feed_item const> item)
{
    std::lock_guard const lock(mutex);
    publish_locked(std::move(item));
}

void server_state::publish_locked(std::shared_ptr<feed_item const> item)
{
    if (feed_held) {
        held_items.push_back(std::move(item));
        return;
    }
    for (auto const& known : listeners)
        if (known->registered && known->wants(*item))
            queue_locked(*known, item);
}

void server_state::queue_locked(listener& target, std::shared_ptr<feed_item const> item)
{
    target.queue.push_back(std::move(item));
    target.idle = false;
    if (!std::exchange(target.pumping, true))
        dirty_.push_back(target.shared_from_this());
    // Posted, not dispatched: what is told within one handler leaves in one write.
    if (!dirty_.empty() && !std::exchange(pump_posted_, true))
        asio::post(strand, [self = shared_from_this()] { self->pump_dirty(); });
}

void server_state::pump_dirty()
{
    std::vector<std::shared_ptr<listener>> due;
    {
        std::lock_guard const lock(mutex);
        due.swap(dirty_);
        pump_posted_ = false;
        for (auto const& known : due)
            known->pumping = false;
    }
    for (auto const& known : due)
        known->pump();
}

void server_state::add(std::shared_ptr<listener> added)
{
    std::lock_guard const lock(mutex);
    added->registered = !late_registration;
    listeners.push_back(std::move(added));
}

void server_state::remove(listener const& removed)
{
    std::lock_guard const lock(mutex);
    std::erase_if(listeners, [&](auto const& known) { return known.get() == &removed; });
}

void server_state::drop_listeners(abrupt how)
{
    std::lock_guard const lock(mutex);
    asio::post(strand, [dropped = std::exchange(listeners, {}), how] {
        for (auto const& known : dropped)
            known->connection().close(how == abrupt::rst);
    });
}

bool server_state::is_stopped() const
{
    std::lock_guard const lock(mutex);
    return stopped;
}

void server_state::stop()
{
    {
        std::lock_guard const lock(mutex);
        if (std::exchange(stopped, true))
            return;
        listeners.clear();
        dirty_.clear();
    }
    registry->shutdown_all();
    asio::post(strand, [self = shared_from_this()] {
        {
            std::lock_guard const lock(self->registry->mutex);
            self->registry->sockets.erase(self->acceptor.native_handle());
            self->acceptor.close();
        }
        self->registry->shutdown_all(); // Those that were being accepted meanwhile.
        self->wake_sleepers();
    });
}

asio::awaitable<void> server_state::sleep(steady_clock::duration time)
{
    asio::steady_timer timer(strand, time);
    sleepers_.insert(&timer);
    while (!is_stopped() && steady_clock::now() < timer.expiry())
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    sleepers_.erase(&timer);
}

asio::awaitable<void> server_state::wait_for_release(std::shared_ptr<held_request> held)
{
    asio::steady_timer timer(strand, steady_clock::time_point::max());
    sleepers_.insert(&timer);
    for (;;) {
        {
            std::lock_guard const lock(mutex);
            if (stopped || held->released)
                break;
        }
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    sleepers_.erase(&timer);
}

void server_state::wake_sleepers()
{
    for (auto* timer : sleepers_)
        timer->cancel();
}

asio::awaitable<void> send_pings(std::shared_ptr<server_state> state, feed_item::kind what,
                                 steady_clock::duration interval)
{
    for (;;) {
        co_await state->sleep(interval);
        if (state->is_stopped())
            co_return;
        state->publish(std::make_shared<feed_item const>(what));
    }
}

} // namespace plex::testing
