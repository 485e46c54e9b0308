#pragma once

#include <cstddef>
#include <span>

namespace plex::net {

/// Bytes that nobody can foresee: mask keys (RFC 6455, 5.3), handshake keys, identifiers.
void fill_random(std::span<std::byte>);
/// Uniform in [0, 1).
double random_fraction();

} // namespace plex::net
