#include "services/lifecycle.hpp"

#include "services/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <csignal>
#include <exception>

namespace plex::service {

namespace asio = boost::asio;

namespace {

void reload(service_manager const& manager, duties const& service)
{
    manager.reloading();
    try {
        service.reload();
        log(plex::log_level::info, "reloaded");
    } catch (std::exception const& e) {
        log(plex::log_level::error, std::string("not reloaded, what was goes on: ") + e.what());
    }
    manager.ready(service.status());
}

asio::awaitable<void> obey(asio::signal_set& signals, service_manager const& manager, duties const& service)
{
    for (;;) {
        int const signal = co_await signals.async_wait(asio::use_awaitable);
        if (signal != SIGHUP)
            break;
        reload(manager, service);
    }
    signals.clear(); // the next one ends the process
    log(plex::log_level::info, "stopping");
    manager.stopping();
    co_await service.stop();
}

asio::awaitable<void> tell_alive(asio::steady_timer& timer, service_manager const& manager)
{
    for (;;) {
        manager.alive();
        timer.expires_after(*manager.alive_every());
        co_await timer.async_wait(asio::use_awaitable);
    }
}

} // namespace

void run_until_stopped(asio::io_context& io, service_manager const& manager, duties const& service)
{
    std::signal(SIGPIPE, SIG_IGN); // the log's reader may go
    asio::signal_set signals(io, SIGTERM, SIGINT, SIGHUP);
    asio::steady_timer alive(io);
    bool stopped = false;
    std::exception_ptr failure;
    asio::co_spawn(io, obey(signals, manager, service), [&](std::exception_ptr e) {
        stopped = true;
        failure = e;
    });
    service.start();
    manager.ready(service.status());
    if (manager.alive_every())
        asio::co_spawn(io, tell_alive(alive, manager), asio::detached);
    while (!stopped && io.run_one() != 0) {
    }
    if (failure)
        std::rethrow_exception(failure);
}

} // namespace plex::service
