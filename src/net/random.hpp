#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace plex::net {

/// Bytes that nobody can foresee: handshake keys, identifiers.
void fill_random(std::span<std::byte>);
/// Four such bytes for masking (RFC 6455, 5.3), of a block that the thread keeps: drawn each by itself they would be a
/// tenth of a ping. No secrets: a process that forks leaves the rest of the block to both.
std::uint32_t random_word();
/// Uniform in [0, 1).
double random_fraction();

} // namespace plex::net
