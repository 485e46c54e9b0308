#include "inbox.hpp"

#include "../framing.hpp"

#include <array>

namespace plex::bench {

bool inbox::serve(channel& peer)
{
    std::array<char, 4096> chunk{};
    for (;;) {
        auto const got = peer.receive(chunk);
        if (!got)
            return false;
        if (*got == 0)
            break;
        pending_.append(chunk.data(), *got);
    }
    while (pending_.size() >= 6) {
        int const opcode = pending_[0] & 15;
        auto const size = static_cast<std::size_t>(pending_[1] & 127);
        if (opcode == 8 || size > 125)
            return false;
        if (pending_.size() < 6 + size)
            break;
        std::string payload = pending_.substr(6, size);
        for (std::size_t i = 0; i != size; ++i)
            payload[i] = static_cast<char>(payload[i] ^ pending_[2 + i % 4]);
        pending_.erase(0, 6 + size);
        if (opcode == 9 && !peer.send(frame_header(10, size) + payload))
            return false;
    }
    return true;
}

} // namespace plex::bench
