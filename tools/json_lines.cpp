#include "json_lines.hpp"

#include "protocol/json_text.hpp"
#include "protocol/utf8.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace plex::command {

using protocol::append_json_member;
using protocol::append_json_name;
namespace {

// A member whose value is JSON already, or null.
void append_json(std::string& out, std::string_view name, std::string_view json)
{
    append_json_name(out, name);
    out += json.empty() ? std::string_view("null") : json;
}

void append_activity(std::string& out, activity const& a)
{
    append_json_member(out, "uuid", a.uuid());
    append_json_member(out, "type", a.type());
    append_json_member(out, "title", a.title());
    append_json_member(out, "subtitle", a.subtitle());
    append_json(out, "progress", a.progress() ? std::to_string(*a.progress()) : std::string());
    append_json(out, "cancellable", a.cancellable() ? "true" : "false");
    append_json(out, "user_id", a.user_id() ? std::to_string(*a.user_id()) : std::string());
    append_json(out, "context", a.context().json());
    append_json(out, "response", a.response().json());
}

void append_escape(std::string& out, std::uint32_t unit)
{
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(unit & 0xffff));
    out += text.data();
}

// The same JSON in one line that may be shown on a terminal: characters that would command it, or turn the order of
// what follows, stand as escapes; white space around the server's own JSON becomes spaces. Nothing is lost.
std::string in_one_line(std::string_view json)
{
    std::string out;
    out.reserve(json.size() + 1);
    while (!json.empty()) {
        auto const lead = static_cast<std::uint8_t>(json.front());
        if (lead < 0x7f) {
            out += lead < 0x20 ? ' ' : json.front(); // within strings such characters are escapes already
            json.remove_prefix(1);
            continue;
        }
        std::size_t const size = lead == 0x7f ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        std::string_view const character = json.substr(0, size);
        json.remove_prefix(character.size());
        if (protocol::terminal_safe(character) == character) {
            out += character;
            continue;
        }
        std::uint32_t code_point = size == 1 ? lead : lead & (0x7fu >> size);
        for (char const c : character.substr(1))
            code_point = code_point << 6 | (static_cast<std::uint8_t>(c) & 0x3fu);
        if (code_point > 0xffff) {
            append_escape(out, 0xd7c0 + (code_point >> 10));
            append_escape(out, 0xdc00 + (code_point & 0x3ff));
        } else {
            append_escape(out, code_point);
        }
    }
    out += '\n';
    return out;
}

} // namespace

std::string utc(std::chrono::system_clock::time_point at)
{
    using namespace std::chrono;
    auto const ms = floor<milliseconds>(at);
    auto const day = floor<days>(ms);
    year_month_day const date(day);
    hh_mm_ss const time(ms - day);
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
    return text.data();
}

std::string json_line(activity_event const& e)
{
    std::string out = "{";
    append_json_member(out, "kind", to_string(e.kind));
    append_json(out, "inferred", e.inferred ? "true" : "false");
    append_json_member(out, "at", utc(e.at));
    if (e.started_at)
        append_json_member(out, "started_at", utc(*e.started_at));
    else
        append_json(out, "started_at", {});
    append_activity(out, e.activity);
    out += '}';
    return in_one_line(out);
}

std::string json_line(activity const& a)
{
    std::string out = "{";
    append_activity(out, a);
    out += '}';
    return in_one_line(out);
}

} // namespace plex::command
