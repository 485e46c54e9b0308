#pragma once

/// @file
/// What can go wrong, what the server said about it, and whether it is worth trying again.

#include <plex/abi.hpp>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace plex {

using boost::system::error_code;

/// The conditions this library reports; what a server means by a status is in docs/protocol.md 1.2, 1.5. A cancelled
/// wait reports `boost::asio::error::operation_aborted`, as Asio does.
enum class errc {
    invalid_argument = 1,  ///< refused before anything was sent
    bad_request,           ///< the server answered 400
    not_found,             ///< the server answered 404
    redirected,            ///< the server answered 3xx; redirects are not followed: correct the base URL
    unauthorized,          ///< 401: the token is missing, wrong or expired; 407: the proxy's credentials are
    forbidden,             ///< 403: the token is good, its owner may not do this; or a proxy may not connect there
    activity_not_found,    ///< no such activity runs (any more): 404 to a cancel
    not_cancellable,       ///< 400 to a cancel: this activity cannot be cancelled
    server_error,          ///< 5xx, or a status that no rule covers
    malformed_reply,       ///< the reply is not what it should be; the diagnostics say what came
    limit_exceeded,        ///< a configured bound was exceeded
    subscriber_overflow,   ///< this subscriber did not take its events and its mailbox is full
    timeout,               ///< a deadline passed; the message says what was being waited for
    stopped,               ///< the client or feed was stopped or destroyed
    operation_in_progress, ///< a second concurrent wait on one feed
    connection_failed,     ///< no connection, or it was lost; `diagnostics::cause` has the system's reason
};

/// The category of `errc`; its name is "plex".
PLEX_API boost::system::error_category const& error_category() noexcept;

/// The code of a condition; found by argument-dependent lookup, so that `code == plex::errc::timeout` works.
PLEX_API error_code make_error_code(errc) noexcept;

/// Whether the same call may succeed later without anybody changing anything: lost connections, time-outs and server
/// errors are, refusals and broken limits are not.
PLEX_API bool is_retryable(error_code) noexcept;

/// One entry of the `errors` array that some replies carry (docs/protocol.md 1.5).
struct server_error_entry {
    /// The server's own number for what is wrong.
    int code = 0;
    /// The HTTP status as the entry repeats it; 0 where it does not.
    int status = 0;
    /// The server's words: valid UTF-8 without control characters.
    std::string message;
};

/// What is known about a failure. The server's words are untrusted and therefore kept apart from ours; both are valid
/// UTF-8 without control characters. A copy is one atomic increment; reading is safe on any thread. The references that
/// accessors return live as long as a copy of the same value: one that is filled anew by a further call is another.
class PLEX_API diagnostics
{
public:
    /// Nothing is known.
    diagnostics() noexcept = default;

    /// What was being done, to which server, and what to do about it. Never contains the token.
    std::string const& message() const noexcept;
    /// The HTTP status of the reply, or of the proxy's; 0 when there was none.
    int http_status() const noexcept;
    /// The server's own error entries; mostly empty.
    std::vector<server_error_entry> const& server_errors() const noexcept;
    /// The beginning of the reply's body, at most 200 bytes, safe to print. That of a reply which does not refuse, but
    /// cannot be read, may hold titles, which are private: `error::what()` leaves it out.
    std::string const& body_excerpt() const noexcept;
    /// The system's, TLS's or resolver's reason behind `connection_failed`.
    error_code cause() const noexcept;
    /// How long the server asks to be left alone (`Retry-After`, docs/protocol.md 1.5); empty where it said nothing.
    std::optional<std::chrono::seconds> retry_after() const noexcept;

    /// What it is made of; each member is what the function of that name gives.
    struct content {
        std::string message;                             ///< ours
        int http_status = 0;                             ///< 0 when there was no reply
        std::vector<server_error_entry> server_errors;   ///< the server's
        std::string body_excerpt;                        ///< the server's
        error_code cause;                                ///< the system's
        std::optional<std::chrono::seconds> retry_after; ///< the server's
    };
    /// For tests of what handles errors. The message is made safe to print; the rest is taken as it is.
    explicit diagnostics(content);

private:
    std::shared_ptr<content const> content_;
};

/// Thrown by every operation. `code()` is an `errc` or an Asio error; `what()` is our message and a refusal's words.
class PLEX_API error : public boost::system::system_error
{
public:
    /// No error: awaited results have to be default-constructible.
    error() : error(error_code(), plex::diagnostics()) {}
    /// An error of any category, with what is known about it.
    error(error_code, plex::diagnostics);
    /// One of ours, with a message.
    error(errc code, std::string message);

    /// What is known about it; lives as long as this, and a copy for itself.
    plex::diagnostics const& diagnostics() const noexcept { return diagnostics_; }
    /// One line: our message, the condition, the status, the cause, and a refusal's words. Never the token or a title.
    /// It lives as long as this, and a copy for itself.
    char const* what() const noexcept override;

private:
    plex::diagnostics diagnostics_;
    std::shared_ptr<std::string const> what_;
};

/// Lets `boost::system::result<T, plex::error>::value()` throw the error itself.
[[noreturn]] PLEX_API void throw_exception_from_error(error const&, boost::source_location const&);

} // namespace plex

/// @cond
template <>
struct boost::system::is_error_code_enum<plex::errc> : std::true_type {
};
/// @endcond
