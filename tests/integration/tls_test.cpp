#include "tls_fixture.hpp"

#include <boost/asio/detached.hpp>

using namespace plex;
using namespace plex::test;

TEST_CASE("a server whose certificate is for this host and of a trusted authority is spoken to")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    for (char const* host : {"127.0.0.1", "localhost"}) {
        INFO(host);
        tls_scene s(own, ca);
        s.use_host(host);
        s.accepted();
    }
}

TEST_CASE("a certificate for another host is refused before the token is sent, and the error says why")
{
    authority const ca;
    certificate const own("localhost", "DNS:plex.example,IP:127.0.0.9", &ca.root);
    for (char const* host : {"127.0.0.1", "localhost"}) {
        INFO(host);
        tls_scene s(own, ca);
        s.use_host(host);
        error const failure = s.refused();
        CHECK(contains(failure.what(), "mismatch"));
        CHECK(contains(failure.what(), "plex.direct"));
    }
}

TEST_CASE("a certificate whose common name alone is the host's is refused")
{
    authority const ca;
    certificate const own("localhost", "IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    s.use_host("localhost");
    error const failure = s.refused();
    CHECK(contains(failure.what(), "mismatch"));
}

TEST_CASE("a certificate of an unknown authority is refused")
{
    authority const ca;
    authority const other{certificate("Another authority")};
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &other.root);
    tls_scene s(own, ca);
    error const failure = s.refused();
    CHECK(contains(failure.what(), "issuer"));
}

TEST_CASE("without a CA file the system's authorities decide")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    s.settings.tls.ca_file.clear();
    s.refused();
}

TEST_CASE("an authority of the system's is trusted where no other is named")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    s.settings.tls.ca_file.clear();
    ::setenv("SSL_CERT_FILE", ca.file.path().c_str(), 1); // where OpenSSL looks instead
    s.accepted();
    ::unsetenv("SSL_CERT_FILE");
}

TEST_CASE("authorities that are named take the place of the system's")
{
    authority const ca;
    authority const other{certificate("Another authority")};
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    s.settings.tls.ca_file = other.file.path();
    ::setenv("SSL_CERT_FILE", ca.file.path().c_str(), 1); // where OpenSSL looks for the system's
    s.refused();
    ::unsetenv("SSL_CERT_FILE");
}

TEST_CASE("a body without a length is whole when TLS's goodbye ends it, and else cut, by whomever")
{
    for (bool const polite : {true, false}) {
        INFO(polite);
        authority const ca;
        certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
        tls_scene s(own, ca);
        raw_tls_server odd(s.io, own);
        s.settings.url = odd.url();
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().send(request("GET", "/")));
            co_await odd.accept();
            co_await odd.read_request();
            co_await odd.write("HTTP/1.1 200 OK\r\n\r\nhalf of it");
            boost::system::error_code ignored;
            if (polite)
                co_await odd.stream->async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
            odd.stream->next_layer().close();
            error const outcome = co_await call.result();
            INFO(outcome.what());
            CHECK(outcome.code() == (polite ? error_code() : error_code(errc::connection_failed)));
        });
    }
}

TEST_CASE("a certificate that has expired is refused, and the error says so")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root, -60);
    tls_scene s(own, ca);
    error const failure = s.refused();
    CHECK(contains(failure.what(), "expired"));
}

TEST_CASE("a self-signed certificate is accepted by insecure alone")
{
    authority const ca;
    certificate const own("server", "DNS:plex.example");
    {
        tls_scene s(own, ca);
        s.refused();
    }
    tls_scene s(own, ca);
    s.settings.tls.insecure = true;
    s.accepted();
}

TEST_CASE("a CA file that cannot be used is refused when the client is made, by name")
{
    call_scene s;
    s.settings.url = "https://127.0.0.1:1";
    temporary_file const no_pem("not a certificate");
    for (std::string const& path : {std::string("/nowhere/ca.pem"), no_pem.path()}) {
        s.settings.tls.ca_file = path;
        error thrown;
        try {
            client const c(s.io.get_executor(), s.settings);
        } catch (error const& e) {
            thrown = e;
        }
        CHECK(thrown.code() == errc::invalid_argument);
        CHECK(contains(thrown.what(), path));
    }
}

