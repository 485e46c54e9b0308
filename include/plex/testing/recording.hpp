#pragma once
/// \file
/// A session that `plex-activities record` has written (docs/recording.md), for `fake_server::play()`.

#include <plex/abi.hpp>

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <memory>
#include <vector>

namespace plex::testing {

struct recorded_line;

/// A plain value; copies share what they hold.
class recording
{
public:
    /// An empty one.
    recording();
    /// @cond
    explicit recording(std::vector<recorded_line> lines);
    std::vector<recorded_line> const& lines() const noexcept { return *lines_; }
    /// @endcond
    /// How many lines it has, without the first, which says what it is.
    std::size_t size() const noexcept;
    /// From its beginning to its last line.
    std::chrono::milliseconds duration() const noexcept;

private:
    std::shared_ptr<std::vector<recorded_line> const> lines_;
};

/// Reads a session from a file or any other stream, to its end.
/// @param from lines as docs/recording.md has them
/// @throws std::runtime_error that names the line which cannot be read, and repeats nothing of it
recording read_recording(std::istream& from);

} // namespace plex::testing
