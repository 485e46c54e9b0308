#pragma once

#include "measure.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace plex::bench {

/// The lesser of what is wanted and of what this process may open with so many sockets each; raises its limit first.
std::uint64_t affordable(std::uint64_t wanted, std::uint64_t sockets_each);

/// Of very many connections on which nothing happens: what it costs to open and to have them.
class idleness
{
public:
    static constexpr auto watched = std::chrono::seconds(15); // a pinged connection is pinged once

    /// Before the first is opened, but for one that is not counted.
    void opening();
    void opened();
    /// They are quiet now; until `watched` has passed.
    void quiet();
    void report(std::string_view program, std::uint64_t connections);

private:
    std::uint64_t kib_ = 0;
    reading begin_;
    reading spent_;
    reading quiet_;
};

} // namespace plex::bench
