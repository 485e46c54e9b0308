#include "messages.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

namespace plex::bench {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::size_t number_digits = 12;
constexpr std::string_view scan_uuid = "c30c1edc-8df0-4713-a7f1-";
constexpr std::string_view short_life_uuid = "6f7c9a1b-5f56-4009-b7c2-";
constexpr std::string_view lasting_uuid = "e2a15c04-93d7-4b1e-8f60-";

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

/// An activity but for its uuid.
std::string about_scan(std::string_view title, std::string_view subtitle, std::size_t progress, bool with_context)
{
    return R"("type":"library.update.section","cancellable":false,"userID":1,"title":")" + std::string(title) +
           R"(","subtitle":")" + std::string(subtitle) + R"(","progress":)" + std::to_string(progress) +
           (with_context ? R"(,"Context":{"librarySectionID":"1"})" : "");
}

/// An `updated` of `scan::updated_bytes`: as a file's name with its folders is longer than ours, dots fill it up.
std::string updated(std::string const& uuid, std::string subtitle, std::size_t progress)
{
    auto const with = [&] {
        return notification("updated", uuid, about_scan("Scanning Shows", subtitle, progress, true));
    };
    subtitle.append(scan::updated_bytes - std::min(with().size(), scan::updated_bytes), '.');
    return with();
}

std::string scan_message(std::size_t index)
{
    constexpr std::size_t last = scan::events - 1;
    std::string const uuid = uuid_of(scan_uuid, 0);
    if (index == 0)
        return notification("started", uuid, about_scan("Scanning", "", 0, false));
    if (index == last)
        return notification("ended", uuid, about_scan("Scanning Shows", file_name(index - 2), 100, true));
    return updated(uuid, file_name(index - 1), 1 + (index - 1) * 99 / (last - 1));
}

} // namespace

scan::scan(std::string (*framing)(std::string const& message))
{
    for (std::size_t i = 0; i != events; ++i) {
        std::string const text = framing(scan_message(i));
        std::size_t const first = bytes_.size();
        places_.push_back({first, text.size()});
        for (std::size_t at = text.find(scan_uuid); at != text.npos; at = text.find(scan_uuid, at + 1))
            numbers_.push_back(first + at + scan_uuid.size());
        static constexpr std::string_view section = R"("librarySectionID":")";
        if (std::size_t const at = text.find(section); at != text.npos)
            sections_.push_back(first + at + section.size());
        bytes_.insert(bytes_.end(), text.begin(), text.end());
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

std::string lasting_started(std::size_t life)
{
    return notification("started", uuid_of(lasting_uuid, life), about_scan("Scanning Shows", "", 0, true));
}

std::string lasting_updated(std::size_t life, std::string subtitle)
{
    return updated(uuid_of(lasting_uuid, life), std::move(subtitle), 30);
}

std::string list_of(std::size_t lives)
{
    std::string list = R"({"MediaContainer":{"size":)" + std::to_string(lives) + R"(,"Activity":[)";
    for (std::size_t i = 0; i != lives; ++i)
        list += (i == 0 ? R"({"uuid":")" : R"(,{"uuid":")") + uuid_of(lasting_uuid, i) + R"(",)" +
                about_scan("Scanning Shows", file_name(i), 30, true) + "}";
    return list + "]}}";
}

} // namespace plex::bench
