#include "net/random.hpp"

#include <plex/error.hpp>

#include <openssl/rand.h>

#include <cstdint>

namespace plex::net {

void fill_random(std::span<std::byte> bytes)
{
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
        throw error(errc::connection_failed, "the system gives no random bytes");
}

double random_fraction()
{
    std::uint32_t bits = 0;
    fill_random(std::as_writable_bytes(std::span(&bits, 1)));
    return static_cast<double>(bits) / 4294967296.0;
}

} // namespace plex::net
