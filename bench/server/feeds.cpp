#include "feeds.hpp"

#include "../framing.hpp"
#include "../messages.hpp"
#include "../other_messages.hpp"
#include "inbox.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <thread>

namespace plex::bench {
namespace {

std::string_view view(std::span<char const> bytes)
{
    return {bytes.data(), bytes.size()};
}

std::string short_lives_first(std::string (*framed)(std::string const&))
{
    std::string bytes;
    for (std::string const& message : short_life_messages())
        bytes += framed(message);
    return bytes;
}

void write_scans(channel& peer, std::string (*framed)(std::string const&), std::function<bool()> const& serve)
{
    if (!peer.send(short_lives_first(framed)))
        return;
    scan scanned(framed);
    for (std::uint64_t number = 0; serve(); ++number) {
        scanned.renumber(number);
        if (!peer.send(view(scanned.bytes())))
            return;
    }
}

/// The same bytes again and again.
void repeat(channel& peer, std::string const& first, std::string const& bytes)
{
    inbox from_peer;
    for (bool good = peer.send(first); good && from_peer.serve(peer);)
        good = peer.send(bytes);
}

void write_others(channel& peer)
{
    std::string bytes = as_frame(lasting_updated(0, "between blocks"));
    for (std::string const& message : other_messages())
        bytes += as_frame(message);
    repeat(peer, "", bytes);
}

void write_updates(channel& peer)
{
    std::string bytes;
    for (std::size_t life = 0; life < 8 * lasting_lives; life += 8)
        bytes += eight_updates(life);
    repeat(peer, lasting_starts(), bytes);
}

void write_paced(channel& peer)
{
    static constexpr std::size_t digits = 20;
    std::string message = as_frame(lasting_updated(0, std::string(digits, '0')));
    std::size_t const place = message.find(std::string(digits, '0'));
    inbox from_peer;
    for (auto next = std::chrono::steady_clock::now(); from_peer.serve(peer);) {
        next += std::chrono::milliseconds(1);
        std::this_thread::sleep_until(next);
        std::array<char, digits + 1> now{};
        auto const time = std::chrono::steady_clock::now().time_since_epoch();
        std::snprintf(now.data(), now.size(), "%020lld",
                      static_cast<long long>(std::chrono::nanoseconds(time).count()));
        message.replace(place, digits, now.data(), digits);
        if (!peer.send(message))
            return;
    }
}

} // namespace

void write_websocket(channel peer, std::string_view scene)
{
    if (scene == "/others")
        return write_others(peer);
    if (scene == "/updates")
        return write_updates(peer);
    if (scene == "/paced")
        return write_paced(peer);
    inbox from_peer;
    write_scans(peer, as_frame, [&] { return from_peer.serve(peer); });
}

void write_event_stream(channel peer)
{
    write_scans(peer, as_event, [] { return true; });
}

std::string lasting_starts()
{
    std::string bytes;
    for (std::size_t life = 0; life != lasting_lives; ++life)
        bytes += as_frame(lasting_started(life));
    return bytes;
}

std::string eight_updates(std::size_t first_life)
{
    std::string bytes;
    for (std::size_t i = 0; i != 8; ++i)
        bytes += as_frame(
            lasting_updated((first_life + i) % lasting_lives, "update " + std::to_string(first_life / lasting_lives)));
    return bytes;
}

} // namespace plex::bench
