#pragma once

#include <string_view>

namespace plex::relay::lua {

// The files of this folder (embed.cmake).
std::string_view alive_lua() noexcept;
std::string_view lease_lua() noexcept;
std::string_view release_lua() noexcept;
std::string_view write_lua() noexcept;

} // namespace plex::relay::lua
