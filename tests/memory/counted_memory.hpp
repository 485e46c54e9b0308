#pragma once

#include <cstddef>

namespace plex::test {

/// Bytes that `operator new` has given and not had back, in the whole process.
std::size_t held_bytes() noexcept;
/// The most there were since the last call.
std::size_t most_held_bytes() noexcept;
/// What the system has given the process, which takes more than what was asked for; 0 where it is not told. Before it
/// is told, what is free is given back, and the most is counted from there.
std::size_t resident_bytes();
/// The most it was since then.
std::size_t most_resident_bytes();

} // namespace plex::test
