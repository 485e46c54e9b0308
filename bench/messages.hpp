#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace plex::bench {

/// The messages of one scan as it was recorded (protocol.md 2.4, 2.5, 3): `started` without `Context`, updates that
/// share their progress and differ in their subtitle, `ended`. Names are made up.
class scan
{
public:
    static constexpr std::size_t events = 1556;
    /// Of each `updated`, without a frame's header.
    static constexpr std::size_t updated_bytes = 436;

    /// @param framing what stands for a message: with a header, say
    explicit scan(std::string (*framing)(std::string const& message));

    /// Makes it the scan of that number: with a uuid of its own, perhaps of another section.
    void renumber(std::uint64_t number) noexcept;

    /// All messages as they were framed.
    std::span<char> bytes() noexcept { return bytes_; }
    std::size_t size() const noexcept { return places_.size(); }
    std::span<char> framed(std::size_t index) noexcept
    {
        return bytes().subspan(places_[index].first, places_[index].size);
    }

private:
    struct place {
        std::size_t first;
        std::size_t size;
    };

    std::vector<char> bytes_;
    std::vector<place> places_;
    std::vector<std::size_t> numbers_;  // where the digits of its number stand
    std::vector<std::size_t> sections_; // and the one of its section
};

/// As many lives as a client remembers ends, each of `started` and `ended` (protocol.md 2.7). Every connection brings
/// them first, so that what is measured is a client that has run for long.
std::size_t constexpr short_lives = 8192;
std::vector<std::string> short_life_messages();

/// What every connection brings before a reader measures: those, and two scans.
std::uint64_t constexpr warm_up_events = 2 * short_lives + 2 * scan::events;

/// Lives that are told of in turn and do not end.
std::size_t constexpr lasting_lives = 64;
std::string lasting_started(std::size_t life);
/// @param subtitle of at most 100 bytes; the message has `scan::updated_bytes`
std::string lasting_updated(std::size_t life, std::string subtitle);
/// `GET /activities` with so many of them, as they start.
std::string list_of(std::size_t lives);

} // namespace plex::bench
