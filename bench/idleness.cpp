#include "idleness.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace plex::bench {

std::uint64_t affordable(std::uint64_t wanted, std::uint64_t sockets_each)
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    constexpr std::uint64_t others = 64;
    return std::min<std::uint64_t>(wanted, (limit.rlim_cur - others) / sockets_each);
}

void idleness::opening()
{
    kib_ = resident_kib();
    begin_ = reading::now();
}

void idleness::opened()
{
    spent_ = reading::now() - begin_;
}

void idleness::quiet()
{
    kib_ = resident_kib() - kib_;
    quiet_ = reading::now();
}

void idleness::report(std::string_view program, std::uint64_t connections)
{
    reading const quiet = reading::now() - quiet_;
    auto const seconds = [](std::chrono::nanoseconds t) { return std::chrono::duration<double>(t).count(); };
    print(program, connections, spent_,
          field("kib_per_feed", static_cast<double>(kib_) / static_cast<double>(connections)) +
              field("open_seconds", seconds(spent_.wall)) +
              field("core_share", seconds(quiet.cpu) / seconds(quiet.wall)));
}

} // namespace plex::bench
