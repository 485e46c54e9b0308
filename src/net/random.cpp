#include "net/random.hpp"

#include <plex/error.hpp>

#include <openssl/rand.h>

namespace plex::net {

void fill_random(std::span<std::byte> bytes)
{
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
        throw error(errc::connection_failed, "the system gives no random bytes");
}

} // namespace plex::net
