#pragma once
// What the tests of the fake server have in common.
#include "catch.hpp"
#include "raw_client.hpp"
#include "run.hpp"

#include <plex/testing/fake_server.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <utility>
#include <vector>

namespace plex::test {

inline std::string const as_json = "Accept: application/json\r\n";

inline testing::fake_activity named(std::string uuid)
{
    testing::fake_activity activity("library.update.section", "Scanning");
    activity.uuid = std::move(uuid);
    return activity;
}

/// "updated abc 12" for an activity, else the type of the notification or the text itself.
inline std::string summary(std::string const& text)
{
    boost::system::error_code failure;
    boost::json::value const message = boost::json::parse(text, failure);
    if (failure || !message.is_object() || !message.as_object().contains("NotificationContainer"))
        return text;
    boost::json::object const& container = message.at("NotificationContainer").as_object();
    std::string const type(container.at("type").as_string());
    if (type != "activity")
        return type;
    boost::json::object const& told = container.at("ActivityNotification").at(0).as_object();
    return std::string(told.at("event").as_string()) + " " + std::string(told.at("uuid").as_string()) + " " +
           std::to_string(told.at("Activity").at("progress").to_number<int>());
}

/// What a listener hears until this text.
inline asio::awaitable<std::vector<std::string>> heard_until(raw_client& client, std::string last)
{
    std::vector<std::string> heard;
    for (;;) {
        raw_frame const frame = co_await client.frame();
        if (frame.opcode == 0 || frame.payload == last)
            co_return heard;
        heard.push_back(summary(frame.payload));
    }
}

struct scene {
    explicit scene(testing::fake_server_options options = testing::fake_server_options())
        : server(io.get_executor(), std::move(options))
    {
    }
    raw_client client() { return raw_client(io, server.port()); }

    asio::io_context io;
    testing::fake_server server;
};

} // namespace plex::test
