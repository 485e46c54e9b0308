// The faults that a test asks a fake server for.
#include "plex/testing/fake_server.hpp"

#include "testing/server_state.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace plex::testing {
namespace {

using std::chrono::steady_clock;

fault_script::rule rule_for(std::string match, std::size_t times)
{
    fault_script::rule rule;
    rule.match = std::move(match);
    rule.times = times;
    return rule;
}

/// Runs on the strand for those who listen now.
template <class Action>
void for_listeners(server_state& state, std::vector<std::shared_ptr<listener>> listeners, Action action)
{
    asio::post(state.strand, [listeners = std::move(listeners), action] {
        for (auto const& known : listeners)
            action(*known);
    });
}

} // namespace

void fake_server::set_token(std::string token)
{
    std::lock_guard const lock(state_->mutex);
    state_->token = std::move(token);
}

void fake_server::refuse(std::string match, unsigned status, std::string body, std::string content_type,
                         std::size_t times)
{
    auto rule = rule_for(std::move(match), times);
    rule.reply.emplace();
    rule.reply->status = status;
    rule.reply->body = std::move(body);
    rule.reply->content_type = std::move(content_type);
    std::lock_guard const lock(state_->mutex);
    state_->script.add(std::move(rule));
}

void fake_server::refuse_with(std::string match, unsigned status, std::string header, std::string value,
                              std::size_t times)
{
    auto rule = rule_for(std::move(match), times);
    rule.reply.emplace();
    rule.reply->status = status;
    rule.reply->content_type = "text/html";
    rule.reply->headers.emplace_back(std::move(header), std::move(value));
    std::lock_guard const lock(state_->mutex);
    state_->script.add(std::move(rule));
}

void fake_server::refuse_for_maintenance(std::string match, std::size_t times)
{
    refuse(std::move(match), 503,
           R"(<?xml version="1.0" encoding="UTF-8"?>)"
           "\n"
           R"(<Response code="503" title="Maintenance" )"
           R"(status="Plex Media Server is currently running database migrations." />)",
           "text/xml;charset=utf-8", times);
}

void fake_server::delay(std::string match, steady_clock::duration time, std::size_t times, as_of state)
{
    auto rule = rule_for(std::move(match), times);
    rule.delay = time;
    rule.state = state;
    std::lock_guard const lock(state_->mutex);
    state_->script.add(std::move(rule));
}

void fake_server::hold(std::string match, as_of state, std::size_t times)
{
    auto rule = rule_for(std::move(match), times);
    rule.hold = true;
    rule.state = state;
    std::lock_guard const lock(state_->mutex);
    state_->script.add(std::move(rule));
}

void fake_server::release(std::string const& match)
{
    std::lock_guard const lock(state_->mutex);
    state_->script.release(match);
    asio::post(state_->strand, [state = state_] { state->wake_sleepers(); });
}

std::size_t fake_server::held(std::string const& match) const
{
    std::lock_guard const lock(state_->mutex);
    return state_->script.held(match);
}

void fake_server::hold_feed()
{
    std::lock_guard const lock(state_->mutex);
    state_->feed_held = true;
}

void fake_server::release_feed()
{
    std::lock_guard const lock(state_->mutex);
    state_->feed_held = false;
    for (auto& held_item : std::exchange(state_->held_items, {}))
        state_->publish_locked(std::move(held_item));
}

void fake_server::cut(std::string match, std::size_t bytes, std::size_t times)
{
    auto rule = rule_for(std::move(match), times);
    rule.cut = bytes;
    std::lock_guard const lock(state_->mutex);
    state_->script.add(std::move(rule));
}

void fake_server::reply_raw(std::string match, std::string bytes, bool keep_open, std::size_t times)
{
    auto rule = rule_for(std::move(match), times);
    rule.reply.emplace();
    rule.reply->raw = true;
    rule.reply->body = std::move(bytes);
    rule.reply->keep_open = keep_open;
    std::lock_guard const lock(state_->mutex);
    state_->script.add(std::move(rule));
}

void fake_server::stall(std::string match, std::size_t times)
{
    auto rule = rule_for(std::move(match), times);
    rule.reply.emplace();
    rule.reply->none = true;
    std::lock_guard const lock(state_->mutex);
    state_->script.add(std::move(rule));
}

void fake_server::stall_connections(std::size_t times)
{
    std::lock_guard const lock(state_->mutex);
    state_->connections_to_stall = times;
}

void fake_server::refuse_connections(std::size_t times)
{
    std::lock_guard const lock(state_->mutex);
    state_->connections_to_refuse = times;
}

void fake_server::register_listeners_late(steady_clock::duration after)
{
    std::lock_guard const lock(state_->mutex);
    state_->late_registration = true;
    state_->registration_delay = after;
}

void fake_server::register_listeners_late()
{
    std::lock_guard const lock(state_->mutex);
    state_->late_registration = true;
    state_->registration_delay.reset();
}

void fake_server::register_listeners()
{
    std::lock_guard const lock(state_->mutex);
    state_->late_registration = false;
    for (auto const& known : state_->listeners)
        known->registered = !known->closing;
}

void fake_server::close_listeners(std::uint16_t code, std::string reason)
{
    auto made = std::make_shared<feed_item>(feed_item::kind::close);
    made->text = std::move(reason);
    made->close_code = code;
    std::lock_guard const lock(state_->mutex);
    for (auto const& known : state_->listeners) {
        if (!std::exchange(known->closing, true))
            state_->queue_locked(*known, made);
        known->registered = false;
    }
}

void fake_server::drop_listeners(abrupt how)
{
    state_->drop_listeners(how);
}

void fake_server::freeze_listeners()
{
    std::lock_guard const lock(state_->mutex);
    for (auto const& known : state_->listeners)
        known->frozen = true;
    for_listeners(*state_, state_->listeners, [](listener& known) { known.connection().freeze(); });
}

void fake_server::thaw_listeners()
{
    std::lock_guard const lock(state_->mutex);
    for (auto const& known : state_->listeners)
        known->frozen = false;
    for_listeners(*state_, state_->listeners, [](listener& known) {
        known.connection().thaw();
        known.pump();
    });
}

} // namespace plex::testing
