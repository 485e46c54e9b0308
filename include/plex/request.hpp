#pragma once

/// @file
/// Any request to the server, and its reply.

#include <plex/abi.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plex {

/// A request to the configured server. It carries the token and the identity headers (docs/protocol.md 1.7) besides its
/// own. A plain value, and what its members give lives as long as it does. What is refused when it is sent is
/// `invalid_argument`, and nothing has been sent then.
class request
{
public:
    /// Names and values, in order; a name may come more than once.
    using headers_type = std::vector<std::pair<std::string, std::string>>;

    /// `GET /`.
    request() = default;
    /// @param method an HTTP method, `GET`
    /// @param target path and query below the base URL, percent-encoded where needed:
    /// `/library/sections/3/refresh?force=1`.
    ///        It must begin with `/`. Control characters, spaces, `#` and `..` segments are refused when it is sent.
    request(std::string method, std::string target) : method_(std::move(method)), target_(std::move(target)) {}

    /// Adds a header. A name that is no token, or a CR, LF or NUL in the value, is refused when it is sent.
    request& header(std::string name, std::string value) &
    {
        headers_.emplace_back(std::move(name), std::move(value));
        return *this;
    }
    /// The same of a temporary.
    request&& header(std::string name, std::string value) &&
    {
        return std::move(header(std::move(name), std::move(value)));
    }
    /// Sets the body, and the header `Content-Type`. Its length is told by the library.
    /// @param content any bytes
    /// @param content_type `application/json`
    request& body(std::string content, std::string content_type) &
    {
        body_ = std::move(content);
        return header("Content-Type", std::move(content_type));
    }
    /// The same of a temporary.
    request&& body(std::string content, std::string content_type) &&
    {
        return std::move(body(std::move(content), std::move(content_type)));
    }

    /// `GET` by default.
    std::string const& method() const noexcept { return method_; }
    /// `/` by default.
    std::string const& target() const noexcept { return target_; }
    /// Its own, without those that every request has.
    headers_type const& headers() const noexcept { return headers_; }
    /// Empty for none.
    std::string const& body() const noexcept { return body_; }

private:
    std::string method_ = "GET";
    std::string target_ = "/";
    headers_type headers_;
    std::string body_;
};

/// What the server answered, whatever its status.
class PLEX_API reply
{
public:
    /// None: status 0. It is a plain value, and what its members give lives as long as it does.
    reply() = default;
    /// For tests of what reads replies.
    reply(int status, request::headers_type headers, std::string body)
        : status_(status), headers_(std::move(headers)), body_(std::move(body))
    {
    }

    /// The HTTP status.
    int status() const noexcept { return status_; }
    /// As sent, in order.
    request::headers_type const& headers() const noexcept { return headers_; }
    /// As sent, with chunks joined; any bytes, `config::max_body` at most.
    std::string const& body() const noexcept { return body_; }
    /// The first header of that name, in any case of letters; empty where there is none.
    std::string_view header(std::string_view name) const noexcept;
    /// The activity that the request started, from `X-Plex-Activity`; empty where the server did not say
    /// (docs/protocol.md 1.4).
    std::string_view activity_uuid() const noexcept { return header("X-Plex-Activity"); }

private:
    int status_ = 0;
    request::headers_type headers_;
    std::string body_;
};

} // namespace plex
