// Input: the size of a screen, then activities (made_activity.hpp), which may hold anything that a file name may hold.

#include "fuzz.hpp"
#include "made_activity.hpp"

#include "bars.hpp"
#include "json_lines.hpp"
#include "plain_text.hpp"
#include "text_width.hpp"

#include <boost/json/object.hpp>

#include <vector>

namespace plex::fuzz {
namespace {

using namespace command;
using protocol::terminal_safe;

// Lines without their breaks, each of which a terminal shows as it stands.
std::vector<std::string_view> safe_lines(std::string_view text)
{
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        std::size_t const end = text.find('\n');
        promise(end != text.npos, "a line has its break");
        lines.push_back(text.substr(0, end));
        promise(terminal_safe(lines.back()) == lines.back(), "nothing commands a terminal");
        text.remove_prefix(end + 1);
    }
    return lines;
}

void check_json(std::string const& line, activity const& a, activity_event const* e)
{
    promise(safe_lines(line).size() == 1, "an event is one line");
    boost::system::error_code ec;
    boost::json::value const value = boost::json::parse(line, ec);
    promise(!ec && value.is_object(), "a line is a JSON object");
    boost::json::object const& o = value.get_object();
    auto const says = [&](char const* name, std::string_view text) {
        auto const& s = o.at(name).as_string();
        promise(std::string_view(s.data(), s.size()) == text, "a member says what the activity says");
    };
    auto const holds = [&](char const* name, std::string_view json) {
        promise(json.empty() ? o.at(name).is_null() : o.at(name) == boost::json::parse(json),
                "a member holds what the activity holds");
    };
    says("uuid", a.uuid());
    says("type", a.type());
    says("title", a.title());
    says("subtitle", a.subtitle());
    holds("context", a.context().json());
    holds("response", a.response().json());
    promise(o.at("cancellable").as_bool() == a.cancellable(), "cancellable is told");
    promise(a.progress() ? o.at("progress").as_int64() == *a.progress() : o.at("progress").is_null(),
            "progress is told");
    promise(a.user_id() ? o.at("user_id").as_int64() == *a.user_id() : o.at("user_id").is_null(), "the user is told");
    if (e) {
        says("kind", to_string(e->kind));
        says("at", utc(e->at));
        promise(o.at("inferred").as_bool() == e->inferred, "what was concluded says so");
        promise(o.at("started_at").is_null() == !e->started_at, "a start that was seen is told");
    }
    promise(o.size() == (e ? 13 : 9), "nothing is added");
}

void check_text(std::string_view bytes)
{
    std::string const safe = terminal_safe(bytes);
    promise(protocol::valid_utf8(safe) && terminal_safe(safe) == safe, "what is made safe is safe");
    promise(std::none_of(safe.begin(), safe.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
            "no control characters are left");
    for (std::size_t const width : {0u, 1u, 2u, 9u, 80u}) {
        std::string const short_text = fitted(safe, width);
        promise(columns(short_text) <= width && protocol::valid_utf8(short_text), "what is fitted fits");
        promise(columns(safe) > width || short_text == safe, "what fits is left as it is");
        promise(columns(padded(short_text, width)) == width, "what is padded is as wide as was asked for");
    }
}

} // namespace

void run(std::string_view input)
{
    check_text(input);
    choices from(input);
    screen_size const screen{from.number(), from.number() % 32};
    std::vector<activity_event> events;
    std::vector<activity> list;
    while (from.any() && events.size() < 40) {
        events.push_back(made_event(from));
        list.push_back(events.back().activity);
        activity_event const& e = events.back();
        safe_lines(event_text(e) + '\n');
        check_json(json_line(e), e.activity, &e);
        check_json(json_line(e.activity), e.activity, nullptr);
    }
    promise(safe_lines(table(list)).size() == (list.empty() ? 0 : list.size() + 1), "a list has a line for each");
    auto const now = events.empty() ? std::chrono::system_clock::time_point() : events.front().at;
    std::string const drawn = bars(events, screen, now);
    auto const lines = safe_lines(drawn);
    promise(lines.size() < std::max<std::size_t>(screen.rows, 1), "the cursor's row stays free");
    for (std::string_view const line : lines)
        promise(columns(line) <= screen.columns, "no line is wider than the screen");
}

} // namespace plex::fuzz
