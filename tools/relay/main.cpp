#include "relay/relay.hpp"
#include "services/program.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstddef>
#include <memory>
#include <utility>

int main(int argc, char* argv[])
{
    std::size_t followers = 1;
    plex::service::program program;
    program.name = "plex-relay";
    program.about = "The activities of many Plex Media Servers into a Redis stream, by any number of relays together.";
    program.add_options = [&](CLI::App& app) {
        app.add_option("--followers", followers,
                       "Relays that follow each server: with 2, a relay that dies leaves no gap")
            ->check(CLI::Range(1, 5))
            ->capture_default_str();
    };
    program.make = [&](boost::asio::io_context& io, std::string config) {
        auto const r = std::make_shared<plex::relay::relay>(io, std::move(config), followers);
        return plex::service::duties{[r] { r->start(); }, [r] { r->reload(); }, [r] { return r->status(); },
                                     [r] { return r->stop(); }};
    };
    return plex::service::run(program, argc, argv);
}
