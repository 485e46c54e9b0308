#include "calls_fixture.hpp"

#include "net/dial.hpp"

// Addresses are tried as RFC 8305 says, so that one that takes no connection and refuses none costs 250 ms.

using namespace plex;
using namespace plex::test;
using asio::ip::tcp;
using net::endpoints;

namespace {

tcp::endpoint at(char const* address, unsigned short port = 1)
{
    return {asio::ip::make_address(address), port};
}

/// Where it may connect, and the time a race took.
struct race_scene {
    asio::io_context io;
    net::scope scope{io.get_executor()};
    tcp::acceptor good{io, {asio::ip::address_v4::loopback(), 0}};
    net::connected result;
    std::chrono::steady_clock::duration took{};

    void connect(endpoints addresses, std::chrono::steady_clock::duration limit = 10s)
    {
        auto const start = std::chrono::steady_clock::now();
        test::run(io, race(std::move(addresses), start + limit));
        took = std::chrono::steady_clock::now() - start;
    }
    asio::awaitable<void> race(endpoints addresses, net::steady_time deadline)
    {
        result = co_await net::connect_any(scope, std::move(addresses), deadline);
    }
    /// All that the race began is over: nothing keeps run() busy.
    bool nothing_left()
    {
        result.socket.reset();
        io.restart();
        io.run_for(5s);
        return io.stopped();
    }
};

bool has_ipv6(asio::io_context& io)
{
    boost::system::error_code ec;
    tcp::acceptor probe(io);
    probe.open(tcp::v6(), ec);
    if (!ec)
        probe.bind({asio::ip::address_v6::loopback(), 0}, ec);
    return !ec;
}

} // namespace

TEST_CASE("the families take turns, beginning with the one that the resolver put first")
{
    CHECK(net::interleaved({}) == endpoints());
    endpoints const six_first = {at("::1"), at("::2"), at("::3"), at("127.0.0.1"), at("127.0.0.2")};
    CHECK(net::interleaved(six_first) == endpoints{at("::1"), at("127.0.0.1"), at("::2"), at("127.0.0.2"), at("::3")});
    endpoints const four_first = {at("127.0.0.1"), at("127.0.0.2"), at("::1")};
    CHECK(net::interleaved(four_first) == endpoints{at("127.0.0.1"), at("::1"), at("127.0.0.2")});
}

TEST_CASE("an address that swallows everything costs a quarter of a second")
{
    race_scene s;
    bool const six = has_ipv6(s.io);
    asio::ip::address swallows = asio::ip::address_v4::loopback();
    if (six)
        swallows = asio::ip::address_v6::loopback();
    black_hole hole(s.io, swallows);
    s.connect({hole.endpoint(), s.good.local_endpoint()});
    REQUIRE(s.result.socket);
    CHECK(s.result.socket->remote_endpoint() == s.good.local_endpoint());
    CHECK(s.took >= 250ms);
    CHECK(s.took < 1s);
    CHECK(s.nothing_left());
}

TEST_CASE("several that swallow everything are tried beside each other")
{
    race_scene s;
    black_hole one(s.io), two(s.io);
    s.connect({one.endpoint(), two.endpoint(), s.good.local_endpoint()});
    REQUIRE(s.result.socket);
    CHECK(s.took >= 500ms);
    CHECK(s.took < 1500ms);
    CHECK(s.nothing_left());
}

TEST_CASE("an address that refuses costs nothing")
{
    race_scene s;
    tcp::endpoint const nobody = deserted(s.io);
    s.connect({nobody, nobody, nobody, nobody, s.good.local_endpoint()});
    REQUIRE(s.result.socket);
    CHECK(s.took < 900ms);
}

TEST_CASE("the first address wins where it answers, and no other is bothered")
{
    race_scene s;
    tcp::acceptor other(s.io, {asio::ip::address_v4::loopback(), 0});
    s.connect({s.good.local_endpoint(), other.local_endpoint()});
    REQUIRE(s.result.socket);
    CHECK(s.result.socket->remote_endpoint() == s.good.local_endpoint());
    boost::system::error_code ec;
    other.non_blocking(true);
    tcp::socket const nobody = other.accept(ec);
    CHECK(ec == asio::error::would_block);
}

