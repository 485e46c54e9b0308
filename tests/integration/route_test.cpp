#include "proxy_fixture.hpp"
#include "tls_fixture.hpp"

#include <boost/asio/local/stream_protocol.hpp>

// The ways to a server that are not by its URL's host: an address, a Unix socket, an HTTP proxy.

using namespace plex;
using namespace plex::test;

namespace {

/// tinyproxy, which lets nobody through who does not say who he is.
class tunnelling_proxy
{
public:
    static constexpr char const* user = "me";
    static constexpr char const* password = "pA55-w.rd";
    static constexpr char const* password_in_url = "pA55%2Dw.rd";

    tunnelling_proxy()
    {
        std::ofstream(folder_ / "configuration")
            << "Port " << port_.number() << "\nListen 127.0.0.1\nTimeout 600\nMaxClients 50\nAllow 127.0.0.1\n"
            << "BasicAuth " << user << " " << password << "\nLogLevel Connect\n";
        process_ = std::make_unique<child_process>(
            std::vector<std::string>{"tinyproxy", "-d", "-c", folder_ / "configuration"}, folder_ / "output");
        process_->wait_for_listener(port_);
    }

    std::string url(std::string const& credentials = std::string(user) + ":" + password_in_url + "@") const
    {
        return "http://" + credentials + "127.0.0.1:" + std::to_string(port_.number());
    }
    std::size_t tunnels() const
    {
        std::string const log = process_->printed();
        std::size_t count = 0;
        for (std::size_t at = log.find("): CONNECT "); at != std::string::npos; at = log.find("): CONNECT ", at + 1))
            ++count;
        return count;
    }
    void kill() { process_->kill(); }

private:
    reserved_port port_;
    temporary_folder folder_;
    std::unique_ptr<child_process> process_;
};

bool has_secret(std::string_view text)
{
    for (char const* const secret : {"pA55", "bWU6"}) // of the password, and of user and password in base64
        if (contains(text, secret))
            return true;
    return false;
}

/// A list, and a scan on the feed.
asio::awaitable<void> list_and_follow(client& c, fake_server& server)
{
    std::vector<activity> const before = co_await c.get_server_activities();
    CHECK(before.empty());
    feed f = c.subscribe();
    co_await c.ready(30s);
    server.start_activity(test::activity_named("scan"));
    std::optional<activity_event> const event = co_await f.next();
    REQUIRE(event.has_value());
    CHECK(event->activity.uuid() == "scan");
    server.end_activity("scan");
    co_await c.close(10s);
}

error failure_with(call_scene& s)
{
    error failure;
    client c(s.io.get_executor(), s.settings);
    auto body = [&]() -> asio::awaitable<void> { failure = co_await failure_of(c.get_server_activities()); };
    test::run(s.io, c.get_executor(), body());
    return failure;
}

std::string refusal_of(config const& settings)
{
    asio::io_context io;
    try {
        client const c(io.get_executor(), settings);
    } catch (error const& e) {
        CHECK(e.code() == errc::invalid_argument);
        return e.what();
    }
    return {};
}

} // namespace

TEST_CASE("an address takes the place of the URL's host, with its port or the URL's, and Host stays")
{
    for (bool const with_port : {false, true}) {
        call_scene s;
        std::string const port = std::to_string(s.server.port());
        s.settings.url = "http://plex.example:" + (with_port ? "1" : port);
        s.settings.address = with_port ? "127.0.0.1:" + port : "127.0.0.1";
        s.run([&]() -> asio::awaitable<void> { co_await list_and_follow(s.client(), s.server); });
        for (seen_request const& r : s.server.requests())
            CHECK(r.header("Host") == "plex.example:" + (with_port ? "1" : port));
    }
}

