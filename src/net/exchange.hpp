#pragma once

#include "net/byte_stream.hpp"
#include "net/reply_reader.hpp"

#include <boost/asio/awaitable.hpp>

#include <string_view>

namespace plex::net {

enum class exchange_step : unsigned char {
    sending,
    waiting,   ///< all is sent, nothing has come
    receiving, ///< some of the reply has come
};

/// "sending the request", …
char const* to_string(exchange_step) noexcept;

/// One request and its reply, without the waiting: a coroutine that writes `unsent()` and reads into the reader's room
/// has no need of another one's frame for it.
class exchange
{
public:
    /// Sends what can be sent at once.
    /// @param request head and body as they go on the wire
    exchange(byte_stream& stream, std::string_view request, reply_reader& reader);

    /// What is yet to be written, when the exchange begins.
    asio::const_buffer unsent() const noexcept { return unsent_; }
    void written(error_code);
    void read(error_code, std::size_t bytes);
    bool over() const noexcept { return failure_ || reader_.done(); }

    error_code failure() const noexcept { return failure_; } ///< as the stream or the reader put it
    exchange_step step() const noexcept { return step_; }
    /// Another request may be sent on this connection; after a failure it is to be discarded.
    bool reusable() const noexcept { return !failure_ && !write_failure_ && reader_.reusable(); }

private:
    reply_reader& reader_;
    asio::const_buffer unsent_;
    error_code write_failure_;
    error_code failure_;
    exchange_step step_ = exchange_step::sending;
};

/// For whom a frame more is nothing.
asio::awaitable<void> run(exchange&, byte_stream&, reply_reader&);

} // namespace plex::net
