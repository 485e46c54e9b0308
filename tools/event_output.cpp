#include "event_output.hpp"

#include "json_lines.hpp"
#include "live_bars.hpp"
#include "palette.hpp"
#include "plain_text.hpp"

#include <chrono>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include <unistd.h>

namespace plex::command {
namespace {

class json_output final : public event_output
{
public:
    void show(activity_event const& e) override { print(json_line(e)); }
    void say(std::string_view) override {}
};

// A line for each start and end, and updates as often as one can read them.
class text_output final : public event_output
{
public:
    void show(activity_event const& e) override
    {
        std::string const uuid(e.activity.uuid());
        if (e.kind == event_kind::updated && e.at - last_[uuid] < std::chrono::seconds(1))
            return;
        if (e.kind == event_kind::ended)
            last_.erase(uuid);
        else
            last_[uuid] = e.at;
        say(event_text(e));
    }
    void say(std::string_view lines) override { print(with_break(lines)); }

private:
    std::unordered_map<std::string, std::chrono::system_clock::time_point> last_;
};

} // namespace

format output_format(bool json, format when_piped)
{
    if (json)
        return format::json;
    if (isatty(STDOUT_FILENO) == 0)
        return when_piped;
    return is_able_terminal(STDOUT_FILENO) ? format::bars : format::text;
}

std::unique_ptr<event_output> make_output(format f, boost::asio::any_io_executor const& executor)
{
    if (f == format::json)
        return std::make_unique<json_output>();
    if (f == format::text)
        return std::make_unique<text_output>();
    return std::make_unique<live_bars>(executor);
}

std::string with_break(std::string_view lines)
{
    std::string text(lines);
    if (!text.ends_with('\n'))
        text += '\n';
    return text;
}

bool written(std::string_view text) noexcept
{
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
}

void print(std::string_view text)
{
    if (!written(text))
        throw std::runtime_error("cannot write to the standard output");
}

} // namespace plex::command
