#include <plex/abi.hpp>

char const plex::detail::built_with_boost = 0;
