#include "live_bars.hpp"

#include "plain_text.hpp"
#include "text_width.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>

#include <sys/ioctl.h>
#include <unistd.h>

namespace plex::command {
namespace {

// Control sequences of ECMA-48 and DEC, which every terminal of today knows.
constexpr std::string_view hide_cursor = "\x1b[?25l";
constexpr std::string_view show_cursor = "\x1b[?25h";
constexpr std::string_view no_wrap = "\x1b[?7l"; // so that a character wider than we think breaks one line, not all
constexpr std::string_view wrap = "\x1b[?7h";
constexpr std::string_view wipe_below = "\x1b[J";

constexpr auto redraw_interval = std::chrono::milliseconds(100);

screen_size terminal_size()
{
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
        return {};
    return {size.ws_col, size.ws_row};
}

// The rows that these lines take on a screen of that width: most terminals break what they show anew when they become
// narrower.
std::size_t rows_of(std::string_view lines, std::size_t width)
{
    std::size_t rows = 0;
    while (!lines.empty()) {
        std::size_t const end = lines.find('\n');
        rows += std::max<std::size_t>(1, (columns(lines.substr(0, end)) + width - 1) / width);
        lines.remove_prefix(end + 1);
    }
    return rows;
}

} // namespace

live_bars::live_bars(boost::asio::any_io_executor const& executor)
    : timer_(executor), signals_(executor, SIGWINCH, SIGTSTP)
{
    print(hide_cursor);
    await_signal();
    tick();
}

live_bars::~live_bars()
{
    screen_size const screen = terminal_size();
    // Where this fails the terminal has gone, and its cursor with it.
    written(frame(screen, std::chrono::system_clock::now()) + std::string(show_cursor));
}

void live_bars::show(activity_event const& e)
{
    auto const known = std::find_if(running_.begin(), running_.end(), [&](activity_event const& other) {
        return other.activity.uuid() == e.activity.uuid();
    });
    if (e.kind == event_kind::ended) {
        if (known != running_.end())
            running_.erase(known);
        say(event_text(e, colours_));
    } else if (known != running_.end()) {
        *known = e;
    } else {
        running_.push_back(e);
    }
    changed_ = true;
}

void live_bars::say(std::string_view lines)
{
    above_ += with_break(lines);
    changed_ = true;
}

void live_bars::tick()
{
    draw();
    timer_.expires_after(redraw_interval);
    timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code ec) {
        if (!ec && !alive.expired())
            tick();
    });
}

void live_bars::await_signal()
{
    signals_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code ec, int signal) {
        if (ec || alive.expired())
            return;
        if (signal == SIGTSTP) {
            print(wiped(terminal_size()) + std::string(show_cursor));
            std::raise(SIGSTOP); // returns when the user lets us go on
            print(hide_cursor);
        }
        changed_ = true;
        draw();
        await_signal();
    });
}

std::string live_bars::wiped(screen_size screen)
{
    std::size_t const rows = rows_of(drawn_, screen.columns);
    drawn_.clear();
    std::string text = "\r";
    if (rows > 0)
        text += "\x1b[" + std::to_string(rows) + 'A';
    text += wipe_below;
    return text;
}

void live_bars::draw()
{
    if (!changed_ && running_.empty())
        return;
    screen_size const screen = terminal_size(); // may have changed before the signal reaches us
    time_point const now = std::chrono::system_clock::now();
    if (!changed_ && bars(running_, screen, now) == drawn_)
        return;
    print(frame(screen, now));
}

std::string live_bars::frame(screen_size screen, time_point now)
{
    std::string text = wiped(screen);
    text += above_;
    text += no_wrap;
    text += bars(running_, screen, now, colours_);
    text += wrap;
    above_.clear();
    drawn_ = bars(running_, screen, now);
    changed_ = false;
    return text;
}

} // namespace plex::command
