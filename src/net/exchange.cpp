#include "net/exchange.hpp"

#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/error.hpp>

namespace plex::net {

char const* to_string(exchange_step step) noexcept
{
    switch (step) {
    case exchange_step::sending:
        return "sending the request";
    case exchange_step::waiting:
        return "waiting for the reply";
    case exchange_step::receiving:
        return "receiving the reply";
    }
    return "exchanging";
}

exchange::exchange(byte_stream& stream, std::string_view request, reply_reader& reader)
    : reader_(reader), unsent_(request.data(), request.size())
{
    io_result const sent = stream.try_write(unsent_);
    unsent_ += sent.bytes;
    if (sent.ec || unsent_.size() == 0)
        written(sent.ec);
}

void exchange::written(error_code ec)
{
    unsent_ = {};
    if (ec == asio::error::operation_aborted) {
        failure_ = ec;
        return;
    }
    // A server may answer and close before it has read all of a request: what it said counts more than the failed
    // write.
    write_failure_ = ec;
    step_ = exchange_step::waiting;
}

void exchange::read(error_code ec, std::size_t bytes)
{
    if (bytes != 0)
        step_ = exchange_step::receiving;
    // An end without TLS's goodbye may be anybody's on the path (RFC 9112, 9.8).
    bool const cut = ec == asio::ssl::error::stream_truncated;
    if (!ec)
        reader_.take(bytes, failure_);
    else if (cut && step_ == exchange_step::receiving)
        failure_ = boost::beast::http::error::partial_message;
    else if (ec == asio::error::eof && step_ == exchange_step::receiving)
        reader_.close(failure_);
    else if (write_failure_)
        failure_ = write_failure_;
    else
        failure_ = cut ? error_code(asio::error::eof) : ec;
}

namespace {

/// Who sends faster than we read has no claim on the thread: others get a turn after so many bytes.
constexpr std::size_t turn = 256u << 10;

} // namespace

asio::awaitable<void> run(exchange& e, byte_stream& stream, reply_reader& reader)
{
    std::size_t since_turn = 0;
    if (e.unsent().size() != 0) {
        error_code const ec = co_await stream.write(e.unsent());
        e.written(ec);
    }
    // Of many that are under way at once, as the lists of a thousand feeds, each has a buffer only from its reply on.
    bool is_there = reader.has_buffer();
    while (!e.over()) {
        // One that came together with bytes would be thrown at the next wait, which says less.
        auto const state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            e.read(asio::error::operation_aborted, 0);
            break;
        }
        if (!is_there) {
            error_code const ec = co_await stream.wait_readable();
            if (ec)
                e.read(ec, 0);
            is_there = true;
            continue;
        }
        io_result const got = co_await stream.read_some(reader.room());
        e.read(got.ec, got.bytes);
        since_turn += got.bytes;
        if (since_turn >= turn) {
            since_turn = 0;
            asio::any_io_executor const here = co_await asio::this_coro::executor;
            co_await asio::post(here, asio::use_awaitable);
        }
    }
}

} // namespace plex::net
