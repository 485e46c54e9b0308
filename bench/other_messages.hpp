#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace plex::bench {

std::size_t constexpr others_in_a_block = 1000;

/// Messages that are not about activities, as large as those that are (protocol.md 2.11, 2.12, 3). Values are made up.
std::vector<std::string> other_messages();

} // namespace plex::bench
