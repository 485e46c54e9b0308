#pragma once

#include "net/scope.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace plex::net {

using boost::system::error_code;

using stream_socket = asio::generic::stream_protocol::socket; ///< TCP's or a Unix socket

struct io_result {
    error_code ec;
    std::size_t bytes = 0;
};

class byte_stream;

/// Is told that a stream's deadline has come and it has closed; may destroy it.
class expiry_listener
{
public:
    virtual void expired(byte_stream&) noexcept = 0;

protected:
    ~expiry_listener() = default;
};

/// Is told once that there may be something to read, or of the failure that says why nothing more comes.
class readable_listener
{
public:
    /// @param keeps as it was given
    virtual void readable(error_code, std::shared_ptr<void> keeps) = 0;

protected:
    ~readable_listener() = default;
};

/// A connection, plain or TLS, with one deadline. Reading is split in two so that a connection that waits holds no
/// buffer: `wait_readable` suspends, `try_read` fills whatever buffer the caller then has.
class byte_stream : public stoppable
{
public:
    virtual ~byte_stream();

    /// `would_block` when there is nothing now; `eof` when the peer has closed.
    virtual io_result try_read(asio::mutable_buffer) = 0;
    virtual asio::awaitable<error_code> wait_readable() = 0;
    /// The same without a coroutine: whoever reads for weeks has no frames meanwhile.
    /// @param keeps held until the listener is told, or the execution context goes
    virtual void notify_readable(std::shared_ptr<void> keeps, readable_listener&) = 0;
    /// As much as can be sent at once, perhaps nothing: `bytes` are.
    virtual io_result try_write(asio::const_buffer) = 0;
    /// All of it.
    virtual asio::awaitable<error_code> write(asio::const_buffer) = 0;
    /// TLS: sends its goodbye and waits for the peer's; else there is nothing to say.
    virtual asio::awaitable<void> say_goodbye() = 0;
    /// Ends what is pending with an error.
    virtual void close() noexcept = 0;
    /// Nothing has come that was not read, neither bytes nor the end. Asks the system, waits for nothing.
    virtual bool is_quiet() noexcept = 0;

    /// The socket, where there is nothing between it and the reader, else null. To read from it directly costs two
    /// system calls less than `read_some`: Asio knows from the last read whether it is worth trying at once.
    virtual stream_socket* plain() noexcept { return nullptr; }
    /// `try_read`, waiting as often as it takes.
    asio::awaitable<io_result> read_some(asio::mutable_buffer);

    /// From then on the stream is closed by itself. The timer behind it is set again only when it has run off, so that
    /// moving the deadline costs nothing. `steady_time::max()` is none, and takes no memory.
    /// @param listener is told of that; null for nobody. It outlives the stream, or the next deadline replaces it
    void expires_at(steady_time, expiry_listener* listener = nullptr);
    bool expired() const noexcept { return expired_; }

    void stop() noexcept final { close(); }

protected:
    explicit byte_stream(scope& s) : scope_(s) { s.add(*this); }
    asio::any_io_executor const& executor() const noexcept { return scope_.executor(); }
    static bool is_quiet(stream_socket&) noexcept;

private:
    struct watchdog {
        explicit watchdog(asio::any_io_executor const& executor) : timer(executor) {}
        asio::steady_timer timer;
        byte_stream* stream = nullptr; // null once the stream is gone
        steady_time deadline = steady_time::max();
        steady_time armed_for = steady_time::max();
        expiry_listener* listener = nullptr;
    };
    static void arm(std::shared_ptr<watchdog> const&);
    void dismiss_watchdog() noexcept;

    scope& scope_;
    std::shared_ptr<watchdog> watchdog_; // null where there is no deadline
    bool expired_ = false;
};

std::unique_ptr<byte_stream> make_plain_stream(scope&, stream_socket);

} // namespace plex::net
