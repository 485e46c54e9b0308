#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plex::service {

/// What one client, or all of them, can take of us.
struct http_limits {
    std::size_t connections = 256;             ///< further ones get a 503
    std::size_t refused = 64;                  ///< at once that are told so; yet further ones are dropped
    std::size_t readers = 200;                 ///< of the event stream, at once; further ones get a 503
    std::size_t header = 8 << 10;              ///< bytes of a request's head: 431
    std::size_t body = 4 << 10;                ///< bytes of a request's body: 413
    std::chrono::milliseconds request{10'000}; ///< from the connection, or the reply before, to the whole request
    std::chrono::milliseconds write{20'000};   ///< for a client to take a reply, or a piece of the event stream
    std::chrono::milliseconds silence{15'000}; ///< of the event stream, until a comment shows that it is alive
};

/// A request that was read whole.
struct http_request {
    http_request();
    ~http_request();
    http_request(http_request&&) noexcept;

    std::string method;
    std::string target; ///< as sent
    std::string host;   ///< empty where there is none, or more than one
    bool has_origin = false;
    std::string origin;
    std::string authorization;
    std::string content_type;
    std::string body;
};

/// The next piece of an event stream; null while there is nothing to say.
using event_source = std::function<std::shared_ptr<std::string const>()>;

/// What is answered.
struct http_reply {
    http_reply();
    ~http_reply();
    http_reply(http_reply&&) noexcept;
    http_reply& operator=(http_reply&&) noexcept;

    unsigned status = 200;
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    event_source events; ///< where set, what follows in place of the body
};

/// A server of HTTP/1.1 for a page and its event stream. Belongs on its executor, which runs no two handlers at a time.
///
/// A reader of the event stream that takes nothing for `http_limits::write` is dropped. It has no queue: it is given
/// what is new when it has taken what was.
class http_server
{
public:
    using answer_function = std::function<boost::asio::awaitable<http_reply>(http_request)>;

    /// Listens when it returns.
    /// @throws boost::system::system_error where it cannot
    http_server(boost::asio::any_io_executor executor, boost::asio::ip::tcp::endpoint const&, http_limits const&,
                answer_function);
    /// As `stop()`.
    ~http_server();
    http_server(http_server const&) = delete;
    http_server& operator=(http_server const&) = delete;

    boost::asio::ip::tcp::endpoint local_endpoint() const;
    /// Readers of event streams look whether there is something for them.
    void wake_readers();
    /// Now.
    std::size_t readers() const noexcept;
    /// Drops all connections and listens no more.
    void stop();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace plex::service
