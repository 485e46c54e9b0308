#pragma once

/// @file
/// What a program and the compiled library must agree on.

#include <boost/version.hpp>

/// Declarations that a shared library shows.
#define PLEX_API [[gnu::visibility("default")]]

namespace plex::detail {

// `boost::asio::awaitable` and `any_io_executor` are handed over, whose insides differ from one Boost to the next. Each
// file that includes a header of ours therefore asks the linker for a symbol named after its own Boost, and the library
// has only that of the Boost it was built with: "undefined reference to plex_built_with_boost_1_83" means that the
// program was compiled with Boost 1.83 and the library was not.
PLEX_API extern char const built_with_boost __asm__("plex_built_with_boost_" BOOST_LIB_VERSION);
[[gnu::used, gnu::retain, gnu::visibility("hidden")]] inline char const* const boost_asked_for = &built_with_boost;

} // namespace plex::detail
