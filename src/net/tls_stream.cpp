#include "net/tls_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

#include <sys/socket.h>

namespace plex::net {

namespace {

/// What OpenSSL reads from and writes to: its own BIO for sockets raises SIGPIPE, and remembers a descriptor that may
/// be another's after the socket was closed.
struct wire {
    explicit wire(stream_socket s) : socket(std::move(s)) {}

    static int read(BIO* bio, char* into, int size)
    {
        wire& self = of(bio);
        if (self.allowance_ == 0) { // as if there were nothing more: whoever waits for that is told at once
            BIO_clear_retry_flags(bio);
            BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
            return -1;
        }
        std::size_t const wanted = std::min(static_cast<std::size_t>(size), self.allowance_);
        int const got = self.settled(bio, ::recv(self.socket.native_handle(), into, wanted, 0), BIO_FLAGS_READ);
        self.allowance_ -= got > 0 ? static_cast<std::size_t>(got) : 0;
        return got;
    }
    static int write(BIO* bio, char const* from, int size)
    {
        wire& self = of(bio);
        return self.settled(bio,
                            ::send(self.socket.native_handle(), from, static_cast<std::size_t>(size), MSG_NOSIGNAL),
                            BIO_FLAGS_WRITE);
    }
    static long control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

    static BIO_METHOD const* method()
    {
        static BIO_METHOD const* const instance = [] {
            BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "plex socket");
            BIO_meth_set_read(made, read);
            BIO_meth_set_write(made, write);
            BIO_meth_set_ctrl(made, control);
            return made;
        }();
        return instance;
    }

    /// What comes beside data, tickets and new keys, OpenSSL works through as long as there is any: a peer that has
    /// no end of it would never let go of the thread. So each call to OpenSSL gets so much and no more.
    void allow() noexcept { allowance_ = most_at_once; }

    stream_socket socket;
    error_code failure; // of the last call that failed: `eof` when the peer has closed

private:
    static constexpr std::size_t most_at_once = 160u << 10; // more than a read of the feed asks for

    static wire& of(BIO* bio) { return *static_cast<wire*>(BIO_get_data(bio)); }

    int settled(BIO* bio, ssize_t result, int retry)
    {
        BIO_clear_retry_flags(bio);
        if (result > 0)
            return static_cast<int>(result);
        if (result == 0)
            failure = asio::error::eof;
        else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
            BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
        else
            failure = error_code(errno, boost::system::system_category());
        return -1;
    }

    std::size_t allowance_ = most_at_once;
};

class verify_error_category final : public boost::system::error_category
{
    char const* name() const noexcept override { return "certificate"; }
    std::string message(int value) const override { return X509_verify_cert_error_string(value); }
};

/// OpenSSL over a socket that never blocks. Between two calls it holds no buffer, unless there is something in it.
class tls_stream final : public byte_stream
{
public:
    tls_stream(scope& s, stream_socket socket, std::shared_ptr<tls_peer> peer)
        : byte_stream(s), peer_(std::move(peer)), wire_(std::move(socket)), ssl_(peer_->new_connection())
    {
        BIO* const bio = ssl_ ? BIO_new(wire::method()) : nullptr;
        if (!bio) {
            failure_ = asio::error::no_memory;
            return;
        }
        BIO_set_data(bio, &wire_);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl_.get(), bio, bio);
    }

    asio::awaitable<error_code> handshake()
    {
        if (!ssl_)
            co_return failure_;
        while (!failure_) {
            ERR_clear_error();
            wire_.allow();
            int const result = SSL_do_handshake(ssl_.get());
            if (result == 1)
                co_return error_code();
            error_code ec = outcome(result);
            if (ec == asio::error::would_block)
                ec = co_await wait(wanted_);
            failure_ = ec;
        }
        peer_->forget_session();
        if (long const verified = SSL_get_verify_result(ssl_.get()); verified != X509_V_OK && is_verified()) {
            // "certificate verify failed" alone does not tell an expired certificate from an unknown issuer.
            static verify_error_category const category;
            co_return error_code(static_cast<int>(verified), category);
        }
        // Distinct from a peer that closes later, as what does not speak TLS does so.
        co_return failure_ == asio::error::eof ? error_code(asio::ssl::error::stream_truncated) : failure_;
    }

    io_result try_read(asio::mutable_buffer buffer) override
    {
        io_result result;
        wire_.allow();
        while (!failure_ && result.bytes != buffer.size()) {
            std::size_t got = 0;
            ERR_clear_error();
            int const read = SSL_read_ex(ssl_.get(), static_cast<char*>(buffer.data()) + result.bytes,
                                         buffer.size() - result.bytes, &got);
            result.bytes += got;
            result.ec = read == 1 ? error_code() : outcome(read);
            // What is left may be the beginning of a record, whose rest has yet to come.
            unread_ = read == 1 && SSL_has_pending(ssl_.get()) == 1;
            if (result.ec == asio::error::would_block)
                reading_wants_ = wanted_;
            else
                failure_ = result.ec;
            if (!unread_)
                break;
        }
        if (result.bytes != 0)
            result.ec = {};
        else if (failure_)
            result.ec = failure_;
        return result;
    }

