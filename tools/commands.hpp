#pragma once

#include "options.hpp"
#include "session.hpp"

namespace plex::command {

status list(options const&);
status watch(options const&);
status cancel(options const&);
status record(options const&);
status demo(options const&);
status replay(options const&); ///< demo, from a recording

} // namespace plex::command
