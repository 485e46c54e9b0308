#include <plex/operation.hpp>

#include "protocol/request_target.hpp"

#include <utility>

// Requests that are known to start activities, what those look like, and how they are stopped (protocol.md 1.2, 1.4).
namespace plex {

activity_request scan_section(std::int64_t id, std::string path)
{
    std::string const section = std::to_string(id);
    std::string const refresh = "/library/sections/" + section + "/refresh";
    std::string target = refresh;
    if (!path.empty())
        target += "?path=" + protocol::percent_encoded(path);
    activity_request result(request("GET", std::move(target)),
                            filter().type("library.update.section").context("librarySectionID", section));
    // A scan says that it cannot be cancelled, and stops by this (protocol.md 1.2).
    result.cancel_with(request("DELETE", refresh));
    return result;
}

activity_request refresh_item(std::string key)
{
    request asked("PUT", protocol::percent_encoded(key, "/:") + "/refresh"); // a path and nothing else
    return activity_request(std::move(asked), filter().type("library.refresh.items").context("key", std::move(key)));
}

activity_request reload_guide(std::int64_t dvr)
{
    std::string const target = "/livetv/dvrs/" + std::to_string(dvr) + "/reloadGuide";
    activity_request result(request("POST", target), filter().type("provider.epg.load"));
    result.cancel_with(request("DELETE", target));
    return result;
}

activity_request scan_channels(std::int64_t device)
{
    std::string const target = "/media/grabbers/devices/" + std::to_string(device) + "/scan";
    // What type its activity has was never recorded: the reply names it.
    activity_request result(request("POST", target), filter());
    result.cancel_with(request("DELETE", target));
    return result;
}

activity_request optimize_library()
{
    return activity_request(request("PUT", "/library/optimize?async=1"), filter().type("library.optimize"));
}

} // namespace plex
