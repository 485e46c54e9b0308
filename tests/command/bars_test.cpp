#include "bars.hpp"
#include "plain_text.hpp"
#include "text_width.hpp"

#include "catch.hpp"
#include "made_up.hpp"

#include <string>
#include <vector>

using namespace plex;
using namespace plex::command;
using plex::test::event;
using plex::test::fields;
using plex::test::make;
using plex::test::scan_fields;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

system_clock::time_point const start{seconds(1'000'000)};

activity_event running(fields const& f)
{
    activity_event e = event(event_kind::updated, f);
    e.started_at = start;
    return e;
}

std::vector<std::string> lines(std::string const& text)
{
    std::vector<std::string> result;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t const end = text.find('\n', at);
        REQUIRE(end != std::string::npos);
        result.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return result;
}

std::string one_bar(activity_event const& e, std::size_t width, system_clock::time_point now = start)
{
    std::vector<activity_event> const all{e};
    auto const drawn = lines(bars(all, {width, 24}, now));
    REQUIRE(drawn.size() == 1);
    return drawn[0];
}

// Every character that a terminal would obey, or that turns what follows.
bool harmless(std::string const& text)
{
    for (char const c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f')
            return false;
    for (char const* const bad : {"\u009b", "\u202e", "\u2066", "\u200f"})
        if (text.find(bad) != std::string::npos)
            return false;
    return true;
}

} // namespace

TEST_CASE("a wide screen shows text, bar, percent and time")
{
    CHECK(one_bar(running(scan_fields()), 80, start + seconds(67)) ==
          "Scanning Movies · The Revenant (2015)          [======>           ]  42%    1:07");
}

TEST_CASE("a narrower screen leaves the time out, then the bar, then the text")
{
    CHECK(one_bar(running(scan_fields()), 40) == "Scanning Movies · The… [===>      ]  42%");
    CHECK(one_bar(running(scan_fields()), 20) == "Scanning Movie…  42%");
    CHECK(one_bar(running(scan_fields()), 8) == "42%");
    CHECK(one_bar(running(scan_fields()), 2) == "4…");
    CHECK(one_bar(running(scan_fields()), 1) == "…");
    CHECK(one_bar(running(scan_fields()), 0).empty());
}

TEST_CASE("no line is wider than the screen, whatever the text and the progress")
{
    std::vector<fields> all(5, scan_fields());
    all[1].title = "日本語の映画をスキャンしています";
    all[2].subtitle = "🎬🎬🎬🎬🎬🎬🎬🎬🎬🎬🎬🎬🎬🎬🎬🎬";
    all[2].progress.reset();
    all[3].title = "";
    all[3].progress = 2'000'000'000;
    all[4].title = "\x1b[2J\u202e\xff\xfe broken";
    all[4].progress = -2'000'000'000;
    for (fields const& f : all)
        for (std::size_t width = 0; width != 200; ++width) {
            std::string const drawn = one_bar(running(f), width, start + seconds(100'000));
            INFO(width << ": " << drawn);
            REQUIRE(columns(drawn) <= width);
            if (width >= 20)
                REQUIRE(columns(drawn) == width);
        }
}

TEST_CASE("a bar is empty at 0, full at 100, and stays within its frame beyond")
{
    fields f = scan_fields();
    f.progress = 0;
    CHECK(one_bar(running(f), 40).find("[          ]   0%") != std::string::npos);
    f.progress = 100;
    CHECK(one_bar(running(f), 40).find("[==========] 100%") != std::string::npos);
    f.progress = 250;
    CHECK(one_bar(running(f), 40).find("[==========] 250%") != std::string::npos);
    f.progress = -5;
    CHECK(one_bar(running(f), 40).find("[          ]  -5%") != std::string::npos);
}

TEST_CASE("what does not say how far it is wanders to and fro")
{
    fields f = scan_fields();
    f.progress.reset();
    auto const at = [&](int step) { return one_bar(running(f), 40, start + milliseconds(100 * step)); };
    CHECK(at(0) == "Scanning Movies · The… [    <=>   ]  ...");
    CHECK(at(3) == "Scanning Movies · The… [ <=>      ]  ...");
    CHECK(at(4) == "Scanning Movies · The… [<=>       ]  ...");
    CHECK(at(11) == "Scanning Movies · The… [       <=>]  ...");
    for (int step = 0; step != 30; ++step)
        REQUIRE(columns(at(step)) == 40);
}

TEST_CASE("the time is left out where the start was not seen, and never runs backwards")
{
    activity_event e = running(scan_fields());
    CHECK(one_bar(e, 80, start - seconds(5)).ends_with(" 0:00"));
    CHECK(one_bar(e, 80, start + seconds(3'723)).ends_with(" 1:02:03"));
    e.started_at.reset();
    CHECK(one_bar(e, 80).ends_with("42%        "));
}

TEST_CASE("nothing that a server sends commands the terminal")
{
    fields f = scan_fields();
    f.title = "\x1b]0;title\x07 \x9b \u009b31m\u202egpj.exe\u2066\u200f";
    f.subtitle = "a\nb\r\xc3";
    CHECK(harmless(one_bar(running(f), 80)));
    CHECK(one_bar(running(f), 80).find("\ufffd") != std::string::npos);
    CHECK(harmless(event_text(running(f))));
    f.title = "";
    f.type = "\x1b[31m";
    CHECK(harmless(one_bar(running(f), 80)));
    f.uuid = "\x1b[31m";
    std::vector<activity> const list{make(f)};
    for (std::string const& row : lines(table(list)))
        CHECK(harmless(row));
}

TEST_CASE("more activities than rows are counted in the last one")
{
    std::vector<activity_event> const all(10, running(scan_fields()));
    CHECK(lines(bars(all, {80, 24}, start)).size() == 10);
    CHECK(lines(bars(all, {80, 11}, start)).size() == 10);
    auto const some = lines(bars(all, {80, 10}, start));
    REQUIRE(some.size() == 9);
    CHECK(some.back() == "and 2 more");
    CHECK(lines(bars(all, {5, 3}, start)).back() == "and …");
    CHECK(lines(bars(all, {80, 2}, start)) == std::vector<std::string>{"and 10 more"});
    CHECK(bars(all, {80, 1}, start).empty());
    CHECK(bars(all, {80, 0}, start).empty());
    CHECK(bars({}, {80, 24}, start).empty());
}

TEST_CASE("an end that was only concluded is told as such")
{
    activity_event e = running(scan_fields());
    e.kind = event_kind::ended;
    CHECK(event_text(e) == "ended     Scanning Movies · The Revenant (2015)  42 %");
    e.inferred = true;
    CHECK(event_text(e) == "vanished  Scanning Movies · The Revenant (2015)  42 %");
}

TEST_CASE("a table's columns stand below each other")
{
    fields wide = scan_fields();
    wide.type = "メディア";
    wide.cancellable = true;
    wide.progress.reset();
    wide.title = "";
    wide.subtitle = "";
    std::vector<activity> const list{make(scan_fields()), make(wide)};
    CHECK(lines(table(list)) ==
          std::vector<std::string>{
              "UUID      TYPE                    PROGRESS  CANCEL  ACTIVITY",
              "7251fc2d  library.update.section  42 %      no      Scanning Movies · The Revenant "
              "(2015)",
              "7251fc2d  メディア                …         yes     メディア",
          });
    CHECK(table({}).empty());
}
