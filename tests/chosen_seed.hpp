#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

namespace plex::test {

/// Of a random test: what PLEX_TEST_SEED says, so that a run can be had again, else another one each time.
inline std::uint32_t chosen_seed()
{
    char const* const given = std::getenv("PLEX_TEST_SEED");
    return given ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : std::random_device()();
}

} // namespace plex::test
