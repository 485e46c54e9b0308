#include "testing/wire.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>

namespace plex::testing {

using asio::ip::tcp;

class tls_identity
{
public:
    asio::ssl::context context{asio::ssl::context::tls_server};
};

namespace {

class tcp_wire final : public wire
{
public:
    tcp_wire(tcp::socket socket, std::shared_ptr<socket_registry> registry)
        : wire(socket.get_executor(), std::move(registry)), socket_(std::move(socket))
    {
    }
    ~tcp_wire() override { close(); }

private:
    tcp::socket& socket() override { return socket_; }
    asio::awaitable<error_code> do_handshake() override { co_return error_code(); }
    asio::awaitable<void> do_goodbye() override { co_return; }
    void do_read(asio::mutable_buffer buffer, io_handler completion) override
    {
        socket_.async_read_some(buffer, std::move(completion));
    }
    void do_write(asio::const_buffer buffer, io_handler completion) override
    {
        asio::async_write(socket_, buffer, std::move(completion));
    }

    tcp::socket socket_;
};

class tls_wire final : public wire
{
public:
    tls_wire(tcp::socket socket, std::shared_ptr<tls_identity> identity, std::shared_ptr<socket_registry> registry)
        : wire(socket.get_executor(), std::move(registry)), identity_(std::move(identity)),
          stream_(std::move(socket), identity_->context)
    {
    }
    ~tls_wire() override { close(); }

private:
    tcp::socket& socket() override { return stream_.next_layer(); }
    asio::awaitable<error_code> do_handshake() override
    {
        auto [failure] =
            co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::as_tuple(asio::use_awaitable));
        co_return failure;
    }
    asio::awaitable<void> do_goodbye() override
    {
        co_await stream_.async_shutdown(asio::as_tuple(asio::use_awaitable));
    }
    void do_read(asio::mutable_buffer buffer, io_handler completion) override
    {
        stream_.async_read_some(buffer, std::move(completion));
    }
    void do_write(asio::const_buffer buffer, io_handler completion) override
    {
        asio::async_write(stream_, buffer, std::move(completion));
    }

    std::shared_ptr<tls_identity> identity_;
    asio::ssl::stream<tcp::socket> stream_;
};

} // namespace

void socket_registry::shutdown_all()
{
    std::lock_guard const lock(mutex);
    for (auto const socket : sockets)
        ::shutdown(socket, 2 /* both ways, by any system's name */);
}

std::shared_ptr<tls_identity> load_identity(std::string const& certificate_pem, std::string const& private_key_pem)
{
    auto identity = std::make_shared<tls_identity>();
    identity->context.use_certificate_chain(asio::buffer(certificate_pem));
    identity->context.use_private_key(asio::buffer(private_key_pem), asio::ssl::context::pem);
    return identity;
}

std::shared_ptr<wire> wire::over(tcp::socket socket, std::shared_ptr<tls_identity> identity,
                                 std::shared_ptr<socket_registry> registry)
{
    {
        std::lock_guard const lock(registry->mutex);
        registry->sockets.insert(socket.native_handle());
    }
    if (identity)
        return std::make_shared<tls_wire>(std::move(socket), std::move(identity), std::move(registry));
    return std::make_shared<tcp_wire>(std::move(socket), std::move(registry));
}

wire::wire(asio::any_io_executor executor, std::shared_ptr<socket_registry> registry)
    : registry_(std::move(registry)), flushed_(executor, asio::steady_timer::time_point::max())
{
}

asio::awaitable<bool> wire::handshake()
{
    auto const self = shared_from_this();
    error_code const failure = co_await do_handshake();
    co_return !failure;
}

void wire::send(std::string_view bytes)
{
    append(bytes);
    write_on();
}

void wire::append(std::string_view bytes)
{
    if (sending_ended_ || !is_open())
        return;
    if (left_) {
        bytes = bytes.substr(0, *left_);
        *left_ -= bytes.size();
    }
    out_.append(bytes);
}

void wire::write_on()
{
    if (writing_ || frozen_ || corked_ || !is_open())
        return;
    if (out_.empty()) {
        if (left_ == 0U)
            shutdown_sending();
        flushed_.cancel();
        return;
    }
    writing_ = true;
    in_flight_.clear();
    in_flight_.swap(out_);
    do_write(asio::buffer(in_flight_),
             [self = shared_from_this()](error_code result, std::size_t) { self->written(result); });
}

void wire::written(error_code result)
{
    writing_ = false;
    if (result)
        close();
    else
        write_on();
    if (on_written_)
        on_written_();
}

asio::awaitable<void> wire::flushed()
{
    auto const self = shared_from_this();
    while (is_open() && !idle())
        co_await flushed_.async_wait(asio::as_tuple(asio::use_awaitable));
}

void wire::cut_after(std::size_t bytes)
{
    left_ = bytes;
    if (idle())
        write_on();
}

void wire::uncork()
{
    corked_ = false;
    write_on();
}

void wire::thaw()
{
    frozen_ = false;
    write_on();
}

asio::awaitable<void> wire::goodbye()
{
    auto const self = shared_from_this();
    if (frozen_)
        close(); // What waits here will never leave.
    co_await flushed();
    if (!is_open())
        co_return;
    if (!sending_ended_)
        co_await do_goodbye();
    shutdown_sending();
    // Closing with unread bytes would reset the connection, and the peer might lose what it was just sent.
    std::array<char, 4096> rest;
    error_code result;
    while (is_open() && !result) {
        auto [failure, size] =
            co_await socket().async_read_some(asio::buffer(rest), asio::as_tuple(asio::use_awaitable));
        result = failure;
    }
    close();
}

void wire::shutdown_sending()
{
    sending_ended_ = true;
    out_.clear();
    error_code ignored;
    socket().shutdown(tcp::socket::shutdown_send, ignored);
}

void wire::close(bool reset)
{
    if (!is_open())
        return;
    error_code ignored;
    if (reset)
        socket().set_option(tcp::socket::linger(true, 0), ignored);
    {
        std::lock_guard const lock(registry_->mutex);
        registry_->sockets.erase(socket().native_handle());
        socket().close(ignored);
    }
    out_.clear();
    flushed_.cancel();
}

void beast_close_socket(wire& stream)
{
    stream.close();
}

void teardown(boost::beast::role_type, wire& stream, error_code& result)
{
    stream.close();
    result = {};
}

void goodbye_then(wire& stream, wire::handler completion)
{
    asio::co_spawn(
        stream.get_executor(), [self = stream.shared_from_this()] { return self->goodbye(); },
        [completion = std::move(completion)](std::exception_ptr const&) mutable {
            std::move(completion)(error_code());
        });
}

} // namespace plex::testing
