#include "net/random.hpp"

#include <plex/error.hpp>

#include <openssl/rand.h>

#include <array>
#include <cstdint>

namespace plex::net {

void fill_random(std::span<std::byte> bytes)
{
    if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
        throw error(errc::connection_failed, "the system gives no random bytes");
}

std::uint32_t random_word()
{
    static thread_local struct {
        std::array<std::uint32_t, 64> words;
        std::size_t left = 0;
    } block;
    if (block.left == 0) {
        fill_random(std::as_writable_bytes(std::span(block.words)));
        block.left = block.words.size();
    }
    return block.words[--block.left];
}

double random_fraction()
{
    return static_cast<double>(random_word()) / 4294967296.0;
}

} // namespace plex::net
