#pragma once

#include <plex/activity.hpp>

#include <chrono>
#include <cstdint>

namespace plex::sync {

/// A moment on both clocks: `steady` decides, `system` is told.
struct instant {
    std::chrono::steady_clock::time_point steady;
    std::chrono::system_clock::time_point system;
};

/// One thing the ledger has to tell, for every mailbox.
struct mail {
    activity_event event;
    std::uint64_t life = 0; ///< which life it is about; a uuid may live more than once
};

} // namespace plex::sync