TEST_CASE("a refusal beside an address that hangs does not end the race")
{
    race_scene s;
    black_hole hole(s.io);
    tcp::endpoint const nobody = deserted(s.io);
    s.connect({hole.endpoint(), nobody, nobody, nobody, s.good.local_endpoint()});
    REQUIRE(s.result.socket);
    CHECK(s.took >= 250ms);
    CHECK(s.took < 900ms); // each refusal starts the next one at once
}

TEST_CASE("where every address refuses the reason is told")
{
    race_scene s;
    tcp::endpoint const nobody = deserted(s.io);
    s.connect({nobody, nobody, nobody, nobody, nobody});
    CHECK_FALSE(s.result.socket);
    CHECK(s.result.ec == asio::error::connection_refused);
    CHECK(s.took < 900ms);
}

TEST_CASE("the deadline ends a race, also one that has addresses left")
{
    race_scene s;
    black_hole hole(s.io);
    s.connect({hole.endpoint(), s.good.local_endpoint()}, 50ms);
    CHECK_FALSE(s.result.socket);
    CHECK(s.result.ec == asio::error::timed_out);
    CHECK(s.nothing_left());
}

TEST_CASE("a race ends with its scope")
{
    race_scene s;
    black_hole hole(s.io);
    asio::steady_timer soon(s.io, 10ms);
    soon.async_wait([&](boost::system::error_code) { s.scope.stop(); });
    s.connect({hole.endpoint()});
    CHECK(s.result.ec == asio::error::operation_aborted);
    CHECK(s.took < 1s);
    CHECK(s.nothing_left());
}

TEST_CASE("a name with several addresses is reached at the one where the server is")
{
    call_scene s; // on 127.0.0.1 alone; "localhost" may well be ::1 first
    s.settings.url = "http://localhost:" + std::to_string(s.server.port());
    s.run([&]() -> asio::awaitable<void> {
        error const outcome = co_await failure_of(s.client().get_server_activities());
        CHECK(outcome.code() == error_code());
    });
    CHECK(s.server.requests()[0].header("Host") == s.settings.url.substr(std::string("http://").size()));
}

TEST_CASE("a literal IPv6 address is dialled as such")
{
    call_scene s;
    if (!has_ipv6(s.io)) {
        WARN("no IPv6 on this machine");
        return;
    }
    tcp::acceptor six(s.io, {asio::ip::address_v6::loopback(), 0});
    s.settings.url = "http://[::1]:" + std::to_string(six.local_endpoint().port());
    s.run([&]() -> asio::awaitable<void> {
        started call(s.client().get_executor(), s.client().get_server_activities());
        tcp::socket socket = co_await six.async_accept(asio::use_awaitable);
        std::array<char, 4096> buffer;
        std::size_t const size = co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
        std::string const head(buffer.data(), size);
        CHECK(contains(head, "Host: [::1]:"));
        socket.close();
        error const failure = co_await call.result();
        CHECK(failure.code() == errc::connection_failed);
    });
}

TEST_CASE("a name that does not resolve is an error that says so")
{
    call_scene s;
    // A label longer than the 63 bytes that DNS allows: refused without asking anybody.
    s.settings.url = "http://" + std::string(70, 'a') + ".invalid:32400";
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::connection_failed);
        INFO(failure.what());
        CHECK(contains(failure.what(), "resolv"));
        CHECK(failure.diagnostics().cause() != error_code());
    });
}

TEST_CASE("a port where nobody listens is an error that says what to look at")
{
    call_scene s;
    tcp::endpoint const nobody = deserted(s.io);
    s.settings.url = "http://127.0.0.1:" + std::to_string(nobody.port());
    s.run([&]() -> asio::awaitable<void> {
        error const failure = co_await failure_of(s.client().get_server_activities());
        CHECK(failure.code() == errc::connection_failed);
        CHECK(failure.diagnostics().cause() == asio::error::connection_refused);
        CHECK(is_retryable(failure.code()));
        CHECK(contains(failure.what(), s.settings.url));
        CHECK(contains(failure.what(), "is the server running"));
    });
}
