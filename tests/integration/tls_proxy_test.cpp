#include "calls_fixture.hpp"
#include "proxy_fixture.hpp"

// TLS as nginx and HAProxy speak it.

using namespace plex;
using namespace plex::test;

namespace {

constexpr char const* plex_direct = "127-0-0-1.0123456789abcdef0123456789abcdef.plex.direct";

struct tls_behind {
    certificate root{"Test authority"};
    certificate own;
    proxied scene;

    tls_behind(proxy_kind kind, transport over, certificate const* clients = nullptr, long valid_seconds = 3600,
               certificate const* issuer = nullptr)
        : own("server", "DNS:*.0123456789abcdef0123456789abcdef.plex.direct,IP:127.0.0.1", issuer ? issuer : &root,
              valid_seconds),
          scene(options_of(kind, {&own, clients}), over)
    {
        scene.settings.tls.ca_pem = root.pem();
    }

    /// What a first contact fails with, by a call and by the feed. No request has come through.
    void refused(std::function<void(error const&)> const& look)
    {
        for (bool const by_feed : {false, true}) {
            CAPTURE(by_feed);
            client c(scene.io.get_executor(), scene.settings);
            error failure;
            scene.run(c, fail(c, by_feed, failure));
            INFO(failure.what());
            CHECK(contains(failure.what(), scene.settings.url));
            look(failure);
        }
        CHECK(scene.server.requests().empty());
    }

private:
    static proxy_options options_of(proxy_kind kind, proxy_tls tls)
    {
        proxy_options result;
        result.kind = kind;
        result.tls = tls;
        return result;
    }
    static asio::awaitable<void> fail(client& c, bool by_feed, error& failure)
    {
        if (by_feed)
            failure = co_await failure_of(c.ready(30s));
        else
            failure = co_await failure_of(c.get_server_activities());
    }
};

void with_each_proxy(std::function<void(proxy_kind)> const& body)
{
    for (proxy_kind const kind : {proxy_kind::nginx, proxy_kind::haproxy}) {
        INFO((kind == proxy_kind::nginx ? "nginx" : "HAProxy"));
        body(kind);
    }
}

bool is_feed(seen_over_tls const& request)
{
    return contains(request.target, "/notifications");
}

} // namespace

TEST_CASE("a plex.direct name needs no DNS: calls and feed agree on http/1.1, send the name, and resume on reconnect")
{
    over_each_proxy_and_transport([](proxy_kind kind, transport over) {
        tls_behind s(kind, over);
        s.scene.settings.url =
            "https://" + std::string(plex_direct) + ":" + std::to_string(s.scene.front.port()) + "/plex";
        s.scene.settings.address = "127.0.0.1";
        client c(s.scene.io.get_executor(), s.scene.settings);
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            co_await c.ready(30s);
            co_await c.get_server_activities();
            s.scene.server.drop_listeners();
            co_await until([&] { return c.counters().reconnects == 1; });
            co_await s.scene.server.listeners_reached(1);
            co_await c.ready(30s);
            co_await c.close(10s);
            co_await until([&] {
                std::vector<seen_over_tls> const all = s.scene.front.seen();
                return std::count_if(all.begin(), all.end(), is_feed) == 2;
            });
        };
        s.scene.run(c, body());
        bool first_feed = true;
        for (seen_over_tls const& request : s.scene.front.seen()) {
            CAPTURE(request.target);
            CHECK(request.version == "TLSv1.3");
            CHECK(request.protocol == "http/1.1");
            CHECK(request.name == plex_direct);
            CHECK(request.resumed == !(is_feed(request) && first_feed));
            first_feed = first_feed && !is_feed(request);
        }
    });
}

TEST_CASE("an IP literal is no name to send, and must be in the certificate as an address")
{
    with_each_proxy([](proxy_kind kind) {
        tls_behind s(kind, transport::automatic);
        client c(s.scene.io.get_executor(), s.scene.settings);
        auto body = [&]() -> asio::awaitable<void> {
            co_await c.get_server_activities();
            co_await until([&] { return !s.scene.front.seen().empty(); });
        };
        s.scene.run(c, body());
        CHECK(s.scene.front.seen().at(0).name == "-");
    });
}

