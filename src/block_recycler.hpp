#pragma once

#include <cstddef>

namespace plex::detail {

/// False under AddressSanitizer, which would not see what is used after it was freed.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool recycles_blocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool recycles_blocks = false;
#else
inline constexpr bool recycles_blocks = true;
#endif
#else
inline constexpr bool recycles_blocks = true;
#endif

/// Memory for records, which come and go with every event. What a thread frees it keeps for its next ones, up to 256
/// KiB; a block may be freed on another thread than the one that took it. From `operator new` where none is kept.
/// @param size at least 1
void* take_block(std::size_t size);
/// @param size as it was taken
void give_back_block(void* block, std::size_t size) noexcept;

} // namespace plex::detail
