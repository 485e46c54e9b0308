#include "relay/placement.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace plex::relay {

namespace {

// FNV-1a, then a mixing of all bits: the same in each process, as std::hash need not be.
std::uint64_t weight(std::string_view server, std::string_view relay)
{
    std::uint64_t h = 0xcbf29ce484222325;
    auto const add = [&h](std::string_view text) {
        for (char const c : text)
            h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
        h = (h ^ 0xff) * 0x100000001b3;
    };
    add(server);
    add(relay);
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
    h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
    return h ^ (h >> 31);
}

} // namespace

std::vector<std::string> followers_of(std::string_view server, std::vector<std::string> relays, std::size_t count)
{
    count = std::min(count, relays.size());
    auto const heavier = [&](std::string const& a, std::string const& b) {
        return std::pair(weight(server, a), std::string_view(a)) > std::pair(weight(server, b), std::string_view(b));
    };
    std::partial_sort(relays.begin(), relays.begin() + static_cast<std::ptrdiff_t>(count), relays.end(), heavier);
    relays.resize(count);
    return relays;
}

} // namespace plex::relay
