#include "failure.hpp"

#include "net/dial.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <new>
#include <utility>

namespace plex::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

/// Of a proxy that refuses a tunnel: those it answers with when it cannot reach the server, or not now, are worth
/// another try.
errc condition_of_proxy(int status)
{
    if (status == 407 || status == 401) // tinyproxy's answer to wrong credentials
        return errc::unauthorized;
    if (status == 403)
        return errc::forbidden;
    bool const later = status == 408 || status == 429 || (status >= 500 && status != 501);
    return later ? errc::connection_failed : errc::bad_request;
}

errc condition_of(error_code ec)
{
    if (ec.category() == net::proxy_category())
        return condition_of_proxy(ec.value());
    if (ec == errc::limit_exceeded)
        return errc::limit_exceeded;
    if (ec == asio::error::timed_out)
        return errc::timeout;
    if (ec == http::error::body_limit || ec == http::error::header_limit || ec == http::error::buffer_overflow)
        return errc::limit_exceeded;
    static error_code const of_parser = http::error::bad_version;
    if (ec.category() == of_parser.category() && ec != http::error::partial_message && ec != http::error::end_of_stream)
        return errc::malformed_reply;
    return errc::connection_failed;
}

std::string_view advice_on_proxy(int status)
{
    if (condition_of_proxy(status) == errc::unauthorized)
        return "give it a user and a password that it accepts, in config::proxy";
    if (condition_of_proxy(status) == errc::connection_failed)
        return "it does not reach the server";
    return "it does not let this through: is it a proxy, and may it connect to this port?";
}

/// Of an alert by which a server refuses us.
bool is_about_our_certificate(error_code ec)
{
    switch (ERR_GET_REASON(static_cast<unsigned long>(ec.value()))) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        return true;
    default:
        return false;
    }
}

std::string_view advice(error_code ec, std::string_view origin)
{
    if (ec.category() == net::proxy_category())
        return advice_on_proxy(ec.value());
    if (ec == asio::error::connection_refused)
        return "nothing listens there: is the server running, is the port right?";
    if (ec == asio::error::host_not_found || ec == asio::error::host_not_found_try_again)
        return "the host name does not resolve";
    if (std::string_view(ec.category().name()) == "certificate")
        return "the server's certificate is not accepted: use its plex.direct name, give its CA, or set tls.insecure";
    // An http port closes, or answers in clear text, what it cannot read.
    if (ec.category() == asio::error::get_ssl_category() && is_about_our_certificate(ec))
        return "the server wants a certificate of ours: give one that it accepts in tls.certificate_file";
    if (ec.category() == asio::error::get_ssl_category() || ec == asio::ssl::error::stream_truncated)
        return "TLS failed: is this an https port?";
    if (ec == errc::limit_exceeded)
        return "more calls wait than config::max_waiting";
    if (ec == http::error::body_limit)
        return "the body exceeds config::max_body";
    if (ec == http::error::header_limit)
        return "the header exceeds config::max_header";
    if (condition_of(ec) == errc::malformed_reply)
        return origin.starts_with("https") ? "what answers does not speak HTTP"
                                           : "what answers does not speak HTTP: is this an https port?";
    // "Secure connections: Required" closes plain HTTP without a word (protocol.md 5).
    if (ec == asio::error::eof && !origin.starts_with("https"))
        return "the server closed the connection without an answer: does it require https?";
    if (ec == http::error::partial_message || ec == asio::error::eof)
        return "the server closed the connection before it had answered";
    return {};
}

error make(error_code code, diagnostics::content content)
{
    return error(code, diagnostics(std::move(content)));
}

} // namespace

error network_error(undertaking const& u, error_code ec, std::string_view during)
{
    diagnostics::content content;
    content.message = u.what + " at " + u.origin;
    if (ec == asio::error::operation_aborted) {
        content.message += ": cancelled while " + std::string(during);
        return make(ec, std::move(content));
    }
    content.message += ": " + std::string(during);
    if (std::string_view const hint = advice(ec, u.origin); !hint.empty())
        content.message += " (" + std::string(hint) + ")";
    if (ec != asio::error::timed_out && ec != errc::limit_exceeded)
        content.cause = ec;
    if (ec.category() == net::proxy_category())
        content.http_status = ec.value();
    return make(condition_of(ec), std::move(content));
}

error stopped_error(undertaking const& u)
{
    diagnostics::content content;
    content.message = u.what + " at " + u.origin;
    return make(errc::stopped, std::move(content));
}

error refusal(undertaking const& u, errc code, diagnostics::content said)
{
    said.message = u.what + " at " + u.origin;
    switch (code) {
    case errc::unauthorized:
        said.message += " (give a valid token)";
        break;
    case errc::forbidden:
        said.message += " (the token is valid, its owner lacks the right)";
        break;
    case errc::redirected:
        said.message += " (redirects are not followed: correct the base URL)";
        break;
    case errc::not_found:
        said.message += " (is the base URL right?)";
        break;
    default:
        break;
    }
    return make(code, std::move(said));
}

std::shared_ptr<error const> const& out_of_memory()
{
    static std::shared_ptr<error const> const one = [] {
        diagnostics::content content;
        content.message = "memory has run out";
        error_code const code = make_error_code(boost::system::errc::not_enough_memory);
        return std::make_shared<error const>(code, diagnostics(std::move(content)));
    }();
    return one;
}

error error_of(undertaking const& u, std::exception_ptr thrown)
{
    std::string what;
    try {
        std::rethrow_exception(thrown);
    } catch (error const& e) {
        return e;
    } catch (boost::system::system_error const& e) {
        return network_error(u, e.code(), "going on to the next step");
    } catch (std::bad_alloc const&) {
        return *out_of_memory();
    } catch (std::exception const& e) {
        what = e.what();
    } catch (...) {
        what = "what was thrown is no std::exception";
    }
    diagnostics::content content;
    content.message = u.what + " at " + u.origin + ": getting the token: " + what;
    return make(errc::unauthorized, std::move(content));
}

} // namespace plex::detail
