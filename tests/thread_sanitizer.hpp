#pragma once

namespace plex::test {

/// What keeps to one thread has nothing that the thread sanitizer could find, and takes it ten times as long: there
/// such tests make less of their random input. The other presets make all of it.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool under_thread_sanitizer = true;
#else
inline constexpr bool under_thread_sanitizer = false;
#endif

} // namespace plex::test
