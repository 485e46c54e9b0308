#include "json_lines.hpp"

#include "catch.hpp"
#include "made_up.hpp"

#include <boost/json.hpp>

#include <string>

using namespace plex;
using namespace plex::command;
using plex::test::event;
using plex::test::fields;
using plex::test::make;
using plex::test::scan_fields;

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr auto in_2026 = milliseconds(1'795'496'400'123); // 2026-11-24T05:00:00.123Z

fields with_title(std::string_view title)
{
    fields f = scan_fields();
    f.title = title;
    return f;
}

std::string title_of(std::string const& line)
{
    return boost::json::parse(line).at("title").as_string().c_str();
}

} // namespace

TEST_CASE("times are UTC with milliseconds, before 1970 too")
{
    CHECK(utc(system_clock::time_point(in_2026)) == "2026-11-24T05:00:00.123Z");
    CHECK(utc(system_clock::time_point(milliseconds(0))) == "1970-01-01T00:00:00.000Z");
    CHECK(utc(system_clock::time_point(milliseconds(-1))) == "1969-12-31T23:59:59.999Z");
    CHECK(utc(system_clock::time_point(milliseconds(951'782'400'000))) == "2000-02-29T00:00:00.000Z");
}

TEST_CASE("an event is one line with its members in their order")
{
    activity_event e = event(event_kind::updated, scan_fields());
    e.at = system_clock::time_point(in_2026);
    e.started_at = e.at - milliseconds(1000);
    CHECK(
        json_line(e) ==
        R"({"kind":"updated","inferred":false,"at":"2026-11-24T05:00:00.123Z","started_at":"2026-11-24T04:59:59.123Z",)"
        R"("uuid":"7251fc2d","type":"library.update.section","title":"Scanning Movies",)"
        R"_("subtitle":"The Revenant (2015)","progress":42,"cancellable":false,"user_id":1,)_"
        R"("context":{"librarySectionID":"3"},"response":null})"
        "\n");
}

TEST_CASE("what is not known is null")
{
    activity_event e;
    e.kind = event_kind::ended;
    e.inferred = true;
    CHECK(
        json_line(e) ==
        R"({"kind":"ended","inferred":true,"at":"1970-01-01T00:00:00.000Z","started_at":null,"uuid":"","type":"",)"
        R"("title":"","subtitle":"","progress":null,"cancellable":false,"user_id":null,"context":null,"response":null})"
        "\n");
}

TEST_CASE("an activity of a list has no members of events")
{
    fields f = scan_fields();
    f.cancellable = true;
    f.response = R"({"a":1})";
    CHECK(json_line(make(f)) == R"({"uuid":"7251fc2d","type":"library.update.section","title":"Scanning Movies",)"
                                R"_("subtitle":"The Revenant (2015)","progress":42,"cancellable":true,"user_id":1,)_"
                                R"("context":{"librarySectionID":"3"},"response":{"a":1}})"
                                "\n");
}

TEST_CASE("no character can command the terminal that shows a line, and none is lost")
{
    for (std::string const title : {
             "\x1b[2Jred",    // ESC
             "a\nb\tc\"d\\e", // breaks
             "\x7f",          // DEL
             "\u009b31m",     // CSI of the C1 set
             "\u202egnp.exe", // right-to-left override
             "\u2066x\u2069", // isolates
             "\u2028\u2029",  // line breaks of JavaScript
             "\u200b\ufeff",  // invisible
             "\U000e0001",    // invisible too, and more than one escape can name
         }) {
        std::string const line = json_line(make(with_title(title)));
        INFO(line);
        for (char const c : line.substr(0, line.size() - 1))
            REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != '\x7f'));
        for (char const* const raw :
             {"\u009b", "\u202e", "\u2066", "\u2069", "\u2028", "\u2029", "\u200b", "\ufeff", "\U000e0001"})
            CHECK(line.find(raw) == std::string::npos);
        CHECK(title_of(line) == title);
    }
}

TEST_CASE("text that is harmless stays as it is")
{
    std::string const line = json_line(make(with_title("Café 日本 🎬")));
    CHECK(line.find("Café 日本 🎬") != std::string::npos);
    CHECK(title_of(line) == "Café 日本 🎬");
}

TEST_CASE("white space of the server's own JSON does not break the line")
{
    fields f = scan_fields();
    f.context = "{\n\t\"a\" :\r\n 1,\"b\":\"\u202e\"}";
    std::string const line = json_line(make(f));
    CHECK(line.find('\n') == line.size() - 1);
    auto const value = boost::json::parse(line);
    CHECK(value.at("context").at("a") == 1);
    CHECK(value.at("context").at("b") == "\u202e");
}
