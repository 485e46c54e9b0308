#include <plex/client.hpp>

#include "client_state.hpp"
#include "net/random.hpp"
#include "protocol/request_text.hpp"
#include "with_reason.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <span>

namespace plex {

namespace asio = boost::asio;
using detail::client_state;

namespace detail {

namespace {

/// The same for all clients of a process that are given none (docs/protocol.md 1.7).
std::string const& process_identifier()
{
    static std::string const identifier = [] {
        std::array<std::byte, 16> random{};
        net::fill_random(random);
        std::string hex;
        for (std::byte const b : random) {
            hex += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
            hex += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
        }
        return hex;
    }();
    return identifier;
}

config const& completed(config& c)
{
    if (c.identity.client_identifier.empty())
        c.identity.client_identifier = process_identifier();
    return c;
}

} // namespace

client_state::client_state(asio::any_io_executor executor, config given)
    : kept(given), at(std::make_shared<home>(std::move(executor), given.executor_is_strand)),
      scope(at->executor(), at->io_executor()), calls(scope, completed(given), kept), feed(scope, at, calls, kept)
{
    out_of_memory(); // made while there is some
}

void client_state::context_destroyed() noexcept
{
    scope.release();
    feed.release();
    at->release();
}

asio::awaitable<void> client_state::close(client::duration timeout)
{
    net::steady_time const deadline = time_limit(timeout);
    if (scope.stopped())
        co_return;
    try {
        co_await feed.say_goodbye(deadline);
        co_await calls.say_goodbye(deadline);
    } catch (std::bad_alloc const&) { // it goes without a word
    }
    stop();
}

// The calls look by themselves where they run: a frame of `run_at` around each would be a third of what they cost.

asio::awaitable<std::vector<activity>> list(std::shared_ptr<client_state> s)
{
    asio::any_io_executor const here = co_await asio::this_coro::executor;
    if (!s->at->is_here(here)) {
        std::vector<activity> result = co_await run_at(s->at, list(s));
        co_return result;
    }
    net::answer answer = co_await s->calls.ask_list();
    co_return s->calls.activities_of(std::move(answer));
}

asio::awaitable<void> cancel(std::shared_ptr<client_state> s, std::string uuid)
{
    asio::any_io_executor const here = co_await asio::this_coro::executor;
    if (!s->at->is_here(here)) {
        co_await run_at(s->at, cancel(s, std::move(uuid)));
        co_return;
    }
    request const asked = calls::cancel_request(uuid);
    net::answer answer = co_await s->calls.ask_cancel(asked);
    s->calls.check_cancelled(std::move(answer));
}

asio::awaitable<reply> send(std::shared_ptr<client_state> s, request asked)
{
    asio::any_io_executor const here = co_await asio::this_coro::executor;
    if (!s->at->is_here(here)) {
        reply answer = co_await run_at(s->at, send(s, std::move(asked)));
        co_return answer;
    }
    s->calls.check(asked);
    std::string const what = asked.method() + " of a request";
    net::answer answer = co_await s->calls.ask(what, asked);
    co_return answer.to_reply();
}

net::steady_time time_limit(std::optional<client::duration> deadline)
{
    net::steady_time const now = std::chrono::steady_clock::now();
    bool const is_limited = deadline && *deadline < net::wait_list::no_deadline - now;
    return is_limited ? now + *deadline : net::wait_list::no_deadline;
}

asio::awaitable<void> ready(std::shared_ptr<client_state> s, std::optional<client::duration> deadline)
{
    co_await s->feed.ready(s, time_limit(deadline));
}

asio::awaitable<void> close(std::shared_ptr<client_state> s, client::duration timeout)
{
    co_await s->close(timeout);
}

} // namespace detail

client::client(asio::any_io_executor executor, config settings)
    : state_(std::make_shared<client_state>(executor, std::move(settings)))
{
    detail::context_service::watch(executor, state_);
}

client& client::operator=(client&& other) noexcept
{
    std::swap(state_, other.state_);
    return *this;
}

client::~client()
{
    stop();
}

asio::any_io_executor client::get_executor() const
{
    return state_->at->executor();
}

asio::awaitable<std::vector<activity>> client::get_server_activities()
{
    return detail::list(state_);
}

asio::awaitable<void> client::cancel_server_activities(std::string uuid)
{
    return detail::cancel(state_, std::move(uuid));
}

asio::awaitable<reply> client::send(request asked)
{
    return detail::send(state_, std::move(asked));
}

feed client::subscribe(filter f, std::vector<activity> known)
{
    return feed(state_->feed.subscribe(state_, std::move(f), std::move(known), nullptr, nullptr));
}

subscription client::subscribe(filter f, event_function on_event, end_function on_end)
{
    if (!on_event)
        throw error(errc::invalid_argument, "subscribe() with an empty function");
    return subscription(state_->feed.subscribe(state_, std::move(f), {}, std::move(on_event), std::move(on_end)));
}

asio::awaitable<void> client::ready(std::optional<duration> deadline)
{
    detail::undertaking const doing = {"waiting for the feed to be ready", state_->calls.origin()};
    return detail::run_at(state_->at, detail::with_reason(doing, detail::ready(state_, deadline)));
}

asio::awaitable<operation> client::start(activity_request asked, std::optional<duration> deadline)
{
    detail::undertaking const doing = {"starting an activity", state_->calls.origin()};
    return detail::run_at(state_->at, detail::with_reason(doing, detail::start(state_, std::move(asked), deadline)));
}

asio::awaitable<void> client::wait_until_idle(filter f, duration quiet, std::optional<duration> deadline)
{
    detail::undertaking const doing = {"waiting until nothing runs", state_->calls.origin()};
    return detail::run_at(state_->at,
                          detail::with_reason(doing, detail::wait_until_idle(state_, std::move(f), quiet, deadline)));
}

running_activities client::running() const
{
    return state_->feed.running();
}
connection_status client::connection() const
{
    return state_->feed.status();
}

void client::on_connection_change(std::function<void(connection_status const&)> f)
{
    state_->feed.on_change(std::move(f));
}

counters client::counters() const
{
    plex::counters result;
    result.requests = state_->calls.requests();
    result.connections = state_->scope.connections;
    state_->feed.count(result);
    return result;
}

void client::stop() noexcept
{
    if (state_)
        state_->stop();
}

asio::awaitable<void> client::close(duration timeout)
{
    return detail::run_at(state_->at, detail::close(state_, timeout));
}

std::string_view to_string(connection_state state) noexcept
{
    switch (state) {
    case connection_state::idle:
        return "idle";
    case connection_state::connecting:
        return "connecting";
    case connection_state::connected:
        return "connected";
    case connection_state::reconciled:
        return "reconciled";
    case connection_state::interrupted:
        return "interrupted";
    case connection_state::ended:
        return "ended";
    }
    return "unknown";
}

std::string_view to_string(transport t) noexcept
{
    switch (t) {
    case transport::automatic:
        return "automatic";
    case transport::websocket:
        return "websocket";
    case transport::eventsource:
        return "eventsource";
    case transport::polling:
        return "polling";
    }
    return "unknown";
}

std::string_view reply::header(std::string_view name) const noexcept
{
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    auto const same = [&](std::string_view a) {
        return std::equal(a.begin(), a.end(), name.begin(), name.end(),
                          [&](char x, char y) { return lower(x) == lower(y); });
    };
    auto const found = std::find_if(headers_.begin(), headers_.end(), [&](auto const& h) { return same(h.first); });
    return found == headers_.end() ? std::string_view() : std::string_view(found->second);
}

} // namespace plex
