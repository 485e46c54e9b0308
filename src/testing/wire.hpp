#pragma once
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace plex::testing {

namespace asio = boost::asio;
using boost::system::error_code;

/// The open sockets of one server, so that `stop()` can shut them from any thread, and at once.
struct socket_registry {
    std::mutex mutex;
    std::set<asio::ip::tcp::socket::native_handle_type> sockets;

    void shutdown_all();
};

class tls_identity;
std::shared_ptr<tls_identity> load_identity(std::string const& certificate_pem, std::string const& private_key_pem);

/// The bytes of one connection, over TCP or TLS. What is written is collected in memory and sent in order by one
/// write at a time; so a thousand small frames cost one system call, a reply can be cut at a byte, and Beast's stream
/// over it can be written to synchronously while its read is pending. All of it belongs on the server's strand.
class wire : public std::enable_shared_from_this<wire>
{
public:
    using executor_type = asio::any_io_executor;
    using io_handler = asio::any_completion_handler<void(error_code, std::size_t)>;
    using handler = asio::any_completion_handler<void(error_code)>;

    static std::shared_ptr<wire> over(asio::ip::tcp::socket socket, std::shared_ptr<tls_identity> identity,
                                      std::shared_ptr<socket_registry> registry);
    virtual ~wire() = default;
    wire(wire const&) = delete;
    wire& operator=(wire const&) = delete;

    executor_type get_executor() { return socket().get_executor(); }
    bool is_open() { return socket().is_open(); }

    asio::awaitable<bool> handshake();
    /// Adds bytes to what is sent.
    void send(std::string_view bytes);
    /// Waits until all of it is in the kernel's hands, or the connection is gone.
    asio::awaitable<void> flushed();
    bool idle() const { return out_.empty() && !writing_; }
    std::size_t backlog() const { return out_.size(); }
    /// Frames that follow each other leave together.
    void cork() { corked_ = true; }
    void uncork();
    /// Called after each write.
    void on_written(std::function<void()> function) { on_written_ = std::move(function); }

    /// Ends the stream after so many more bytes; what is sent afterwards is dropped.
    void cut_after(std::size_t bytes);
    void freeze() { frozen_ = true; }
    void thaw();
    /// Ends the stream as each layer wants it, and reads until the peer has done so too.
    asio::awaitable<void> goodbye();
    void shutdown_sending();
    void close(bool reset = false);

    // What Beast asks of a stream.
    template <class Buffers, class Token>
    auto async_read_some(Buffers const& buffers, Token&& token)
    {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [this](auto completion, asio::mutable_buffer buffer) { do_read(buffer, std::move(completion)); }, token,
            first_of(buffers));
    }
    template <class Buffers, class Token>
    auto async_write_some(Buffers const& buffers, Token&& token)
    {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [this](auto completion, std::size_t size, error_code result) {
                auto executor = asio::get_associated_executor(completion, get_executor());
                asio::post(executor,
                           [completion = std::move(completion), result, size]() mutable { completion(result, size); });
            },
            token, send_all(buffers), is_open() ? error_code() : error_code(asio::error::operation_aborted));
    }
    template <class Buffers>
    std::size_t write_some(Buffers const& buffers, error_code& result)
    {
        result = is_open() ? error_code() : error_code(asio::error::operation_aborted);
        return send_all(buffers);
    }
    template <class Buffers>
    std::size_t write_some(Buffers const& buffers)
    {
        return send_all(buffers);
    }
    template <class Buffers>
    std::size_t read_some(Buffers const&, error_code& result)
    {
        result = asio::error::operation_not_supported;
        return 0;
    }
    template <class Buffers>
    std::size_t read_some(Buffers const&)
    {
        return 0;
    }

protected:
    wire(asio::any_io_executor executor, std::shared_ptr<socket_registry> registry);

    virtual asio::ip::tcp::socket& socket() = 0;
    virtual asio::awaitable<error_code> do_handshake() = 0;
    virtual asio::awaitable<void> do_goodbye() = 0;
    virtual void do_read(asio::mutable_buffer buffer, io_handler completion) = 0;
    virtual void do_write(asio::const_buffer buffer, io_handler completion) = 0;

private:
    template <class Buffers>
    static asio::mutable_buffer first_of(Buffers const& buffers)
    {
        auto const end = asio::buffer_sequence_end(buffers);
        for (auto i = asio::buffer_sequence_begin(buffers); i != end; ++i)
            if (asio::mutable_buffer buffer = *i; buffer.size() != 0)
                return buffer;
        return {};
    }
    template <class Buffers>
    std::size_t send_all(Buffers const& buffers)
    {
        std::size_t size = 0;
        auto const end = asio::buffer_sequence_end(buffers);
        for (auto i = asio::buffer_sequence_begin(buffers); i != end; ++i) {
            asio::const_buffer const buffer = *i;
            append({static_cast<char const*>(buffer.data()), buffer.size()});
            size += buffer.size();
        }
        write_on();
        return size;
    }
    void append(std::string_view bytes);
    void write_on();
    void written(error_code result);

    std::shared_ptr<socket_registry> registry_;
    std::string out_;
    std::string in_flight_;
    bool writing_ = false;
    bool frozen_ = false;
    bool corked_ = false;
    bool sending_ended_ = false;
    std::optional<std::size_t> left_;
    std::function<void()> on_written_;
    asio::steady_timer flushed_;
};

// Found by Beast when a WebSocket has ended, by force or with its goodbyes said.
void beast_close_socket(wire& stream);
void teardown(boost::beast::role_type, wire& stream, error_code& result);
void goodbye_then(wire& stream, wire::handler completion);
template <class Handler>
void async_teardown(boost::beast::role_type, wire& stream, Handler&& completion)
{
    goodbye_then(stream, wire::handler(std::forward<Handler>(completion)));
}

} // namespace plex::testing
