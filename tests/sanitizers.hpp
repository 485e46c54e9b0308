#pragma once

namespace plex::test {

// What takes its time under a sanitizer makes less of its input there; without one it makes all of it.

/// What keeps to one thread has nothing that this one could find, and takes it ten times as long.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool under_thread_sanitizer = true;
#else
inline constexpr bool under_thread_sanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool under_address_sanitizer = true;
#else
inline constexpr bool under_address_sanitizer = false;
#endif

} // namespace plex::test
