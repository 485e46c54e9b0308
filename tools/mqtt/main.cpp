#include "mqtt/bridge.hpp"
#include "services/program.hpp"

#include <memory>
#include <utility>

int main(int argc, char* argv[])
{
    plex::service::program program;
    program.name = "plex-mqtt";
    program.about = "What runs on Plex Media Servers to an MQTT broker, as devices of Home Assistant.";
    program.make = [](boost::asio::io_context& io, std::string config) {
        auto const b = std::make_shared<plex::mqtt::bridge>(io, std::move(config));
        return plex::service::duties{[b] { b->start(); }, [b] { b->reload(); }, [b] { return b->status(); },
                                     [b] { return b->stop(); }};
    };
    return plex::service::run(program, argc, argv);
}