TEST_CASE("an https URL of an http port says so, and the other way round")
{
    {
        call_scene s;
        s.settings.url.replace(0, 4, "https");
        s.run([&]() -> asio::awaitable<void> {
            error const failure = co_await failure_of(s.client().get_server_activities());
            INFO(failure.what());
            CHECK(failure.code() == errc::connection_failed);
            CHECK(contains(failure.what(), "is this an https port?"));
        });
    }
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    s.settings.url = "http://127.0.0.1:" + std::to_string(s.server.port());
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        INFO(failure.what());
        CHECK(failure.code() == errc::connection_failed);
        CHECK(contains(failure.what(), "does it require https?"));
        CHECK_FALSE(contains(failure.what(), "sEcReT"));
    });
}

TEST_CASE("over TLS connections are kept, and a large body comes whole")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    std::string const large(3u << 20, 'x');
    s.server.refuse("/large", 200, large, "text/plain");
    s.run([&]() -> asio::awaitable<void> {
        reply const got = co_await s.client().send(request("GET", "/large"));
        bool const same = got.body() == large;
        CHECK(same);
        request upload("POST", "/echo");
        upload.body(large.substr(0, 500'000), "text/plain");
        reply const sent = co_await s.client().send(std::move(upload));
        CHECK(sent.status() == 404);
        error const outcome = co_await failure_of(s.client().get_server_activities());
        CHECK(outcome.code() == error_code());
    });
    std::vector<seen_request> const seen = s.server.requests();
    REQUIRE(seen.size() == 3);
    bool const whole = seen[1].body == large.substr(0, 500'000);
    CHECK(whole);
    CHECK(s.server.counters().connections_accepted == 1);
}

TEST_CASE("over TLS a kept connection that the server has closed is not used for a POST")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    raw_tls_server odd(s.io, own);
    s.settings.url = odd.url();
    s.run([&]() -> asio::awaitable<void> {
        for (int i = 0; i < 3; ++i) {
            started call(s.client().get_executor(), s.client().send(request("POST", "/")));
            co_await odd.answer_one();
            error const outcome = co_await call.result();
            CHECK(outcome.code() == error_code());
            odd.stream->next_layer().close();
        }
    });
    CHECK(s.client().counters().connections == 3);
}

TEST_CASE("close() does not wait longer than it is told for a server that says no goodbye")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    raw_tls_server odd(s.io, own);
    s.settings.url = odd.url();
    s.run([&]() -> asio::awaitable<void> {
        started call(s.client().get_executor(), s.client().send(request("GET", "/")));
        co_await odd.answer_one();
        error const outcome = co_await call.result();
        CHECK(outcome.code() == error_code());
        auto const start = std::chrono::steady_clock::now();
        co_await s.client().close(50ms);
        CHECK(std::chrono::steady_clock::now() - start < 10s);
        // The goodbye has come, all the same.
        boost::system::error_code ec;
        std::array<char, 16> rest;
        co_await odd.stream->async_read_some(asio::buffer(rest), asio::redirect_error(asio::use_awaitable, ec));
        CHECK(ec == asio::error::eof);
    });
}

TEST_CASE("close() waits two seconds for a goodbye unless it is told how long")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    raw_tls_server odd(s.io, own);
    s.settings.url = odd.url();
    s.run([&]() -> asio::awaitable<void> {
        started call(s.client().get_executor(), s.client().send(request("GET", "/")));
        co_await odd.answer_one();
        error const outcome = co_await call.result();
        CHECK(outcome.code() == error_code());
        auto const start = std::chrono::steady_clock::now();
        co_await s.client().close();
        auto const waited = std::chrono::steady_clock::now() - start;
        CHECK(waited >= 2s);
        CHECK(waited < 30s);
    });
}

