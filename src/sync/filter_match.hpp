#pragma once

#include <plex/activity.hpp>
#include <plex/filter.hpp>

#include <cstdint>

namespace plex::sync {

enum class answer : std::uint8_t { no, yes, not_yet_known };

/// Whether the filter is satisfied by what is known of the activity. `not_yet_known`: nothing speaks against it, but
/// its Context, or a key in it, has not come yet (protocol.md 2.14) or was too large to keep.
answer match(filter const&, activity const&);

} // namespace plex::sync
