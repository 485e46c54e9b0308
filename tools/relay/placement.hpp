#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plex::relay {

/// Which of the relays follow a server: each relay finds the same ones by itself, they are spread evenly, and one that
/// comes or goes moves no more servers than it has to (rendezvous hashing).
/// @return `count` of them, or all where there are no more
std::vector<std::string> followers_of(std::string_view server, std::vector<std::string> relays, std::size_t count);

} // namespace plex::relay
