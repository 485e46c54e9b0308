#pragma once
// The two transports of the feed, each from the request for it to the end of its connection.
#include "testing/server_state.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>

namespace plex::testing {

using http_request = boost::beast::http::request<boost::beast::http::string_body>;

asio::awaitable<void> serve_websocket(std::shared_ptr<server_state> state, std::shared_ptr<wire> connection,
                                      feed_filter filter, http_request upgrade);
asio::awaitable<void> serve_event_stream(std::shared_ptr<server_state> state, std::shared_ptr<wire> connection,
                                         feed_filter filter);

} // namespace plex::testing
