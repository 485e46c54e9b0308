#include "services/service_manager.hpp"

#include "manager_socket.hpp"
#include "scratch.hpp"

#include <chrono>
#include <cstdlib>
#include <string>

#include <unistd.h>

using namespace plex::service;
using plex::test::manager_socket;

namespace {

void tell_all(service_manager const& manager)
{
    manager.ready("2 servers");
    manager.reloading();
    manager.alive();
    manager.stopping();
}

struct watchdog_environment {
    watchdog_environment(char const* limit, std::string const& pid)
    {
        setenv("WATCHDOG_USEC", limit, 1);
        setenv("WATCHDOG_PID", pid.c_str(), 1);
    }
    ~watchdog_environment()
    {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
    }
};

} // namespace

TEST_CASE("the service manager is told on its socket how we are, whether that is in a folder or not")
{
    plex::test::scratch const folder;
    for (std::string const& path : {folder.path + "/notify", "@plex-services-test-" + std::to_string(getpid())}) {
        manager_socket const socket(path);
        tell_all(service_manager::of_environment());
        CHECK(socket.take() == "READY=1\nSTATUS=2 servers");
        std::string const reloading = socket.take().value_or("");
        CHECK(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="));
        CHECK(std::stoll(reloading.substr(reloading.rfind('=') + 1)) > 0);
        CHECK(socket.take() == "WATCHDOG=1");
        CHECK(socket.take() == "STOPPING=1");
        CHECK_FALSE(socket.take());
    }
}

TEST_CASE("where there is no service manager, or none that listens, nothing is told and nothing fails")
{
    unsetenv("NOTIFY_SOCKET");
    tell_all(service_manager::of_environment());
    for (std::string const& path : {std::string("/surely/nowhere"), std::string(200, 'x'), std::string("@")}) {
        setenv("NOTIFY_SOCKET", path.c_str(), 1);
        tell_all(service_manager::of_environment());
        unsetenv("NOTIFY_SOCKET");
    }
}

TEST_CASE("a service manager that reads nothing holds nobody up")
{
    plex::test::scratch const folder;
    manager_socket const socket(folder.path + "/notify");
    for (int i = 0; i < 1000; ++i)
        service_manager::of_environment().alive();
    CHECK(socket.take() == "WATCHDOG=1");
}

TEST_CASE("a watchdog hears of us twice in its time, if it is meant for this process")
{
    using std::chrono::microseconds;
    std::string const us = std::to_string(getpid());
    auto const every = [](char const* limit, std::string const& pid) {
        watchdog_environment const set(limit, pid);
        return service_manager::of_environment().alive_every();
    };
    CHECK(every("3000000", us) == microseconds(1'500'000));
    CHECK(every("3000000", "") == microseconds(1'500'000));
    CHECK_FALSE(every("3000000", "1"));
    CHECK_FALSE(every("3000000", us + "x"));
    CHECK_FALSE(every("", us));
    CHECK_FALSE(every("0", us));
    CHECK_FALSE(every("-5", us));
    CHECK_FALSE(every("99999999999999999999", us));
    CHECK_FALSE(service_manager::of_environment().alive_every());
}
