#pragma once

#include <string>
#include <string_view>

// The token among other text: servers and proxies repeat what they were sent, on error pages above all.
namespace plex::protocol {

// Whether it is there. A secret of less than 8 bytes is none, and might be found in any word.
bool holds_secret(std::string_view text, std::string_view secret) noexcept;

// With `***` in its place, and without a beginning of it at the end, as text that is cut may have.
std::string without_secret(std::string text, std::string_view secret);

} // namespace plex::protocol
