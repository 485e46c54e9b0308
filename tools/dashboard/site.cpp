#include "dashboard/site.hpp"

#include "dashboard/access.hpp"
#include "dashboard/page.hpp"
#include "protocol/json_text.hpp"
#include "services/status_site.hpp"

#include <plex/error.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace plex::dashboard {

namespace asio = boost::asio;
using service::http_reply;
using service::http_request;

namespace {

constexpr std::string_view json_type = "application/json";

struct file {
    std::string_view target;
    std::string_view type;
    std::string_view (*text)() noexcept;
};
constexpr file files[] = {
    {"/", "text/html; charset=utf-8", page::index_html},
    {"/dashboard.css", "text/css; charset=utf-8", page::dashboard_css},
    {"/dashboard.js", "text/javascript; charset=utf-8", page::dashboard_js},
    {"/icon.svg", "image/svg+xml", page::icon_svg},
};

// The page has no script, style, image or connection but those of its own server, and stands in no frame.
constexpr std::pair<std::string_view, std::string_view> on_every_reply[] = {
    {"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                                "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

http_reply with(unsigned status, std::string_view type, std::string body)
{
    http_reply r;
    r.status = status;
    r.content_type = type;
    r.body = std::move(body);
    return r;
}

http_reply refusal(unsigned status, std::string_view why)
{
    std::string body = R"({"error":)";
    protocol::append_json_string(body, why);
    return with(status, json_type, body + "}\n");
}

http_reply only(std::string_view methods)
{
    http_reply r = refusal(405, "this takes " + std::string(methods));
    r.headers.emplace_back("Allow", methods);
    return r;
}

struct wanted {
    std::uint64_t server = 0;
    std::string uuid;
};

/// `{"server": 1, "uuid": "…"}`
std::optional<wanted> wanted_of(std::string_view body)
{
    boost::json::error_code bad;
    boost::json::value const v = boost::json::parse(body, bad);
    if (bad || !v.is_object())
        return std::nullopt;
    boost::json::value const* const server = v.get_object().if_contains("server");
    boost::json::value const* const uuid = v.get_object().if_contains("uuid");
    if (!server || !server->is_int64() || server->get_int64() < 0 || !uuid || !uuid->is_string())
        return std::nullopt;
    return wanted{static_cast<std::uint64_t>(server->get_int64()), std::string(uuid->get_string())};
}

unsigned status_of(error_code code)
{
    if (code == errc::activity_not_found)
        return 404;
    if (code == errc::not_cancellable)
        return 409;
    if (code == errc::timeout)
        return 504;
    return 502;
}

} // namespace

void site::admit(std::vector<std::string> hosts, std::string cancel_token)
{
    hosts_ = std::move(hosts);
    cancel_token_ = std::move(cancel_token);
    board_.set_can_cancel(!cancel_token_.empty());
}

asio::awaitable<http_reply> site::answer(http_request asked)
{
    http_reply reply;
    if (!host_is_ours(asked.host, hosts_))
        reply = refusal(403, "this name is not ours: ask for http://127.0.0.1, or add the name to \"hosts\"");
    else if (asked.has_origin && !origin_is_ours(asked.origin, asked.host))
        reply = refusal(403, "another page has asked for this");
    else if (asked.target != "/cancel")
        reply = page_or_events(asked);
    else if (asked.method != "POST")
        reply = only("POST");
    else {
        http_reply cancelled = co_await cancel(asked);
        reply = std::move(cancelled);
    }
    for (auto const& [name, value] : on_every_reply)
        reply.headers.emplace_back(name, value);
    co_return reply;
}

http_reply site::page_or_events(http_request const& asked)
{
    bool const gets = asked.method == "GET";
    bool const reads = gets || asked.method == "HEAD";
    for (file const& f : files)
        if (asked.target == f.target)
            return reads ? with(200, f.type, std::string(f.text())) : only("GET, HEAD");
    if (asked.target == "/healthz")
        return reads ? service::health_reply(metrics_, metrics_.none_live()) : only("GET, HEAD");
    if (asked.target == "/metrics")
        return reads ? service::metrics_reply(metrics_) : only("GET, HEAD");
    if (asked.target != "/events")
        return refusal(404, "there is nothing here");
    if (!gets)
        return only("GET");
    http_reply r;
    r.events = [this, at = bookmark()]() mutable { return board_.news(at, std::chrono::system_clock::now()); };
    return r;
}

asio::awaitable<http_reply> site::cancel(http_request const& asked)
{
    if (cancel_token_.empty())
        co_return refusal(403, "nothing can be cancelled here: the configuration has no \"cancel_token_file\"");
    if (!has_secret(asked.authorization, cancel_token_)) {
        http_reply r = refusal(401, "this is not the cancel token");
        r.headers.emplace_back("WWW-Authenticate", "Bearer");
        co_return r;
    }
    std::optional<wanted> const what =
        asked.content_type == json_type ? wanted_of(asked.body) : std::optional<wanted>();
    if (!what)
        co_return refusal(400, R"(this takes application/json: {"server": 1, "uuid": "..."})");
    std::optional<std::string> const server = board_.cancellable(what->server, what->uuid);
    if (!server)
        co_return refusal(404, "nothing of that kind runs that could be cancelled");
    std::optional<http_reply> failed;
    try {
        auto cancelling = cancel_(*server, what->uuid);
        co_await std::move(cancelling);
    } catch (plex::error const& e) {
        failed = refusal(status_of(e.code()), e.what());
    }
    if (failed)
        co_return std::move(*failed);
    co_return with(200, json_type, "{}\n");
}

} // namespace plex::dashboard
