#include "net/byte_stream.hpp"

#include <plex/error.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace plex::net {

namespace ssl = asio::ssl;

std::shared_ptr<ssl::context> make_tls_context(std::string const& ca_file, bool insecure)
{
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    if (insecure) {
        context->set_verify_mode(ssl::verify_none);
        return context;
    }
    context->set_verify_mode(ssl::verify_peer);
    error_code ec;
    if (ca_file.empty())
        context->set_default_verify_paths(ec);
    else
        context->load_verify_file(ca_file, ec);
    if (ec)
        throw error(errc::invalid_argument, "the CA file '" + ca_file + "' cannot be used (" + ec.message() + ")");
    return context;
}

namespace {

class tls_stream final : public byte_stream
{
public:
    tls_stream(scope& s, asio::ip::tcp::socket socket, ssl::context& context)
        : byte_stream(s), stream_(std::move(socket), context)
    {
    }

    asio::awaitable<error_code> handshake(std::string const& host, bool insecure)
    {
        if (!name_peer(host, insecure))
            co_return error_code(asio::error::invalid_argument);
        error_code ec;
        co_await stream_.async_handshake(ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, ec));
        if (!insecure && ec && SSL_get_verify_result(stream_.native_handle()) != X509_V_OK) {
            // "certificate verify failed" alone does not tell an expired certificate from an unknown issuer.
            ec = error_code(static_cast<int>(SSL_get_verify_result(stream_.native_handle())), verify_category());
        }
        co_return ec;
    }

    io_result try_read(asio::mutable_buffer buffer) override
    {
        io_result result;
        result.bytes = std::min(buffer.size(), received_ - taken_);
        if (result.bytes == 0) {
            result.ec = failure_ ? failure_ : error_code(asio::error::would_block);
            return result;
        }
        std::memcpy(buffer.data(), buffer_.data() + taken_, result.bytes);
        taken_ += result.bytes;
        return result;
    }

    asio::awaitable<error_code> wait_readable() override
    {
        if (taken_ == received_ && !failure_) {
            error_code ec;
            std::size_t const bytes =
                co_await stream_.async_read_some(asio::buffer(buffer_), asio::redirect_error(asio::use_awaitable, ec));
            taken_ = 0;
            received_ = bytes;
            // A peer that closes without TLS's goodbye is common; whether anything is missing shows in the framing
            // above.
            failure_ = ec == ssl::error::stream_truncated ? error_code(asio::error::eof) : ec;
            if (bytes == 0)
                co_return failure_;
        }
        co_return error_code();
    }

    void notify_readable(std::shared_ptr<void> keeps, readable_listener& listener) override
    {
        asio::co_spawn(executor(), wait_readable(),
                       [keeps = std::move(keeps), &listener](std::exception_ptr, error_code ec) mutable {
                           listener.readable(ec, std::move(keeps));
                       });
    }

    io_result try_write(asio::const_buffer) override { return {}; }

    asio::awaitable<error_code> write(asio::const_buffer buffer) override
    {
        error_code ec;
        co_await asio::async_write(stream_, buffer, asio::redirect_error(asio::use_awaitable, ec));
        co_return ec;
    }

    asio::awaitable<void> say_goodbye() override
    {
        error_code ignored;
        co_await stream_.async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
    }

    void close() noexcept override
    {
        error_code ignored;
        stream_.next_layer().close(ignored);
    }

    bool is_open() const noexcept override { return stream_.next_layer().is_open(); }

    // What comes unasked between two replies is most likely TLS's goodbye; whatever it is, it is not looked into.
    bool is_quiet() noexcept override
    {
        return taken_ == received_ && !failure_ && byte_stream::is_quiet(stream_.next_layer());
    }

private:
    // OpenSSL's own check of the name, not one in a callback: it says "hostname mismatch" where that is what is wrong.
    bool name_peer(std::string const& host, bool insecure)
    {
        SSL* const ssl = stream_.native_handle();
        X509_VERIFY_PARAM* const wanted = SSL_get0_param(ssl);
        X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        error_code no_address;
        auto const address = asio::ip::make_address(host, no_address);
        if (no_address) {
            // RFC 6066: no literal addresses in the server name extension.
            return SSL_set_tlsext_host_name(ssl, host.c_str()) == 1 &&
                   (insecure || X509_VERIFY_PARAM_set1_host(wanted, host.data(), host.size()) == 1);
        }
        if (insecure)
            return true;
        if (address.is_v4()) {
            auto const bytes = address.to_v4().to_bytes();
            return X509_VERIFY_PARAM_set1_ip(wanted, bytes.data(), bytes.size()) == 1;
        }
        auto const bytes = address.to_v6().to_bytes();
        return X509_VERIFY_PARAM_set1_ip(wanted, bytes.data(), bytes.size()) == 1;
    }

    class verify_error_category final : public boost::system::error_category
    {
        char const* name() const noexcept override { return "certificate"; }
        std::string message(int value) const override { return X509_verify_cert_error_string(value); }
    };
    static boost::system::error_category const& verify_category()
    {
        static verify_error_category const instance;
        return instance;
    }

    ssl::stream<asio::ip::tcp::socket> stream_;
    std::array<char, 16 * 1024> buffer_; // one TLS record
    std::size_t taken_ = 0;
    std::size_t received_ = 0;
    error_code failure_;
};

} // namespace

asio::awaitable<tls_handshake> make_tls_stream(scope& s, asio::ip::tcp::socket socket, tls_settings const& settings,
                                               steady_time deadline)
{
    auto stream = std::make_unique<tls_stream>(s, std::move(socket), *settings.context);
    stream->expires_at(deadline);
    tls_handshake result;
    result.ec = co_await stream->handshake(settings.host, settings.insecure);
    if (stream->expired())
        result.ec = asio::error::timed_out;
    result.stream = std::move(stream);
    co_return result;
}

} // namespace plex::net
