#include <plex/error.hpp>

#include "protocol/utf8.hpp"

namespace plex {

namespace {

class category final : public boost::system::error_category
{
public:
    char const* name() const noexcept override { return "plex"; }

    std::string message(int value) const override
    {
        switch (static_cast<errc>(value)) {
        case errc::invalid_argument:
            return "invalid argument";
        case errc::bad_request:
            return "bad request";
        case errc::not_found:
            return "not found";
        case errc::redirected:
            return "redirected";
        case errc::unauthorized:
            return "unauthorized";
        case errc::forbidden:
            return "forbidden";
        case errc::activity_not_found:
            return "no such activity";
        case errc::not_cancellable:
            return "activity is not cancellable";
        case errc::server_error:
            return "server error";
        case errc::malformed_reply:
            return "malformed reply";
        case errc::limit_exceeded:
            return "limit exceeded";
        case errc::subscriber_overflow:
            return "subscriber too slow, its mailbox is full";
        case errc::timeout:
            return "timed out";
        case errc::stopped:
            return "stopped";
        case errc::operation_in_progress:
            return "another wait is in progress";
        case errc::connection_failed:
            return "connection failed";
        }
        return "unknown error";
    }
};

diagnostics::content const no_content{};

} // namespace

boost::system::error_category const& error_category() noexcept
{
    static category const instance;
    return instance;
}

error_code make_error_code(errc code) noexcept
{
    return error_code(static_cast<int>(code), error_category());
}

bool is_retryable(error_code code) noexcept
{
    if (code.category() != error_category())
        return false;
    switch (static_cast<errc>(code.value())) {
    case errc::server_error:
    case errc::timeout:
    case errc::connection_failed:
        return true;
    default:
        return false;
    }
}

// What a token function throws, and names of what was running, are parts of messages too.
diagnostics::diagnostics(content c)
{
    c.message = protocol::terminal_safe(c.message);
    content_ = std::make_shared<content const>(std::move(c));
}

std::string const& diagnostics::message() const noexcept
{
    return (content_ ? *content_ : no_content).message;
}
int diagnostics::http_status() const noexcept
{
    return content_ ? content_->http_status : 0;
}
std::vector<server_error_entry> const& diagnostics::server_errors() const noexcept
{
    return (content_ ? *content_ : no_content).server_errors;
}
std::string const& diagnostics::body_excerpt() const noexcept
{
    return (content_ ? *content_ : no_content).body_excerpt;
}
error_code diagnostics::cause() const noexcept
{
    return content_ ? content_->cause : error_code();
}

std::optional<std::chrono::seconds> diagnostics::retry_after() const noexcept
{
    return content_ ? content_->retry_after : std::nullopt;
}

namespace {

// One line. `error_code::what()` would add source locations, so it is made from the message.
std::string describe(error_code code, diagnostics const& d)
{
    std::string text = d.message().empty() ? code.message() : d.message() + ": " + code.message();
    if (d.http_status() != 0)
        text += " (HTTP " + std::to_string(d.http_status()) + ")";
    if (d.cause())
        text += ": " + d.cause().message();
    for (server_error_entry const& entry : d.server_errors())
        text += "; server error " + std::to_string(entry.code) + ": " + entry.message;
    // Of a reply that does not refuse it is what was asked for, with titles, which are private.
    bool const is_refusal = d.http_status() / 100 != 2;
    if (is_refusal && d.server_errors().empty() && !d.body_excerpt().empty())
        text += "; the server said: " + d.body_excerpt();
    return text;
}

} // namespace

error::error(error_code code, plex::diagnostics d)
    : system_error(code), diagnostics_(std::move(d)),
      what_(std::make_shared<std::string const>(describe(code, diagnostics_)))
{
}

error::error(errc code, std::string message)
    : error(make_error_code(code), plex::diagnostics([&] {
                diagnostics::content c;
                c.message = std::move(message);
                return c;
            }()))
{
}

char const* error::what() const noexcept
{
    return what_->c_str();
}

void throw_exception_from_error(error const& e, boost::source_location const&)
{
    throw e;
}

} // namespace plex
