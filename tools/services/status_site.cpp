#include "services/status_site.hpp"

#include "protocol/json_text.hpp"

#include <chrono>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace plex::service {

namespace asio = boost::asio;

namespace {

http_reply refusal(unsigned status, std::string why)
{
    http_reply r;
    r.status = status;
    r.content_type = "text/plain; charset=utf-8";
    r.body = std::move(why) + '\n';
    return r;
}

} // namespace

http_reply metrics_reply(metrics const& m)
{
    http_reply r;
    r.content_type = "text/plain; version=0.0.4; charset=utf-8";
    r.body = m.text(std::chrono::system_clock::now());
    return r;
}

http_reply health_reply(metrics const& m, std::string_view reason)
{
    metrics::totals const t = m.count();
    http_reply r;
    r.status = reason.empty() ? 200 : 503;
    r.content_type = "application/json";
    r.body = R"({"servers":)" + std::to_string(t.servers) + R"(,"live":)" + std::to_string(t.live) + R"(,"running":)" +
             std::to_string(t.running);
    if (!reason.empty()) {
        r.body += R"(,"reason":)";
        protocol::append_json_string(r.body, reason);
    }
    r.body += "}\n";
    return r;
}

status_site::status_site(asio::any_io_executor executor, asio::ip::tcp::endpoint const& at, metrics const& m,
                         reason_function reason)
try
    : metrics_(m), reason_(std::move(reason)),
      http_(std::move(executor), at, http_limits(), [this](http_request asked) { return answer(std::move(asked)); }) {
} catch (boost::system::system_error const& e) {
    std::ostringstream why;
    why << "cannot listen on " << at << ": " << e.code().message() << ": give another address as \"listen\"";
    throw std::runtime_error(why.str());
}

asio::awaitable<http_reply> status_site::answer(http_request asked)
{
    bool const is_metrics = asked.target == "/metrics";
    http_reply r;
    if (!is_metrics && asked.target != "/healthz") {
        r = refusal(404, "there are /metrics and /healthz");
    } else if (asked.method != "GET" && asked.method != "HEAD") {
        r = refusal(405, "this takes GET, HEAD");
        r.headers.emplace_back("Allow", "GET, HEAD");
    } else {
        r = is_metrics ? metrics_reply(metrics_) : health_reply(metrics_, reason_());
    }
    r.headers.emplace_back("X-Content-Type-Options", "nosniff");
    r.headers.emplace_back("Cache-Control", "no-store");
    co_return r;
}

} // namespace plex::service
