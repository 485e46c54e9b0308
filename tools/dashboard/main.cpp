#include "dashboard/dashboard.hpp"
#include "services/arguments.hpp"
#include "services/lifecycle.hpp"
#include "services/log.hpp"

#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <string>

namespace {

using namespace plex;

constexpr int failed = 1;
constexpr int bad_configuration = 2; // which no restart mends

void run(std::string config)
{
    boost::asio::io_context io(1);
    dashboard::dashboard page(io, std::move(config));
    service::duties const duties{[&] { page.start(); }, [&] { page.reload(); }, [&] { return page.status(); },
                                 [&] { return page.stop(); }};
    service::run_until_stopped(io, service::service_manager::of_environment(), duties);
    io.restart();
    io.poll(); // connections that were dropped let go of what they hold
}

} // namespace

int main(int argc, char* argv[])
{
    try {
        int status = 0;
        std::optional<std::string> const config =
            service::config_named(argc, argv, "plex-dashboard",
                                  "A page with what runs on Plex Media Servers, live, with buttons to cancel.", status);
        if (config)
            run(*config);
        return status;
    } catch (service::config_error const& e) {
        service::log(log_level::error, e.what());
        return bad_configuration;
    } catch (std::exception const& e) {
        service::log(log_level::error, e.what());
        return failed;
    }
}