    asio::awaitable<error_code> wait_readable() override
    {
        if (unread_ || failure_)
            return at_once();
        return wait(reading_wants_);
    }

    void notify_readable(std::shared_ptr<void> keeps, readable_listener& listener) override
    {
        auto tell = [keeps = std::move(keeps), &listener](error_code ec) mutable {
            listener.readable(ec, std::move(keeps));
        };
        if (unread_ || failure_)
            asio::post(executor(), [tell = std::move(tell)]() mutable { tell(error_code()); });
        else
            wire_.socket.async_wait(reading_wants_, asio::bind_executor(executor(), std::move(tell)));
    }

    io_result try_write(asio::const_buffer buffer) override
    {
        io_result result;
        result.ec = failure_;
        while (!result.ec && result.bytes != buffer.size()) {
            std::size_t sent = 0;
            ERR_clear_error();
            int const written = SSL_write_ex(ssl_.get(), static_cast<char const*>(buffer.data()) + result.bytes,
                                             buffer.size() - result.bytes, &sent);
            result.bytes += sent;
            if (written != 1)
                result.ec = outcome(written);
        }
        if (result.ec == asio::error::would_block)
            result.ec = {};
        return result;
    }

    asio::awaitable<error_code> write(asio::const_buffer buffer) override
    {
        for (;;) {
            io_result const sent = try_write(buffer);
            buffer += sent.bytes;
            if (sent.ec || buffer.size() == 0)
                co_return sent.ec;
            error_code const ec = co_await wait(wanted_);
            if (ec)
                co_return ec;
        }
    }

    asio::awaitable<void> say_goodbye() override
    {
        // The first call sends ours, and what follows waits for the peer's.
        for (bool over = failure_.failed(); !over;) {
            ERR_clear_error();
            wire_.allow();
            int const result = SSL_shutdown(ssl_.get());
            if (result == 0)
                continue;
            over = result == 1 || outcome(result) != asio::error::would_block;
            if (!over) {
                error_code const ec = co_await wait(wanted_);
                over = ec.failed();
            }
        }
    }

    void close() noexcept override
    {
        error_code ignored;
        wire_.socket.close(ignored);
    }

    // Tickets and new keys come unasked and are taken in here; what is left then was meant for a reader.
    bool is_quiet() noexcept override
    {
        if (failure_)
            return false;
        char byte = 0;
        std::size_t size = 0;
        ERR_clear_error();
        wire_.allow();
        int const peeked = SSL_peek_ex(ssl_.get(), &byte, 1, &size);
        return peeked != 1 && outcome(peeked) == asio::error::would_block && SSL_has_pending(ssl_.get()) == 0;
    }

private:
    static asio::awaitable<error_code> at_once() { co_return error_code(); }

    asio::awaitable<error_code> wait(stream_socket::wait_type what)
    {
        // Deferred, as use_awaitable would cost a coroutine frame of its own.
        auto waiting = wire_.socket.async_wait(what, asio::as_tuple(asio::deferred));
        std::tuple<error_code> const result = co_await std::move(waiting);
        co_return std::get<0>(result);
    }

    bool is_verified() const noexcept { return SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE; }

    /// Of a call that did not succeed; `would_block` where it is to be repeated after `wait(wanted_)`.
    error_code outcome(int result) noexcept
    {
        switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            wanted_ = stream_socket::wait_read;
            return asio::error::would_block;
        case SSL_ERROR_WANT_WRITE:
            wanted_ = stream_socket::wait_write;
            return asio::error::would_block;
        case SSL_ERROR_ZERO_RETURN:
            return asio::error::eof;
        case SSL_ERROR_SSL:
            return error_code(static_cast<int>(ERR_get_error()), asio::error::get_ssl_category());
        default:
            if (!wire_.socket.is_open())
                return asio::error::operation_aborted;
            // A peer that closes without TLS's goodbye is common; whether anything is missing shows in the framing
            // above, if it has a length.
            return wire_.failure && wire_.failure != asio::error::eof ? wire_.failure
                                                                      : error_code(asio::ssl::error::stream_truncated);
        }
    }

    std::shared_ptr<tls_peer> const peer_;
    wire wire_;
    std::unique_ptr<SSL, ssl_deleter> ssl_;
    stream_socket::wait_type wanted_ = stream_socket::wait_read;        // by the last call that would have blocked
    stream_socket::wait_type reading_wants_ = stream_socket::wait_read; // and by the last such reading
    bool unread_ = false; // something has come of which the next read may make something
    error_code failure_;  // of reading: final
};

} // namespace

asio::awaitable<tls_handshake> make_tls_stream(scope& s, stream_socket socket, std::shared_ptr<tls_peer> peer,
                                               steady_time deadline)
{
    auto stream = std::make_unique<tls_stream>(s, std::move(socket), std::move(peer));
    stream->expires_at(deadline);
    tls_handshake result;
    result.ec = co_await stream->handshake();
    if (stream->expired())
        result.ec = asio::error::timed_out;
    result.stream = std::move(stream);
    co_return result;
}

} // namespace plex::net
