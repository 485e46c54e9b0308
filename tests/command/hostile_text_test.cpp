#include "bars.hpp"
#include "finding.hpp"
#include "json_lines.hpp"
#include "plain_text.hpp"

#include "catch.hpp"
#include "chosen_seed.hpp"
#include "made_up.hpp"
#include "protocol/json_text.hpp"
#include "protocol/utf8.hpp"
#include "shown_text.hpp"

#include <algorithm>
#include <string>
#include <vector>

// Whatever activities are called, what is printed of them is lines of ours that command no terminal.

using namespace plex;
using namespace plex::command;
using plex::test::event;
using plex::test::fields;
using plex::test::hostile_texts;
using plex::test::make;
using plex::test::unsafe_part;

namespace {

/// As the library hands it out: valid, and nothing else.
std::string valid(hostile_texts& random)
{
    std::string text;
    protocol::repair_utf8(random.next(), text);
    return text;
}

struct named {
    explicit named(hostile_texts& random)
        : uuid(valid(random)), type(valid(random)), title(valid(random)), subtitle(valid(random)), context("{")
    {
        protocol::append_json_string(context, valid(random));
        context += ':';
        protocol::append_json_string(context, valid(random));
        context += '}';
    }
    fields all() const
    {
        fields f;
        f.uuid = uuid;
        f.type = type;
        f.title = title;
        f.subtitle = subtitle;
        f.context = context;
        f.response = context;
        f.extra = context;
        f.progress = 7;
        return f;
    }

    std::string uuid;
    std::string type;
    std::string title;
    std::string subtitle;
    std::string context;
};

/// So many safe lines, each with its end.
void check_lines(std::string const& text, std::size_t count)
{
    CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) == count);
    CHECK(text.ends_with('\n'));
    std::string without = text;
    std::erase(without, '\n');
    CAPTURE(text);
    CHECK(unsafe_part(without) == "");
}

} // namespace

TEST_CASE("whatever activities are called, what is printed of them is lines of ours and commands no terminal")
{
    std::uint32_t const seed = test::chosen_seed();
    CAPTURE(seed); // PLEX_TEST_SEED=seed runs the same again
    hostile_texts random(seed);
    for (int round = 0; round != 1'000; ++round) {
        named const first(random);
        named const second(random);
        std::vector<activity> const list{make(first.all()), make(second.all())};
        std::vector<activity_event> const events{event(event_kind::updated, first.all()),
                                                 event(event_kind::ended, second.all())};
        check_lines(table(list), 3);
        check_lines(event_text(events[0]) + '\n', 1);
        check_lines(event_text(events[1]) + '\n', 1);
        check_lines(json_line(events[0]), 1);
        check_lines(json_line(list[1]), 1);
        auto const width = std::size_t{1} + static_cast<std::size_t>(random.below(120));
        check_lines(bars(events, {width, 24}, std::chrono::system_clock::time_point()), 2);
        finding const found = bad("list", first.title, "try this");
        check_lines(text_lines(found), 2);
        check_lines(json_line(found), 1);
    }
}
