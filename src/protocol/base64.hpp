#pragma once

#include <string>
#include <string_view>

namespace plex::protocol {

// RFC 4648, 4: with padding.
std::string base64(std::string_view bytes);

} // namespace plex::protocol
