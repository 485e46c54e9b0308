#include "net/byte_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <new>
#include <tuple>

namespace plex::net {

byte_stream::~byte_stream()
{
    dismiss_watchdog();
}

void byte_stream::dismiss_watchdog() noexcept
{
    std::shared_ptr<watchdog> const w = std::exchange(watchdog_, nullptr);
    if (!w)
        return;
    w->stream = nullptr;
    try {
        w->timer.cancel();
    } catch (...) { // it then runs off, finds no stream, and ends
    }
}

void byte_stream::expires_at(steady_time deadline, expiry_listener* listener)
{
    if (deadline == steady_time::max()) {
        dismiss_watchdog();
        return;
    }
    if (!watchdog_) {
        watchdog_ = std::make_shared<watchdog>(executor());
        watchdog_->stream = this;
    }
    watchdog_->deadline = deadline;
    watchdog_->listener = listener;
    if (deadline < watchdog_->armed_for)
        arm(watchdog_);
}

void byte_stream::arm(std::shared_ptr<watchdog> const& w)
{
    w->armed_for = steady_time::max(); // as long as it is not, should there be no memory for it
    w->timer.expires_at(w->deadline);  // ends a longer wait, whose handler finds nothing to do
    w->timer.async_wait([w](error_code ec) {
        if (ec || !w->stream)
            return;
        w->armed_for = steady_time::max();
        if (std::chrono::steady_clock::now() < w->deadline) {
            try {
                return arm(w);
            } catch (std::bad_alloc const&) { // sooner than never
            }
        }
        w->stream->expired_ = true;
        w->stream->close();
        if (w->listener)
            w->listener->expired(*w->stream);
    });
    w->armed_for = w->deadline;
}

bool byte_stream::is_quiet(stream_socket& socket) noexcept
{
    char byte = 0;
    error_code ec;
    socket.receive(asio::buffer(&byte, 1), stream_socket::message_peek, ec);
    return ec == asio::error::would_block;
}

asio::awaitable<io_result> byte_stream::read_some(asio::mutable_buffer buffer)
{
    for (;;) {
        io_result const result = try_read(buffer);
        if (result.ec != asio::error::would_block)
            co_return result;
        error_code const ec = co_await wait_readable();
        if (ec)
            co_return io_result{ec, 0};
    }
}

namespace {

class plain_stream final : public byte_stream
{
public:
    plain_stream(scope& s, stream_socket socket) : byte_stream(s), socket_(std::move(socket)) {}

    io_result try_read(asio::mutable_buffer buffer) override
    {
        io_result result;
        result.bytes = socket_.read_some(buffer, result.ec);
        return result;
    }

    asio::awaitable<error_code> wait_readable() override
    {
        // Deferred, as use_awaitable would cost a coroutine frame of its own.
        auto waiting = socket_.async_wait(stream_socket::wait_read, asio::as_tuple(asio::deferred));
        std::tuple<error_code> const result = co_await std::move(waiting);
        co_return std::get<0>(result);
    }

    void notify_readable(std::shared_ptr<void> keeps, readable_listener& listener) override
    {
        auto tell = [keeps = std::move(keeps), &listener](error_code ec) mutable {
            listener.readable(ec, std::move(keeps));
        };
        socket_.async_wait(stream_socket::wait_read, asio::bind_executor(executor(), std::move(tell)));
    }

    stream_socket* plain() noexcept override { return &socket_; }

    io_result try_write(asio::const_buffer buffer) override
    {
        io_result result;
        result.bytes = socket_.write_some(buffer, result.ec);
        if (result.ec == asio::error::would_block)
            result.ec = {};
        return result;
    }

    asio::awaitable<error_code> write(asio::const_buffer buffer) override
    {
        io_result const sent = try_write(buffer); // the usual case: it fits into the socket's buffer
        error_code ec = sent.ec;
        buffer += sent.bytes;
        if (!ec && buffer.size() != 0)
            co_await asio::async_write(socket_, buffer, asio::redirect_error(asio::use_awaitable, ec));
        co_return ec;
    }

    asio::awaitable<void> say_goodbye() override { co_return; }

    void close() noexcept override
    {
        error_code ignored;
        socket_.close(ignored);
    }

    bool is_quiet() noexcept override { return byte_stream::is_quiet(socket_); }

private:
    stream_socket socket_;
};

} // namespace

std::unique_ptr<byte_stream> make_plain_stream(scope& s, stream_socket socket)
{
    return std::make_unique<plain_stream>(s, std::move(socket));
}

} // namespace plex::net
