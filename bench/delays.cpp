#include "delays.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace plex::bench {

void delays::arrived(std::string_view subtitle)
{
    auto const now = std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
    std::int64_t written = 0;
    std::from_chars(subtitle.data(), subtitle.data() + subtitle.size(), written);
    expect(written > 0 && written <= now, "an event does not say when it was written");
    nanoseconds_.push_back(now - written);
}

void delays::report(std::string_view program, reading const& spent)
{
    std::sort(nanoseconds_.begin(), nanoseconds_.end());
    auto const at = [&](std::size_t percent) {
        return static_cast<double>(nanoseconds_[(nanoseconds_.size() - 1) * percent / 100]);
    };
    print(program, nanoseconds_.size(), spent, field("p50_ns", at(50)) + field("p99_ns", at(99)));
}

} // namespace plex::bench
