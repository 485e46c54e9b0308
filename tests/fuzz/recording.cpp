// Input: a recording, as a file that somebody gives to `demo --replay`.

#include "fuzz.hpp"

#include <plex/testing/recording.hpp>

#include "testing/recorded_line.hpp"

#include <sstream>
#include <stdexcept>

namespace plex::fuzz {

void run(std::string_view input)
{
    std::istringstream file{std::string(input)};
    testing::recording session;
    try {
        session = testing::read_recording(file);
    } catch (std::runtime_error const& e) {
        std::string_view const said = e.what();
        promise(said.starts_with("line ") && said.find(" of the recording: ") != said.npos, "a fault names its line");
        promise(said.size() < 120, "a fault repeats nothing of the file");
        return;
    }
    auto before = std::chrono::milliseconds(0);
    promise(session.size() == session.lines().size(), "a recording has its lines");
    for (testing::recorded_line const& line : session.lines()) {
        promise(line.at >= before, "lines are in order of time");
        before = line.at;
        promise(line.bytes <= 16u << 20, "what is to be sent of a malformed message is bounded");
        promise(line.what == testing::recorded_line::sort::notification ? line.events.size() == line.activities.size()
                                                                        : line.events.empty(),
                "an event is of an activity");
        for (auto const& a : line.activities)
            promise(!a.uuid.empty(), "an activity has a name");
    }
    promise(session.duration() == before, "a recording lasts until its last line");
}

} // namespace plex::fuzz
