#include "dashboard/dashboard.hpp"
#include "services/program.hpp"

#include <memory>
#include <utility>

int main(int argc, char* argv[])
{
    plex::service::program program;
    program.name = "plex-dashboard";
    program.about = "A page with what runs on Plex Media Servers, live, with buttons to cancel.";
    program.make = [](boost::asio::io_context& io, std::string config) {
        auto const page = std::make_shared<plex::dashboard::dashboard>(io, std::move(config));
        return plex::service::duties{[page] { page->start(); }, [page] { page->reload(); },
                                     [page] { return page->status(); }, [page] { return page->stop(); }};
    };
    return plex::service::run(program, argc, argv);
}
