#include "protocol/server_reply.hpp"

#include "protocol/secret.hpp"
#include "protocol/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <iomanip>
#include <limits>
#include <locale>
#include <sstream>

namespace plex::protocol {

namespace {

constexpr std::size_t excerpt_bytes = 200;
constexpr std::size_t most_errors = 16;
constexpr std::size_t longest_with_errors = 64u << 10; // a document takes many times the memory of its text
constexpr int client_identifier_missing = 1000;        // docs/protocol.md 1.5

std::string excerpt(std::string_view text, secrets hidden)
{
    // Cut before and after: what is replaced may grow. A secret that begins within the excerpt is to be seen whole.
    std::size_t longest = 0;
    for (std::string_view const secret : hidden)
        longest = std::max(longest, secret.size());
    bool const is_cut = text.size() > excerpt_bytes + longest;
    std::string safe = terminal_safe(cut_utf8(text, excerpt_bytes + longest));
    for (std::string_view const secret : hidden)
        if (is_cut || holds_secret(safe, secret))
            safe = without_secret(std::move(safe), secret);
    safe.resize(cut_utf8(safe, excerpt_bytes).size());
    while (safe.ends_with(' '))
        safe.pop_back();
    return safe;
}

std::string_view between(std::string_view text, std::string_view begin, std::string_view end)
{
    std::size_t const from = text.find(begin);
    if (from == std::string_view::npos)
        return {};
    text.remove_prefix(from + begin.size());
    std::size_t const to = text.find(end);
    return to == std::string_view::npos ? std::string_view() : text.substr(0, to);
}

int int_of(boost::json::value const* v)
{
    boost::system::error_code ec;
    int const number = v ? v->to_number<int>(ec) : 0;
    return ec ? 0 : number;
}

std::vector<server_error_entry> read_errors(std::string_view body, secrets hidden)
{
    std::vector<server_error_entry> entries;
    boost::system::error_code ec;
    boost::json::parse_options options;
    options.allow_invalid_utf8 = true; // what is taken of it is repaired
    boost::json::value const document =
        boost::json::parse(boost::json::string_view(body.data(), body.size()), ec, {}, options);
    boost::json::object const* const object = ec ? nullptr : document.if_object();
    boost::json::value const* const list = object ? object->if_contains("errors") : nullptr;
    if (!list || !list->is_array())
        return entries;
    for (boost::json::value const& item : list->get_array()) {
        boost::json::object const* const fields = item.if_object();
        if (!fields || entries.size() == most_errors)
            continue;
        server_error_entry entry;
        entry.code = int_of(fields->if_contains("code"));
        entry.status = int_of(fields->if_contains("status"));
        boost::json::value const* const message = fields->if_contains("message");
        if (message && message->is_string())
            entry.message =
                excerpt(std::string_view(message->get_string().data(), message->get_string().size()), hidden);
        entries.push_back(std::move(entry));
    }
    return entries;
}

} // namespace

diagnostics::content describe_reply(int status, std::string_view body, secrets hidden)
{
    diagnostics::content content;
    content.http_status = status;
    std::size_t const begin = body.find_first_not_of(" \t\r\n");
    std::string_view const text = begin == std::string_view::npos ? std::string_view() : body.substr(begin);
    if (text.starts_with('{')) {
        if (text.size() <= longest_with_errors)
            content.server_errors = read_errors(text, hidden);
        content.body_excerpt = excerpt(text, hidden);
        return content;
    }
    std::string_view const head = text.substr(0, 4096);
    if (std::string_view const title = between(head, "<title>", "</title>"); !title.empty()) {
        content.body_excerpt = excerpt(title, hidden);
    } else if (head.find("<Response") != std::string_view::npos) {
        std::string said(between(head, "title=\"", "\""));
        std::string_view const why = between(head, "status=\"", "\"");
        if (!said.empty() && !why.empty())
            said += ": ";
        content.body_excerpt = excerpt(said.append(why), hidden);
    } else {
        content.body_excerpt = excerpt(text, hidden);
    }
    return content;
}

errc status_to_errc(int status, call_kind kind, std::span<server_error_entry const> errors)
{
    bool const of_cancel = kind == call_kind::cancel;
    switch (status) {
    case 400: {
        bool const unreadable = std::any_of(errors.begin(), errors.end(), [](server_error_entry const& e) {
            return e.code == client_identifier_missing;
        });
        return of_cancel && !unreadable ? errc::not_cancellable : errc::bad_request;
    }
    case 401:
        return errc::unauthorized;
    case 403:
        return errc::forbidden;
    case 404:
        return of_cancel ? errc::activity_not_found : errc::not_found;
    case 200: // a page where the feed was asked for
        if (kind == call_kind::upgrade)
            return errc::malformed_reply;
        [[fallthrough]];
    default:
        return status / 100 == 3 ? errc::redirected : errc::server_error;
    }
}

std::optional<std::chrono::seconds> retry_after(std::string_view value, std::chrono::system_clock::time_point now)
{
    std::uint32_t seconds = 0;
    auto const [end, ec] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (ec == std::errc() && end == value.data() + value.size())
        return std::chrono::seconds(seconds);
    std::istringstream text{std::string(value)};
    text.imbue(std::locale::classic());
    std::tm date{};
    text >> std::get_time(&date, "%a, %d %b %Y %H:%M:%S GMT");
    if (text.fail() || !value.ends_with(" GMT")) // a date that is cut is no failure of the stream
        return std::nullopt;
    // In seconds, and bounded as those are: a year of four digits exceeds what a clock's nanoseconds can count.
    std::chrono::sys_seconds const until{std::chrono::seconds(timegm(&date))};
    constexpr std::chrono::seconds longest(std::numeric_limits<std::uint32_t>::max());
    return std::clamp(until - std::chrono::floor<std::chrono::seconds>(now), std::chrono::seconds(0), longest);
}

std::string redirect_target(std::string_view location, secrets hidden)
{
    return excerpt(location.substr(0, location.find_first_of("?#")), hidden);
}

} // namespace plex::protocol
