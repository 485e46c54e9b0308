#pragma once

#include <cstddef>

namespace plex::test {

/// Bytes that `operator new` has given and not had back, in the whole process.
std::size_t held_bytes() noexcept;
/// The most there were since the last call.
std::size_t most_held_bytes() noexcept;
/// What the system has given the process, at its most: it takes more than what was asked for. 0 where it is not told.
std::size_t most_resident_bytes();

} // namespace plex::test
