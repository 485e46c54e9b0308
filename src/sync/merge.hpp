#pragma once

#include "activity_record.hpp"
#include "protocol/decoder.hpp"

#include <plex/activity.hpp>

namespace plex::sync {

/// What is known of a life after `news` of it: what the news does not mention stays known; a Context, Response or extra
/// that it brings replaces the known one whole, as the server takes keys away too (protocol.md 1.7).
///
/// Unknown fields may describe the event rather than the activity, so a live event that has none clears the known ones;
/// a list entry does not.
///
/// @return a handle to the record of `known` itself when nothing changes
activity merge(activity const& known, protocol::activity_update const& news, bool live);

/// Whether both are handles to one record; after `merge`: whether nothing changed.
inline bool same_record(activity const& a, activity const& b) noexcept
{
    return detail::activity_access::record(a) == detail::activity_access::record(b);
}

} // namespace plex::sync
