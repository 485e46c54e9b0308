#include "catch.hpp"

#include "decoding.hpp"

// What real servers sent (tests/data/README.md).
namespace plex::testing {
namespace {

using protocol::decoded;

std::string all_updates(std::string_view file, std::string_view prefix = {})
{
    decoding d;
    std::string text;
    for (auto const& message : messages(file, prefix)) {
        d.notification(message);
        CHECK(d.result != decoded::malformed);
        CHECK(d.decoder.malformed_entries() == 0);
        CHECK(d.decoder.repaired_utf8() == 0);
        for (auto const& u : d.updates)
            text += u + '\n';
    }
    return text;
}

} // namespace

TEST_CASE("a recorded item refresh is read whole from WebSocket messages", "[decoder]")
{
    std::string const uuid = "c30c1edc-8df0-4713-a7f1-f1373f6db8e9";
    std::string const common = uuid + " type=library.refresh.items title=Refreshing subtitle=";
    CHECK(all_updates("ws_item_refresh.ndjson") ==
          "started " + common +
              " progress=0 cancellable=0 user=1\n" //
              "updated " +
              common +
              "Checking files progress=0 cancellable=0 user=1 context={\"key\":\"/library/metadata/513\"}\n"
              "updated " +
              common +
              "Refreshing local metadata progress=33 cancellable=0 user=1 "
              "context={\"accessible\":true,\"exists\":true,\"key\":\"/library/metadata/513\"}\n"
              "updated " +
              common +
              "Refreshing media analysis progress=66 cancellable=0 user=1 "
              "context={\"accessible\":true,\"exists\":true,\"key\":\"/library/metadata/513\",\"refreshed\":false}\n"
              "ended " +
              common +
              "Refreshing media analysis progress=100 cancellable=0 user=1 "
              "context={\"accessible\":true,\"analyzed\":false,\"exists\":true,\"key\":\"/library/metadata/513\","
              "\"refreshed\":false}\n");
}

TEST_CASE("a recorded section scan is read whole from an event stream", "[decoder]")
{
    CHECK(all_updates("sse_section_scan.txt", "data: ") ==
          "started 7251fc2d type=library.update.section title=Scanning subtitle= progress=0 cancellable=0 user=1\n"
          "updated 7251fc2d type=library.update.section title=Scanning Movies subtitle=The Revenant (2015) progress=1 "
          "cancellable=0 user=1 context={\"librarySectionID\":\"3\"}\n"
          "ended 7251fc2d type=library.update.section title=Scanning Movies subtitle=1984 (1984) progress=100 "
          "cancellable=0 user=1 context={\"librarySectionID\":\"3\"}\n");
    CHECK(all_updates("sse_item_refresh.txt", "data: ") ==
          "updated 40874a0a-9558-4554-b070-0dae4e2f5b9c type=library.refresh.items title=Refreshing "
          "subtitle=Checking files progress=0 cancellable=0 user=1 "
          "context={\"key\":\"/library/collections/204922/children\"}\n");
    CHECK(all_updates("sse_ended_unseen.txt", "data: ") ==
          "ended 7e2bb139 type=provider.subscriptions.process title=Processing subscriptions subtitle= progress=100 "
          "cancellable=1 user=1\n");
}

TEST_CASE("recorded activities of other kinds are read whole", "[decoder]")
{
    CHECK(all_updates("ws_subscriptions_process.ndjson") ==
          "started 6f7c9a1b-5f56-4009-b7c2-374cd148b67f type=provider.subscriptions.process "
          "title=Processing subscriptions subtitle= progress=0 cancellable=1 user=1\n"
          "ended 6f7c9a1b-5f56-4009-b7c2-374cd148b67f type=provider.subscriptions.process "
          "title=Processing subscriptions subtitle= progress=100 cancellable=1 user=1\n");
    CHECK(all_updates("ws_ended_missing_item.ndjson") ==
          "ended e236a6e5-50ea-40b0-8c77-6300a43be5fe type=library.refresh.items title=Refreshing "
          "subtitle=Refreshing media analysis progress=100 cancellable=0 user=1 "
          "context={\"accessible\":false,\"analyzed\":false,\"exists\":false,\"key\":\"/library/metadata/10123\","
          "\"refreshed\":false}\n");
    // Its last message is about something else.
    std::string const augmented = all_updates("ws_augment.ndjson");
    CHECK(std::count(augmented.begin(), augmented.end(), '\n') == 3);
    CHECK(augmented.ends_with("ended fe1365a6-2873-4381-9760-94f665fce24f type=library.refresh.items title=Refreshing "
                              "subtitle=Augmenting metadata progress=100 cancellable=0 user=1 "
                              "context={\"key\":\"/library/metadata/16417/children\"}\n"));
}

TEST_CASE("recorded notifications about anything else are no activities and no errors", "[decoder]")
{
    auto const file = GENERATE(as<std::string>(), "ws_log.ndjson", "ws_transcode_strings.ndjson",
                               "ws_preference_int_default.ndjson", "ws_timeline_2018.ndjson", "sse_timeline_2026.txt");
    CAPTURE(file);
    decoding d;
    auto const found = messages(file, file.starts_with("sse_") ? "data: " : "");
    REQUIRE(!found.empty());
    for (auto const& message : found) {
        d.notification(message);
        CHECK(d.result == decoded::other);
        CHECK(d.updates.empty());
        CHECK(d.decoder.problem().empty());
    }
}

TEST_CASE("recorded lists are read whole", "[decoder]")
{
    decoding d;
    d.list(read_data("list_pms143.json"));
    REQUIRE(d.result == decoded::activities);
    CHECK(d.updates == std::vector<std::string>{
                           "updated 00000000-0000-4000-8000-000000000002 type=media.generate.loudness "
                           "title=Generating loudness data subtitle=Show E S01 E05 progress=50 cancellable=0 user=1",
                           "updated 00000000-0000-4000-8000-000000000003 type=media.generate.credits "
                           "title=Detecting Credits subtitle=Show E S01 E21 progress=-1 cancellable=0 user=1"});
    d.list(read_data("list_empty.json"));
    CHECK(d.result == decoded::activities);
    CHECK(d.updates.empty());
}

TEST_CASE("a list that is XML, or an error page, is named as such", "[decoder]")
{
    decoding d;
    for (auto const* file : {"list_scan.xml", "list_epg_response.xml", "error_503_maintenance.xml"}) {
        d.list(read_data(file));
        CHECK(d.result == decoded::malformed);
        CHECK(d.decoder.problem() == "XML instead of JSON");
    }
    for (auto const* file : {"error_401.html", "error_401_script.html"}) {
        d.list(read_data(file));
        CHECK(d.result == decoded::malformed);
        CHECK(d.decoder.problem() == "HTML instead of JSON");
    }
    d.list(read_data("error_401_errors.json"));
    CHECK(d.decoder.problem() == "JSON without a MediaContainer object");
}

} // namespace plex::testing
