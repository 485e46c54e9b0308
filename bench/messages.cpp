#include "messages.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace plex::bench {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t number_digits = 12;
constexpr std::string_view scan_uuid = "c30c1edc-8df0-4713-a7f1-";
constexpr std::string_view short_life_uuid = "6f7c9a1b-5f56-4009-b7c2-";

void write_number(char* to, std::uint64_t number) noexcept
{
    for (std::size_t i = number_digits; i != 0; number >>= 4)
        to[--i] = hex_digits[number & 15];
}

std::string uuid_of(std::string_view prefix, std::uint64_t number)
{
    std::string uuid(prefix);
    uuid.resize(prefix.size() + number_digits);
    write_number(uuid.data() + prefix.size(), number);
    return uuid;
}

std::string file_name(std::size_t number)
{
    static constexpr std::array<std::string_view, 12> names = {
        "The Quiet Harbour",  "A Distant Orchard", "Seven Ferrymen",     "Letters to Überlingen",
        "Beneath the Valley", "Midnight Crossing", "The Paper Mountain", "An Honest Clockmaker",
        "Café Meridian",      "The Last Archive",  "Towards the Island", "A Winter Station"};
    std::array<char, 64> episode{};
    std::snprintf(episode.data(), episode.size(), " (%zu) - S%02zuE%02zu - ", 1925 + number * 13 % 100,
                  1 + number / 24 % 9, 1 + number % 24);
    return std::string(names[number % names.size()]) + episode.data() + std::string(names[number / 7 % names.size()]);
}

std::string notification(std::string_view event, std::string const& uuid, std::string_view rest)
{
    return R"({"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[{"event":")" +
           std::string(event) + R"(","uuid":")" + uuid + R"(","Activity":{"uuid":")" + uuid + R"(",)" +
           std::string(rest) + "}}]}}";
}

std::string scanning(std::string_view event, std::string const& title, std::string const& subtitle,
                     std::size_t progress, bool with_context)
{
    return notification(event, uuid_of(scan_uuid, 0),
                        R"("type":"library.update.section","cancellable":false,"userID":1,"title":")" + title +
                            R"(","subtitle":")" + subtitle + R"(","progress":)" + std::to_string(progress) +
                            (with_context ? R"(,"Context":{"librarySectionID":"1"})" : ""));
}

std::string updated(std::size_t number)
{
    constexpr std::size_t updates = scan::events - 2;
    std::string subtitle = file_name(number);
    std::size_t const progress = 1 + number * 99 / updates;
    std::string const title = "Scanning Shows";
    std::size_t const bytes = scanning("updated", title, subtitle, progress, true).size();
    subtitle.append(scan::updated_bytes - std::min(bytes, scan::updated_bytes), '.');
    return scanning("updated", title, subtitle, progress, true);
}

} // namespace

scan::scan(std::size_t before, std::size_t after)
{
    for (std::size_t i = 0; i != events; ++i) {
        std::string const text = i == 0            ? scanning("started", "Scanning", "", 0, false)
                                 : i == events - 1 ? scanning("ended", "Scanning Shows", file_name(i - 2), 100, true)
                                                   : updated(i - 1);
        std::size_t const first = bytes_.size() + before;
        places_.push_back({first, text.size()});
        for (std::size_t at = text.find(scan_uuid); at != text.npos; at = text.find(scan_uuid, at + 1))
            numbers_.push_back(first + at + scan_uuid.size());
        static constexpr std::string_view section = R"("librarySectionID":")";
        if (std::size_t const at = text.find(section); at != text.npos)
            sections_.push_back(first + at + section.size());
        bytes_.resize(first);
        bytes_.insert(bytes_.end(), text.begin(), text.end());
        bytes_.resize(bytes_.size() + after);
    }
}

void scan::renumber(std::uint64_t number) noexcept
{
    std::array<char, number_digits> digits{};
    write_number(digits.data(), number);
    for (std::size_t const at : numbers_)
        std::copy(digits.begin(), digits.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
    for (std::size_t const at : sections_)
        bytes_[at] = static_cast<char>('1' + number % 9);
}

std::vector<std::string> short_life_messages()
{
    static constexpr std::string_view about =
        R"("type":"provider.subscriptions.process","cancellable":true,"userID":1,"title":"Processing subscriptions","subtitle":"","progress":)";
    std::vector<std::string> messages;
    for (std::size_t i = 0; i != short_lives; ++i) {
        std::string const uuid = uuid_of(short_life_uuid, i);
        messages.push_back(notification("started", uuid, std::string(about) + "0"));
        messages.push_back(notification("ended", uuid, std::string(about) + "100"));
    }
    return messages;
}

} // namespace plex::bench