TEST_CASE("each fault of a certificate is told from the others, by calls and feed alike")
{
    certificate const other("Another authority");
    struct fault {
        char const* word;
        long valid_seconds = 3600;
        certificate const* issuer = nullptr;
        char const* host = "127.0.0.1";
    };
    for (fault const& f :
         {fault{"expired", -60}, fault{"not yet valid", 3 * 3600}, fault{"issuer", 3600, &other},
          fault{"mismatch", 3600, nullptr, "[::1]"}, fault{"mismatch", 3600, nullptr, "plex.example"}}) {
        INFO(f.word);
        with_each_proxy([&](proxy_kind kind) {
            tls_behind s(kind, transport::automatic, nullptr, f.valid_seconds, f.issuer);
            s.scene.settings.url =
                "https://" + std::string(f.host) + ":" + std::to_string(s.scene.front.port()) + "/plex";
            s.scene.settings.address = "127.0.0.1";
            s.refused([&](error const& failure) {
                CHECK(failure.code() == errc::connection_failed);
                CHECK(contains(failure.what(), "the TLS handshake"));
                CHECK(contains(failure.what(), f.word));
                CHECK(contains(failure.what(), "tls.insecure"));
            });
            s.scene.settings.tls.insecure = true;
            client c(s.scene.io.get_executor(), s.scene.settings);
            auto body = [&]() -> asio::awaitable<void> { co_await c.ready(30s); };
            s.scene.run(c, body());
        });
    }
}

TEST_CASE("plain HTTP to a port of TLS and TLS to a port of plain HTTP say so")
{
    with_each_proxy([](proxy_kind kind) {
        tls_behind s(kind, transport::automatic);
        s.scene.settings.url.erase(4, 1);
        s.refused([&](error const& failure) {
            CHECK(
                contains(failure.what(), kind == proxy_kind::nginx ? "sent to HTTPS port" : "does it require https?"));
            CHECK(failure.code() == (kind == proxy_kind::nginx ? errc::bad_request : errc::connection_failed));
        });
        proxy_options how;
        how.kind = kind;
        proxied plain(how, transport::automatic);
        plain.settings.url.insert(4, "s");
        plain.settings.tls = s.scene.settings.tls;
        client c(plain.io.get_executor(), plain.settings);
        error failure;
        auto body = [&]() -> asio::awaitable<void> { failure = co_await failure_of(c.get_server_activities()); };
        plain.run(c, body());
        INFO(failure.what());
        CHECK(failure.code() == errc::connection_failed);
        CHECK(contains(failure.what(), "is this an https port?"));
        auto follow = [&]() -> asio::awaitable<void> {
            feed const f = c.subscribe();
            failure = co_await failure_of(c.ready(10s));
        };
        plain.run(c, follow());
        INFO(failure.what());
        CHECK(contains(failure.what(), "is this an https port?"));
    });
}

TEST_CASE(
    "a proxy that wants a certificate of ours gets the one in the config, and without it the error says what to do")
{
    with_each_proxy([](proxy_kind kind) {
        certificate const clients("Authority for clients");
        certificate const mine("me", "DNS:client", &clients);
        temporary_file const both(mine.pem() + mine.key_pem());
        temporary_file const chain(mine.pem());
        temporary_file const key(mine.key_pem());
        tls_behind s(kind, transport::automatic, &clients);
        s.refused([&](error const& failure) {
            CHECK(contains(failure.what(), "certificate"));
            if (kind == proxy_kind::haproxy) // nginx lets the handshake pass, and answers 400 in its own words
                CHECK(contains(failure.what(), "tls.certificate_file"));
        });
        for (bool const apart : {true, false}) {
            s.scene.settings.tls.certificate_file = apart ? chain.path() : both.path();
            s.scene.settings.tls.key_file = apart ? key.path() : "";
            client c(s.scene.io.get_executor(), s.scene.settings);
            auto body = [&]() -> asio::awaitable<void> {
                co_await c.ready(30s);
                co_await c.close(10s);
            };
            s.scene.run(c, body());
        }
        auto wait = [&]() -> asio::awaitable<void> {
            co_await until([&] {
                std::vector<seen_over_tls> const all = s.scene.front.seen();
                return 2 == std::count_if(all.begin(), all.end(), [](seen_over_tls const& request) {
                           return is_feed(request) && request.client == "CN=me";
                       });
            });
        };
        s.scene.run(wait());
    });
}