TEST_CASE("an address that is none, a Unix socket or a proxy that cannot be, and two ways at once are refused")
{
    config settings;
    settings.url = "http://plex.example:1";
    for (char const* const address : {"plex.example", "1.2.3", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
                                      "127.0.0.1:1x", "[::1", "[::1]1", "[::1]:", "::1:x", " 127.0.0.1"}) {
        INFO(address);
        settings.address = address;
        CHECK(contains(refusal_of(settings), "config::address"));
    }
    for (char const* const address : {"127.0.0.1", "127.0.0.1:65535", "::1", "[::1]", "[::1]:1"}) {
        INFO(address);
        settings.address = address;
        CHECK(refusal_of(settings) == "");
    }
    settings.address = "127.0.0.1";
    settings.unix_socket = "/run/plex";
    CHECK(contains(refusal_of(settings), "at most one"));
    settings.address = "";
    CHECK(refusal_of(settings) == "");
    settings.unix_socket = std::string(108, 'x');
    CHECK(contains(refusal_of(settings), "config::unix_socket"));
    settings.unix_socket = "";
    settings.proxy = "http://me:pA55@";
    CHECK(contains(refusal_of(settings), "config::proxy"));
    CHECK_FALSE(has_secret(refusal_of(settings)));
}

TEST_CASE("calls and feed go over a Unix socket, plain and over TLS")
{
    certificate const root("Test authority");
    certificate const own("server", "DNS:plex.example", &root);
    for (bool const tls : {false, true})
        over_each_proxy_and_transport([&](proxy_kind kind, transport over) {
            CAPTURE(tls);
            proxy_options how;
            how.kind = kind;
            how.tls.own = tls ? &own : nullptr;
            proxied s(how, over);
            s.settings.url = s.front.scheme() + "://plex.example/plex";
            s.settings.unix_socket = s.front.unix_socket();
            s.settings.tls.ca_pem = root.pem();
            client c(s.io.get_executor(), s.settings);
            s.run(c, list_and_follow(c, s.server));
        });
}

TEST_CASE("a Unix socket's path forges no line of a log or an error")
{
    call_scene s;
    s.settings.unix_socket = "/nowhere\nINFO all is well\x1b[2J";
    std::string said;
    s.settings.logger.level = log_level::debug;
    s.settings.logger.write = [&said](log_level, std::string_view text) { said += text; };
    s.run([&]() -> asio::awaitable<void> {
        feed const f = s.client().subscribe();
        error const failure = co_await failure_of(s.client().ready(1s));
        said += failure.what();
    });
    CHECK(contains(said, "/nowhere"));
    CHECK(said.find_first_of("\n\x1b") == said.npos);
}

TEST_CASE("a Unix socket that is not there, or where nobody listens, is named in the error")
{
    temporary_folder const folder;
    std::string const path = folder / "socket";
    call_scene s;
    s.settings.unix_socket = path;
    for (bool const there : {false, true}) {
        asio::local::stream_protocol::socket bound(s.io);
        if (there) {
            bound.open(asio::local::stream_protocol());
            bound.bind(asio::local::stream_protocol::endpoint(path));
        }
        error const failure = failure_with(s);
        INFO(failure.what());
        CHECK(failure.code() == errc::connection_failed);
        CHECK(is_retryable(failure.code()));
        CHECK(contains(failure.what(), path));
        CHECK(contains(failure.what(), there ? "refused" : "No such file"));
    }
}

TEST_CASE("calls and feed go through a proxy's tunnels, plain and over TLS, and nothing tells its password")
{
    authority const ca;
    certificate const own("server", "IP:127.0.0.1", &ca.root);
    tunnelling_proxy const by;
    std::size_t tunnels = 0;
    for (bool const tls : {false, true})
        for (transport const over : {transport::websocket, transport::eventsource}) {
            CAPTURE(tls);
            INFO(to_string(over));
            call_scene s(tls ? serving(own) : fake_server_options());
            s.settings.token = tls ? "sEcReT" : "";
            s.settings.transport = over;
            s.settings.proxy = by.url();
            s.settings.tls.ca_file = ca.file.path();
            std::string log;
            s.settings.logger = {log_level::debug, [&](log_level, std::string_view line) { log += line; }};
            s.run([&]() -> asio::awaitable<void> { co_await list_and_follow(s.client(), s.server); });
            CHECK(by.tunnels() == tunnels + s.client().counters().connections);
            tunnels = by.tunnels();
            CHECK_FALSE(log.empty());
            CHECK_FALSE(has_secret(log));
            for (seen_request const& r : s.server.requests())
                for (auto const& [name, value] : r.headers)
                    CHECK_FALSE(has_secret(value));
        }
}

