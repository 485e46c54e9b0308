#include "tls_fixture.hpp"

#include "net/tls_peer.hpp"

#include <ctime>

// What the connections to one server share: what is trusted, and the session that the next one resumes.

using namespace plex;
using namespace plex::test;

namespace {

net::tls_options trusting(authority const& ca)
{
    net::tls_options options;
    options.authorities = {{ca.root.pem(), "the CA file"}};
    return options;
}

/// A server that counts, in the test's own hands, and a client that trusts it.
class counted
{
public:
    counted() : server(io, own)
    {
        settings.url = server.url();
        settings.tls.ca_file = ca.file.path();
    }

    /// A request of a new client on a connection of its own. @returns whether the server saw a session resumed
    bool resumed(config const& how)
    {
        client c(io.get_executor(), how);
        bool result = false;
        test::run(io, c.get_executor(), ask(c, result));
        return result;
    }

    void use(raw_tls_server& other)
    {
        speaks = &other;
        settings.url = other.url();
    }

    asio::io_context io;
    authority ca;
    certificate own{"server", "IP:127.0.0.1", &ca.root};
    raw_tls_server server;
    raw_tls_server* speaks = &server;
    config settings;

private:
    asio::awaitable<void> ask(client& c, bool& resumed)
    {
        started call(c.get_executor(), c.send(request("GET", "/")));
        co_await speaks->answer_one();
        error const outcome = co_await call.result();
        INFO(outcome.what());
        CHECK(outcome.code() == error_code());
        resumed = SSL_session_reused(speaks->ssl()) == 1;
    }
};

} // namespace

TEST_CASE("a new connection to a server resumes the session of the one before, in TLS 1.2 and 1.3")
{
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        INFO(version);
        counted s;
        SSL_CTX_set_max_proto_version(s.server.context(), version);
        client const keeps_it(s.io.get_executor(), s.settings); // the session is gone with the last client
        CHECK_FALSE(s.resumed(s.settings));
        for (int i = 0; i != 3; ++i) // whether the last one was resumed itself or not
            CHECK(s.resumed(s.settings));
        CHECK(SSL_CTX_sess_accept_good(s.server.context()) == 4);
        CHECK(SSL_CTX_sess_hits(s.server.context()) == 3);
    }
}

TEST_CASE("a session is not resumed by whoever trusts others, or trusted blindly before")
{
    counted s;
    config blind = s.settings;
    blind.tls.insecure = true;
    client const keeps_it(s.io.get_executor(), s.settings);
    client const keeps_it_too(s.io.get_executor(), blind);
    CHECK_FALSE(s.resumed(blind));
    CHECK_FALSE(s.resumed(s.settings));
    CHECK(s.resumed(blind));
    CHECK(s.resumed(s.settings));
}

TEST_CASE("a session is not resumed once its certificate has expired")
{
    counted s;
    certificate const expired("server", "IP:127.0.0.1", &s.ca.root, -60);
    raw_tls_server server(s.io, expired);
    s.use(server);
    s.settings.tls.insecure = true; // else there is none
    client const keeps_it(s.io.get_executor(), s.settings);
    CHECK_FALSE(s.resumed(s.settings));
    CHECK_FALSE(s.resumed(s.settings));
}

TEST_CASE("a session is not resumed once its certificate expires while it is kept")
{
    counted s;
    certificate const brief("server", "IP:127.0.0.1", &s.ca.root, 2);
    raw_tls_server server(s.io, brief);
    s.use(server);
    s.settings.tls.insecure = true; // else the connection is refused anyhow
    client const keeps_it(s.io.get_executor(), s.settings);
    std::time_t const began = std::time(nullptr);
    CHECK_FALSE(s.resumed(s.settings));
    test::run(s.io, until([&] { return std::time(nullptr) > began + 3; }));
    CHECK_FALSE(s.resumed(s.settings));
}

TEST_CASE("a server that has forgotten its sessions is met anew")
{
    counted s;
    client const keeps_it(s.io.get_executor(), s.settings);
    CHECK_FALSE(s.resumed(s.settings));
    std::array<unsigned char, 80> other_keys{};
    SSL_CTX_set_tlsext_ticket_keys(s.server.context(), other_keys.data(), other_keys.size());
    CHECK_FALSE(s.resumed(s.settings));
    CHECK(s.resumed(s.settings));
}

TEST_CASE("what clients with equal settings trust is read once, and lives while one of them does")
{
    authority const ca;
    authority const other{certificate("Another authority")};
    std::shared_ptr<net::tls_peer> one = net::tls_peer::of(trusting(ca), "plex.example", 1);
    std::shared_ptr<net::tls_peer> const same = net::tls_peer::of(trusting(ca), "plex.example", 1);
    CHECK(one == same);
    CHECK(one != net::tls_peer::of(trusting(ca), "plex.example", 2));
    CHECK(one != net::tls_peer::of(trusting(ca), "other.example", 1));
    CHECK(one != net::tls_peer::of(trusting(other), "plex.example", 1));
    net::tls_options blind = trusting(ca);
    blind.insecure = true;
    CHECK(one != net::tls_peer::of(blind, "plex.example", 1));
    CHECK(one != net::tls_peer::of(net::tls_options(), "plex.example", 1));
    // Another file's name makes no difference, other content under the same name does.
    net::tls_options renamed = trusting(ca);
    renamed.authorities.front().name = "the CA file elsewhere";
    CHECK(one == net::tls_peer::of(renamed, "plex.example", 1));
}