TEST_CASE("close() says TLS's goodbye, and closes when the server has answered it")
{
    authority const ca;
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    tls_scene s(own, ca);
    s.run([&]() -> asio::awaitable<void> {
        error const outcome = co_await failure_of(s.client().get_server_activities());
        CHECK(outcome.code() == error_code());
        co_await s.client().close(20s);
        co_await s.server.connections_open_fell_to(0);
    });
    CHECK(s.server.counters().connections_accepted == 1);
}

TEST_CASE("the live feed is read over TLS: a scan, a large message, and the goodbye")
{
    authority const ca;
    certificate const own("localhost", "IP:127.0.0.1", &ca.root);
    for (transport const over : {transport::websocket, transport::eventsource}) {
        INFO(to_string(over));
        tls_scene s(own, ca);
        s.settings.transport = over;
        std::size_t events = 0;
        s.run([&]() -> asio::awaitable<void> {
            client& c = s.client();
            feed f = c.subscribe();
            co_await c.ready(10s);
            asio::co_spawn(s.io, s.server.play_scan(), asio::detached);
            while (events < fake_server::scan_events) {
                std::optional<activity_event> const event = co_await f.next();
                events += event ? 1u : fake_server::scan_events;
            }
            fake_activity large = activity_called("large");
            large.context_json = "{\"k\":\"" + std::string(50'000, 'x') + "\"}";
            s.server.start_activity(large);
            std::optional<activity_event> const event = co_await f.next();
            REQUIRE(event.has_value());
            CHECK(event->activity.context().text("k")->size() == 50'000);
            co_await c.close(5s);
        });
        CHECK(events == fake_server::scan_events);
        CHECK(s.server.counters().closes_received == (over == transport::websocket ? 1u : 0u));
    }
}

TEST_CASE("the live feed refuses a certificate of an unknown authority, before the token is sent")
{
    authority const ca, other;
    certificate const own("localhost", "IP:127.0.0.1", &ca.root);
    tls_scene s(own, other);
    error failure;
    s.run([&]() -> asio::awaitable<void> {
        feed f = s.client().subscribe();
        failure = co_await failure_of(s.client().ready(10s));
    });
    CHECK(failure.code() == errc::connection_failed);
    CHECK(contains(failure.what(), "tls.insecure"));
    CHECK(s.server.requests().empty());
}

TEST_CASE("a handshake that stalls ends with connect_timeout, for calls and feed alike")
{
    for (bool const by_feed : {false, true}) {
        CAPTURE(by_feed);
        call_scene s;
        raw_server silent(s.io); // the system accepts for it
        s.settings.url = silent.url();
        s.settings.url.insert(4, "s");
        s.settings.connect_timeout = 100ms;
        error failure;
        s.run([&]() -> asio::awaitable<void> {
            if (by_feed)
                failure = co_await failure_of(s.client().ready(30s));
            else
                failure = co_await failure_of(s.client().get_server_activities());
        });
        INFO(failure.what());
        CHECK(failure.code() == errc::timeout);
        CHECK(is_retryable(failure.code()));
        CHECK(contains(failure.what(), "the TLS handshake"));
    }
}

TEST_CASE("a server that speaks nothing later than TLS 1.1 is refused, and TLS 1.2 is spoken")
{
    authority const ca;
    certificate const own("server", "IP:127.0.0.1", &ca.root);
    for (int const version : {TLS1_1_VERSION, TLS1_2_VERSION}) {
        CAPTURE(version);
        tls_scene s(own, ca);
        raw_tls_server old(s.io, own);
        SSL_CTX_set_security_level(old.context(), 0); // else it refuses by itself
        SSL_CTX_set_min_proto_version(old.context(), TLS1_VERSION);
        SSL_CTX_set_max_proto_version(old.context(), version);
        s.settings.url = old.url();
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().send(request("GET", "/")));
            asio::co_spawn(s.io, old.answer_one(), [](std::exception_ptr) {});
            error const outcome = co_await call.result();
            INFO(outcome.what());
            CHECK(outcome.code() ==
                  (version == TLS1_1_VERSION ? make_error_code(errc::connection_failed) : error_code()));
            if (outcome.code())
                CHECK(contains(outcome.what(), "version"));
        });
    }
}