TEST_CASE("a proxy that wants other credentials is an error that ends the feed and repeats none")
{
    tunnelling_proxy const by;
    for (std::string const& credentials : {std::string(), std::string("me:pA55-wrong@")}) {
        call_scene s;
        s.settings.proxy = by.url(credentials);
        error const failure = failure_with(s);
        INFO(failure.what());
        CHECK(failure.code() == errc::unauthorized);
        CHECK_FALSE(is_retryable(failure.code()));
        CHECK(failure.diagnostics().http_status() == (credentials.empty() ? 407 : 401)); // so tinyproxy
        CHECK(contains(failure.what(), "config::proxy"));
        CHECK(contains(failure.what(), "127.0.0.1"));
        CHECK_FALSE(has_secret(failure.what()));
        error end;
        s.run([&]() -> asio::awaitable<void> {
            feed f = s.client().subscribe();
            end = co_await failure_of(f.next());
        });
        CHECK(end.code() == errc::unauthorized);
        CHECK_FALSE(has_secret(end.what()));
        CHECK(s.server.requests().empty());
    }
}

TEST_CASE("a proxy that is not there, or does not reach the server, may be tried again")
{
    tunnelling_proxy by;
    {
        call_scene s;
        s.settings.proxy = by.url();
        s.settings.url = "http://127.0.0.1:" + std::to_string(deserted(s.io).port());
        error const failure = failure_with(s);
        INFO(failure.what());
        CHECK(failure.code() == errc::connection_failed);
        CHECK(contains(failure.what(), "does not reach the server"));
        CHECK_FALSE(has_secret(failure.what()));
    }
    by.kill();
    call_scene s;
    s.settings.proxy = by.url();
    error const failure = failure_with(s);
    INFO(failure.what());
    CHECK(failure.code() == errc::connection_failed);
    CHECK(contains(failure.what(), "connecting to the proxy"));
    CHECK_FALSE(has_secret(failure.what()));
    call_scene unknown;
    // A label longer than DNS allows: refused without asking anybody.
    unknown.settings.proxy = "http://" + std::string(70, 'a') + ".invalid:8888";
    error const unresolved = failure_with(unknown);
    INFO(unresolved.what());
    CHECK(unresolved.code() == errc::connection_failed);
    CHECK(contains(unresolved.what(), "resolving the proxy's name"));
}

TEST_CASE("what is no proxy, refuses, says too much or nothing is told from the others")
{
    struct answer {
        char const* bytes;
        error_code code;
        char const* words;
    };
    for (answer const& a :
         {answer{"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", errc::bad_request, "is it a proxy"},
          answer{"HTTP/1.1 403 Filtered\r\n\r\n", errc::forbidden, "does not let this through"},
          answer{"HTTP/1.1 503 Busy\r\n\r\n", errc::connection_failed, "does not reach the server"},
          answer{"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", errc::connection_failed, "asking the proxy"},
          answer{"SSH-2.0-OpenSSH\r\n", errc::malformed_reply, "does not speak HTTP"},
          answer{"", errc::connection_failed, "asking the proxy"}}) {
        INFO(a.bytes);
        call_scene s;
        raw_server odd(s.io);
        s.settings.proxy = odd.url();
        error failure;
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().get_server_activities());
            co_await odd.accept();
            std::string const head = co_await odd.read_head();
            CHECK(contains(head, "CONNECT 127.0.0.1:" + std::to_string(s.server.port()) + " HTTP/1.1\r\n"));
            CHECK_FALSE(contains(head, "X-Plex"));
            co_await odd.write(a.bytes);
            odd.close();
            failure = co_await call.result();
        });
        INFO(failure.what());
        CHECK(failure.code() == a.code);
        CHECK(contains(failure.what(), a.words));
    }
}

TEST_CASE("a proxy that does not answer is waited for no longer than connect_timeout, and not at all once stopped")
{
    for (bool const stopped : {false, true}) {
        call_scene s;
        raw_server odd(s.io);
        s.settings.proxy = odd.url();
        s.settings.connect_timeout = stopped ? 20'000ms : 100ms;
        error failure;
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().get_server_activities());
            co_await odd.accept();
            co_await odd.read_head();
            if (stopped)
                s.client().stop();
            failure = co_await call.result();
        });
        INFO(failure.what());
        CHECK(failure.code() == (stopped ? errc::stopped : errc::timeout));
        if (!stopped)
            CHECK(contains(failure.what(), "asking the proxy for a tunnel"));
    }
}
