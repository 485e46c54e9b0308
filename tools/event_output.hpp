#pragma once

#include <plex/activity.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace plex::command {

/// Where the events of a feed go. Its end leaves the terminal as it was.
class event_output
{
public:
    virtual ~event_output() = default;
    virtual void show(activity_event const&) = 0;
    /// Something else for people to read; left out where programs read. Lines that are safe for a terminal.
    virtual void say(std::string_view lines) = 0;
};

enum class format { json, text, bars };

/// What suits the standard output: JSON lines where they are asked for, bars on a terminal that can draw them.
/// @param when_piped for what is no terminal
format output_format(bool json, format when_piped);

/// @param executor of the bars' clock
std::unique_ptr<event_output> make_output(format, boost::asio::any_io_executor const& executor);

/// The lines with a line break after the last one too.
std::string with_break(std::string_view lines);

/// Writes to the standard output at once, and says whether that went well.
bool written(std::string_view text) noexcept;

/// The same. @throws std::runtime_error when it fails
void print(std::string_view text);

} // namespace plex::command
