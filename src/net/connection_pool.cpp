#include "net/connection_pool.hpp"

#include <plex/error.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>

namespace plex::net {

namespace {

constexpr auto looked_at_after = std::chrono::milliseconds(50);

} // namespace

void connection_pool::lease::keep() noexcept
{
    if (!pool_ || pool_->scope_.stopped())
        return;
    try {
        steady_time const now = std::chrono::steady_clock::now();
        stream->expires_at(now + pool_->settings_.idle, pool_);
        pool_->idle_.push_back({std::move(stream), now});
    } catch (...) { // out of memory: the call has its reply, and the next one another connection
        stream.reset();
    }
}

void connection_pool::lease::release() noexcept
{
    stream.reset();
    if (connection_pool* pool = std::exchange(pool_, nullptr)) {
        --pool->in_use_;
        pool->call_next();
    }
}

void connection_pool::stop() noexcept
{
    idle_.clear();
    queue_.wake_all();
}

/// Over TLS a connection holds 20 KiB, and the next call of one that follows a feed may be minutes away.
void connection_pool::expired(byte_stream& stream) noexcept
{
    std::erase_if(idle_, [&](idle_connection const& kept) { return kept.stream.get() == &stream; });
}

std::unique_ptr<byte_stream> connection_pool::take_kept(steady_time now, bool hurries)
{
    while (!idle_.empty()) {
        idle_connection kept = std::move(idle_.back());
        idle_.pop_back();
        // Between two replies a server has nothing to say: bytes or an end mean that it has closed this connection. To
        // look costs a system call, which a request in a row may do without: should it go without a reply it is
        // repeated, and what had come unasked takes nobody in.
        bool const just_used = now - kept.since < looked_at_after;
        if ((hurries && just_used) || kept.stream->is_quiet())
            return std::move(kept.stream);
    }
    return nullptr;
}

std::vector<std::unique_ptr<byte_stream>> connection_pool::take_idle()
{
    std::vector<std::unique_ptr<byte_stream>> streams;
    for (idle_connection& kept : std::exchange(idle_, {}))
        streams.push_back(std::move(kept.stream));
    return streams;
}

connection_pool::lease connection_pool::acquire_kept(steady_time now, steady_time deadline, bool hurries)
{
    lease connection;
    if (idle_.empty() || !queue_.empty() || !has_room())
        return connection;
    std::unique_ptr<byte_stream> stream = take_kept(now, hurries);
    if (!stream)
        return connection;
    connection = lease(*this);
    connection.kept = true;
    connection.stream = std::move(stream);
    connection.stream->expires_at(deadline);
    return connection;
}

asio::awaitable<connection_pool::acquired> connection_pool::acquire(steady_time deadline, bool hurries)
{
    acquired result;
    // Who comes later stands behind those who wait, and behind one who was called but did not run yet: else a coroutine
    // that calls in a loop would overtake all others for ever.
    bool my_turn = queue_.empty();
    std::optional<place> mine;
    while (!my_turn || !has_room()) {
        if (!mine && waiting_ >= settings_.max_waiting) {
            result.ec = make_error_code(errc::limit_exceeded);
            co_return result;
        }
        if (!mine)
            mine.emplace(*this);
        woken const why = co_await queue_.park(scope_.executor(), deadline);
        if (scope_.stopped() || why == woken::by_cancellation)
            result.ec = asio::error::operation_aborted;
        else if (why == woken::by_deadline)
            result.ec = asio::error::timed_out;
        if (result.ec)
            co_return result;
        my_turn = true;
    }
    lease connection(*this);
    mine.reset(); // there may be room for another who was not called, as one was on his way
    connection.stream = take_kept(std::chrono::steady_clock::now(), hurries);
    if (connection.stream) {
        connection.kept = true;
        connection.stream->expires_at(deadline);
        result.connection = std::move(connection);
        co_return result;
    }
    acquired made = co_await replace(std::move(connection), deadline);
    co_return made;
}

asio::awaitable<connection_pool::acquired> connection_pool::replace(lease connection, steady_time deadline)
{
    acquired result;
    connection.stream.reset();
    connection.kept = false;
    steady_time const connected_by = std::min(deadline, std::chrono::steady_clock::now() + settings_.connect_timeout);
    dial_result dialled = co_await dial(scope_, settings_.endpoint, connected_by);
    result.step = dialled.step;
    result.ec = dialled.ec;
    if (dialled.stream) {
        connection.stream = std::move(dialled.stream);
        connection.stream->expires_at(deadline);
    }
    result.connection = std::move(connection);
    co_return result;
}

} // namespace plex::net
