#include "catch.hpp"

#include <plex/operation.hpp>

#include <string>

// The requests that the library knows to start activities (protocol.md 1.2, 1.4).

using namespace plex;

namespace {

std::string text_of(request const& r)
{
    return r.method() + " " + r.target();
}

std::string filter_of(activity_request const& r)
{
    std::string text;
    for (std::string const& type : r.filter().types())
        text += type;
    for (auto const& [key, value] : r.filter().contexts())
        text += " " + key + "=" + value;
    return text;
}

} // namespace

TEST_CASE("each known request has its path, its filter and its own way to be cancelled")
{
    activity_request const scan = scan_section(3);
    CHECK(text_of(scan.request()) == "GET /library/sections/3/refresh");
    CHECK(filter_of(scan) == "library.update.section librarySectionID=3");
    CHECK(text_of(scan.cancel().value()) == "DELETE /library/sections/3/refresh");

    activity_request const folder = scan_section(3, "/films/A & \xc3\xa4/..");
    CHECK(text_of(folder.request()) == "GET /library/sections/3/refresh?path=%2Ffilms%2FA%20%26%20%C3%A4%2F..");
    CHECK(text_of(folder.cancel().value()) == "DELETE /library/sections/3/refresh");

    activity_request const item = refresh_item("/library/metadata/513");
    CHECK(text_of(item.request()) == "PUT /library/metadata/513/refresh");
    CHECK(filter_of(item) == "library.refresh.items key=/library/metadata/513");
    CHECK_FALSE(item.cancel().has_value());

    // A key is a path, whatever is in it.
    CHECK(text_of(refresh_item("/library/metadata/1?x=1&y#").request()) ==
          "PUT /library/metadata/1%3Fx%3D1%26y%23/refresh");

    activity_request const guide = reload_guide(28);
    CHECK(text_of(guide.request()) == "POST /livetv/dvrs/28/reloadGuide");
    CHECK(filter_of(guide) == "provider.epg.load");
    CHECK(text_of(guide.cancel().value()) == "DELETE /livetv/dvrs/28/reloadGuide");

    activity_request const channels = scan_channels(7);
    CHECK(text_of(channels.request()) == "POST /media/grabbers/devices/7/scan");
    CHECK(channels.filter().empty());
    CHECK(text_of(channels.cancel().value()) == "DELETE /media/grabbers/devices/7/scan");

    activity_request const optimize = optimize_library();
    CHECK(text_of(optimize.request()) == "PUT /library/optimize?async=1");
    CHECK(filter_of(optimize) == "library.optimize");
    CHECK_FALSE(optimize.cancel().has_value());
    CHECK_FALSE(optimize.accepts_running());
    CHECK(optimize_library().or_running().accepts_running());
}