TEST_CASE("trusted authorities may be given as a text, and beside those of a file")
{
    authority const ca;
    authority const other{certificate("Another authority")};
    certificate const own("server", "DNS:localhost,IP:127.0.0.1", &ca.root);
    for (bool const beside_file : {false, true}) {
        tls_scene s(own, other);
        s.settings.tls.ca_pem = ca.root.pem();
        if (!beside_file)
            s.settings.tls.ca_file.clear();
        s.accepted();
    }
    tls_scene s(own, other);
    s.settings.tls.ca_pem = other.root.pem() + other.root.pem(); // twice the same is fine, and not enough
    s.refused();
}

TEST_CASE("a certificate of ours goes with the chain that its file holds, up to whom the server trusts")
{
    authority const ca;
    certificate const own("server", "IP:127.0.0.1", &ca.root);
    certificate const clients("Authority for clients");
    certificate const between("Intermediate authority", "", &clients);
    certificate const mine("me", "DNS:client", &between);
    for (bool const whole : {true, false}) {
        CAPTURE(whole);
        tls_scene s(own, ca);
        raw_tls_server strict(s.io, own);
        temporary_file const trusted(clients.pem());
        SSL_CTX_load_verify_locations(strict.context(), trusted.path().c_str(), nullptr);
        SSL_CTX_set_verify(strict.context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        temporary_file const chain(mine.pem() + (whole ? between.pem() : "") + mine.key_pem());
        s.settings.url = strict.url();
        s.settings.tls.certificate_file = chain.path();
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().send(request("GET", "/")));
            asio::co_spawn(s.io, strict.answer_one(), [](std::exception_ptr) {});
            error const outcome = co_await call.result();
            INFO(outcome.what());
            CHECK(outcome.code() == (whole ? error_code() : make_error_code(errc::connection_failed)));
        });
    }
}

TEST_CASE("a certificate or key of ours that cannot be used is refused when the client is made, by name, and unread")
{
    authority const ca;
    certificate const own("me", "DNS:client", &ca.root);
    certificate const other("me", "DNS:client", &ca.root);
    temporary_file const chain(own.pem());
    temporary_file const key(own.key_pem());
    temporary_file const foreign(other.key_pem());
    temporary_file const locked(own.key_pem("passphrase"));
    temporary_file const none("nothing of the kind");
    struct pair {
        std::string certificate;
        std::string key;
        std::string named;
    };
    asio::io_context io;
    config settings;
    settings.url = "https://127.0.0.1:1";
    for (pair const& p :
         {pair{"/nowhere/me.pem", "", "/nowhere/me.pem"}, pair{none.path(), key.path(), none.path()},
          pair{chain.path(), "/nowhere/key.pem", "/nowhere/key.pem"}, pair{chain.path(), "", chain.path()},
          pair{chain.path(), none.path(), none.path()}, pair{chain.path(), foreign.path(), foreign.path()},
          pair{chain.path(), locked.path(), locked.path()}, pair{"", key.path(), "certificate_file"}}) {
        INFO(p.named);
        settings.tls.certificate_file = p.certificate;
        settings.tls.key_file = p.key;
        error thrown;
        try {
            client const c(io.get_executor(), settings);
        } catch (error const& e) {
            thrown = e;
        }
        INFO(thrown.what());
        CHECK(thrown.code() == errc::invalid_argument);
        CHECK(contains(thrown.what(), p.named));
        CHECK_FALSE(contains(thrown.what(), "BEGIN"));
    }
    settings.tls.certificate_file = chain.path();
    settings.tls.key_file = key.path();
    client const good(io.get_executor(), settings);
    CHECK(good.get_executor());
}
