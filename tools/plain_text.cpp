#include "plain_text.hpp"

#include "protocol/utf8.hpp"
#include "text_width.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace plex::command {

using protocol::terminal_safe;

std::string description(activity const& a)
{
    std::string text = terminal_safe(a.title().empty() ? a.type() : a.title());
    if (!a.subtitle().empty())
        text += " · " + terminal_safe(a.subtitle());
    return text;
}

std::string progress_text(activity const& a)
{
    return a.progress() ? std::to_string(*a.progress()) + " %" : "…";
}

std::string event_text(activity_event const& e, palette const& colours)
{
    // That an end was only concluded is worth knowing: nobody saw the activity finish.
    bool const ended = e.kind == event_kind::ended;
    bool const vanished = ended && e.inferred;
    std::string const kind = padded(vanished ? "vanished" : to_string(e.kind), 10);
    std::string text = vanished ? colours.doubtful(kind) : ended ? colours.good(kind) : kind;
    text += description(e.activity);
    if (e.activity.progress())
        text += "  " + progress_text(e.activity);
    return text;
}

std::string table(std::span<activity const> list, palette const& colours)
{
    if (list.empty())
        return {};
    using row = std::array<std::string, 5>;
    std::vector<row> rows;
    rows.push_back({"UUID", "TYPE", "PROGRESS", "CANCEL", "ACTIVITY"});
    for (activity const& a : list)
        rows.push_back({terminal_safe(a.uuid()), terminal_safe(a.type()), progress_text(a),
                        a.cancellable() ? "yes" : "no", description(a)});
    std::string text;
    std::array<std::size_t, 4> widths{};
    for (row const& r : rows)
        for (std::size_t i = 0; i != widths.size(); ++i)
            widths[i] = std::max(widths[i], columns(r[i]));
    for (row const& r : rows) {
        std::string line;
        for (std::size_t i = 0; i != widths.size(); ++i)
            line += padded(r[i], widths[i] + 2);
        line += r.back();
        text += (&r == &rows.front() ? colours.heading(line) : line) + '\n';
    }
    return text;
}

} // namespace plex::command
