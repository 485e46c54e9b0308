#include "services/status_site.hpp"

#include "integration/run.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <sstream>
#include <string>

using namespace plex::service;
namespace asio = boost::asio;
using asio::ip::tcp;
using plex::test::run;

namespace {

struct scene {
    scene() { shown.configured({"a"}); }

    asio::io_context io{1};
    metrics shown{[](std::string const&) { return std::optional<plex::counters>(); }};
    std::string reason;
    status_site site{io.get_executor(), {asio::ip::address_v4::loopback(), 0}, shown, [this] { return reason; }};
};

/// The whole reply.
asio::awaitable<std::string> asked(scene& s, std::string request)
{
    tcp::socket socket(s.io);
    tcp::endpoint const at = s.site.local_endpoint();
    co_await socket.async_connect(at, asio::use_awaitable);
    std::string const sent = request + " HTTP/1.1\r\nHost: prometheus.example\r\nConnection: close\r\n\r\n";
    co_await asio::async_write(socket, asio::buffer(sent), asio::use_awaitable);
    std::string reply;
    auto to = asio::dynamic_buffer(reply);
    auto const [ec, size] = co_await asio::async_read(socket, to, asio::as_tuple(asio::use_awaitable));
    CHECK(ec == asio::error::eof);
    co_return reply;
}

bool has(std::string const& text, std::string const& part)
{
    return text.find(part) != text.npos;
}

} // namespace

TEST_CASE("the status site has the metrics and whether the service does its work, to be read and nothing else")
{
    scene s;
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        std::string const got = co_await asked(t, "GET /metrics");
        CHECK(got.starts_with("HTTP/1.1 200 "));
        CHECK(has(got, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        CHECK(has(got, "\nplex_feed_state{server=\"a\",state=\"idle\"} 1\n"));
        std::string const head = co_await asked(t, "HEAD /metrics");
        CHECK(head.starts_with("HTTP/1.1 200 "));
        CHECK(head.ends_with("\r\n\r\n"));
        std::string const other = co_await asked(t, "GET /");
        CHECK(other.starts_with("HTTP/1.1 404 "));
        for (std::string const method : {"POST", "DELETE"}) {
            std::string const metrics_refused = co_await asked(t, method + " /metrics");
            CHECK(metrics_refused.starts_with("HTTP/1.1 405 "));
            CHECK(has(metrics_refused, "Allow: GET, HEAD\r\n"));
            std::string const health_refused = co_await asked(t, method + " /healthz");
            CHECK(health_refused.starts_with("HTTP/1.1 405 "));
        }
        t.site.stop();
    }(s));
}

TEST_CASE("healthz is one line of JSON, 503 with the reason while the service does not do its work")
{
    scene s;
    run(s.io, [](scene& t) -> asio::awaitable<void> {
        std::string const well = co_await asked(t, "GET /healthz");
        CHECK(well.starts_with("HTTP/1.1 200 "));
        CHECK(has(well, "Content-Type: application/json\r\n"));
        CHECK(well.ends_with("\r\n\r\n{\"servers\":1,\"live\":0,\"running\":0}\n"));
        t.reason = "the \"broker\" is away";
        std::string const ill = co_await asked(t, "GET /healthz");
        CHECK(ill.starts_with("HTTP/1.1 503 "));
        CHECK(ill.ends_with(
            "\r\n\r\n{\"servers\":1,\"live\":0,\"running\":0,\"reason\":\"the \\\"broker\\\" is away\"}\n"));
        t.site.stop();
    }(s));
}

TEST_CASE("a status site that cannot listen says where, why and what to do")
{
    scene s;
    std::ostringstream where;
    where << s.site.local_endpoint();
    std::string why;
    try {
        status_site(s.io.get_executor(), s.site.local_endpoint(), s.shown, [] { return std::string(); });
    } catch (std::runtime_error const& e) {
        why = e.what();
    }
    CHECK(why == "cannot listen on " + where.str() + ": Address already in use: give another address as \"listen\"");
}
