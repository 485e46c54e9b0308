#pragma once

#include "options.hpp"
#include "session.hpp"

namespace plex::command {

status list(options const&);
status watch(options const&);
status cancel(options const&);
/// Sends the request of `scan` or `run`, and follows what it starts to its end.
status follow(options const&);
status wait(options const&);
status doctor(options const&);
status record(options const&);
status demo(options const&);
status replay(options const&); ///< demo, from a recording

} // namespace plex::command
