#include "services/lifecycle.hpp"

#include "integration/run.hpp"
#include "manager_socket.hpp"
#include "scratch.hpp"

#include <boost/asio/post.hpp>

#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

using namespace plex::service;
namespace asio = boost::asio;
using plex::test::manager_socket;

namespace {

std::string first_line(std::string const& text)
{
    return text.substr(0, text.find('\n'));
}

/// A service that writes down what it is told to do, and the service manager that has started it.
struct played {
    played()
    {
        service.start = [this] { did.emplace_back("start"); };
        service.reload = [this] {
            did.emplace_back("reload");
            if (bad_config)
                throw std::runtime_error("config.json: servers[0]: has no \"url\"");
        };
        service.status = [this] { return std::to_string(did.size()) + " things done"; };
        service.stop = [this]() -> asio::awaitable<void> {
            did.emplace_back("stop");
            co_return;
        };
    }

    void run(asio::awaitable<void> script)
    {
        asio::co_spawn(io, std::move(script), [](std::exception_ptr const& failure) {
            if (failure)
                std::rethrow_exception(failure);
        });
        asio::steady_timer watchdog(io, std::chrono::seconds(60));
        watchdog.async_wait([](boost::system::error_code const& ec) {
            if (!ec)
                throw std::logic_error("the watchdog ended the test");
        });
        run_until_stopped(io, service_manager::of_environment(), service);
        while (std::optional<std::string> const one = socket.take())
            heard.push_back(*one);
    }
    asio::awaitable<void> hear(std::string const& wanted)
    {
        for (;;) {
            std::optional<std::string> const one = socket.take();
            if (one)
                heard.push_back(*one);
            if (one && first_line(*one) == wanted)
                break;
            asio::steady_timer soon(io, std::chrono::microseconds(200));
            if (!one)
                co_await soon.async_wait(asio::use_awaitable);
        }
    }

    plex::test::scratch folder;
    manager_socket socket{folder.path + "/notify"};
    asio::io_context io{1};
    duties service;
    std::vector<std::string> did;
    std::vector<std::string> heard;
    bool bad_config = false;
};

using texts = std::vector<std::string>;

} // namespace

TEST_CASE("SIGTERM ends a service cleanly, SIGHUP reloads it, and the service manager is told each time")
{
    for (int const end : {SIGTERM, SIGINT}) {
        played p;
        p.run([](played& t, int signal) -> asio::awaitable<void> {
            co_await t.hear("READY=1");
            raise(SIGHUP);
            co_await t.hear("RELOADING=1");
            co_await t.hear("READY=1");
            raise(signal);
        }(p, end));
        CHECK(p.did == texts{"start", "reload", "stop"});
        REQUIRE(p.heard.size() == 4);
        CHECK(p.heard[0] == "READY=1\nSTATUS=1 things done");
        CHECK(p.heard[2] == "READY=1\nSTATUS=2 things done");
        CHECK(p.heard[3] == "STOPPING=1");
    }
}

TEST_CASE("a configuration that cannot be read is refused, and the service goes on")
{
    played p;
    p.bad_config = true;
    p.run([](played& t) -> asio::awaitable<void> {
        co_await t.hear("READY=1");
        for (int i = 0; i < 3; ++i) {
            raise(SIGHUP);
            co_await t.hear("RELOADING=1");
            co_await t.hear("READY=1");
        }
        raise(SIGTERM);
    }(p));
    CHECK(p.did == texts{"start", "reload", "reload", "reload", "stop"});
}

TEST_CASE("a watchdog hears of a service for as long as it runs its handlers")
{
    setenv("WATCHDOG_USEC", "2000", 1);
    played p;
    p.run([](played& t) -> asio::awaitable<void> {
        co_await t.hear("READY=1");
        for (int i = 0; i < 5; ++i)
            co_await t.hear("WATCHDOG=1");
        raise(SIGTERM);
    }(p));
    unsetenv("WATCHDOG_USEC");
    CHECK(p.did == texts{"start", "stop"});
}

TEST_CASE("what a service cannot start with, and what its handlers throw, leaves run_until_stopped()")
{
    played p;
    p.service.start = [] { throw std::runtime_error("no port"); };
    CHECK_THROWS_WITH(run_until_stopped(p.io, service_manager(), p.service), "no port");

    played q;
    asio::post(q.io, [] { throw std::runtime_error("a fault"); });
    CHECK_THROWS_WITH(run_until_stopped(q.io, service_manager(), q.service), "a fault");
}
