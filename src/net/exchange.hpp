#pragma once

#include "net/byte_stream.hpp"
#include "net/reply_stream.hpp"

#include <plex/request.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace plex::net {

struct reply_limits {
    std::size_t header = 64u << 10;
    std::size_t body = 8u << 20;
};

enum class exchange_step : unsigned char {
    sending,
    waiting,   ///< all is sent, nothing has come
    receiving, ///< some of the reply has come
};

/// "sending the request", …
char const* to_string(exchange_step) noexcept;

struct exchanged {
    error_code ec; ///< as the stream or Beast's parser put it
    exchange_step step = exchange_step::sending;
    reply answer;
    std::string beyond;                   ///< bytes read past the reply: the first frames after an upgrade
    bool reusable = false;                ///< whether another request may be sent on this connection
    std::unique_ptr<reply_stream> events; ///< the body of an event stream
};

/// What a reply may be, beside a header with a whole body.
enum class expecting : unsigned char {
    body,
    no_body,      ///< the request is a HEAD
    event_stream, ///< a 200 of that type ends with its header, the rest is in `events` and `beyond`
};

/// Sends one request and reads its reply, by Beast's parser. A 101 ends with its header. After an error the stream is
/// to be discarded.
/// @param request head and body as they go on the wire; must stay as it is until the end
asio::awaitable<exchanged> exchange(byte_stream&, std::string const& request, reply_limits, expecting);

} // namespace plex::net
