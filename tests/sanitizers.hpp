#pragma once

#if defined(__has_feature) // clang's way to tell
#define PLEX_TEST_HAS(feature) __has_feature(feature)
#else
#define PLEX_TEST_HAS(feature) 0
#endif

namespace plex::test {

// What takes its time under a sanitizer makes less of its input there; without one it makes all of it.

/// What keeps to one thread has nothing that this one could find, and takes it ten times as long.
#if defined(__SANITIZE_THREAD__) || PLEX_TEST_HAS(thread_sanitizer)
inline constexpr bool under_thread_sanitizer = true;
#else
inline constexpr bool under_thread_sanitizer = false;
#endif

#if defined(__SANITIZE_ADDRESS__) || PLEX_TEST_HAS(address_sanitizer)
inline constexpr bool under_address_sanitizer = true;
#else
inline constexpr bool under_address_sanitizer = false;
#endif

} // namespace plex::test

#undef PLEX_TEST_HAS
