#include "bars.hpp"

#include "plain_text.hpp"
#include "text_width.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace plex::command {
namespace {

using time_point = std::chrono::system_clock::time_point;

// `1:07`, `2:05:09`; empty where the start was not seen.
std::string elapsed(activity_event const& e, time_point now)
{
    if (!e.started_at)
        return {};
    auto const passed = std::chrono::duration_cast<std::chrono::seconds>(now - *e.started_at).count();
    auto const seconds = std::max<long long>(passed, 0);
    std::array<char, 32> text{};
    if (seconds < 3600)
        std::snprintf(text.data(), text.size(), "%lld:%02lld", seconds / 60, seconds % 60);
    else
        std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60, seconds % 60);
    return text.data();
}

// `[======>     ]`, or something that wanders to and fro where the server does not say how far it is.
std::string bar(std::optional<int> progress, std::size_t width, time_point now)
{
    std::size_t const inside = width - 2;
    std::string text(inside, ' ');
    if (progress) {
        auto const percent = static_cast<std::size_t>(std::clamp(*progress, 0, 100));
        std::size_t const filled = inside * percent / 100;
        std::fill_n(text.begin(), filled, '=');
        if (filled > 0 && filled < inside)
            text[filled - 1] = '>';
    } else {
        std::string const mover = "<=>";
        std::size_t const way = inside - mover.size();
        auto const step = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() / 100;
        std::size_t const at = way == 0 ? 0 : static_cast<std::size_t>(step) % (2 * way);
        text.replace(at <= way ? at : 2 * way - at, mover.size(), mover);
    }
    return '[' + text + ']';
}

std::string line(activity_event const& e, std::size_t width, time_point now, palette const& colours)
{
    std::optional<int> const progress = e.activity.progress();
    std::string const percent = progress ? std::to_string(*progress) + '%' : "...";
    std::string figures = std::string(percent.size() < 4 ? 4 - percent.size() : 0, ' ') + percent;
    if (width < figures.size() + 8) // no room for text worth reading
        return fitted(percent, width);
    std::string drawn;
    if (width >= 36) {
        drawn = bar(progress, std::clamp<std::size_t>(width / 4, 12, 40), now);
        figures.insert(0, 1, ' ');
    }
    if (width >= 60) {
        std::string const time = elapsed(e, now);
        figures += std::string(time.size() < 8 ? 8 - time.size() : 1, ' ') + time;
    }
    std::size_t const room = width - drawn.size() - figures.size() - 1;
    return padded(fitted(description(e.activity), room), room) + ' ' + colours.moving(drawn) + figures;
}

} // namespace

std::string bars(std::span<activity_event const> running, screen_size screen, time_point now, palette const& colours)
{
    // The last row is the cursor's. A screen too small for anything shows nothing.
    std::size_t const rows = screen.rows > 0 ? screen.rows - 1 : 0;
    bool const all = running.size() <= rows;
    std::size_t const shown = all ? running.size() : rows > 0 ? rows - 1 : 0;
    std::string text;
    for (activity_event const& e : running.first(shown))
        text += line(e, screen.columns, now, colours) + '\n';
    if (!all && rows > 0)
        text += fitted("and " + std::to_string(running.size() - shown) + " more", screen.columns) + '\n';
    return text;
}

} // namespace plex::command
