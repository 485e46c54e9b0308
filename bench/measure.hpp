#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace plex::bench {

/// What this process has used so far; the difference of two readings is what lay between.
struct reading {
    std::chrono::nanoseconds cpu{};  ///< of all its threads, in the kernel too
    std::chrono::nanoseconds wall{}; ///< since some start
    std::uint64_t allocations = 0;   ///< by `operator new` and by `aligned_alloc`, which Asio prefers

    static reading now();
    reading& operator+=(reading const&) noexcept;
};

reading operator-(reading const&, reading const&) noexcept;

/// One more member of that line.
std::string field(std::string_view name, double value);
/// Prints the line that run.sh reads (README.md).
void print(std::string_view program, std::uint64_t count, reading const& spent, std::string_view more = "");

/// Resident memory of this process.
std::uint64_t resident_kib();

/// Ends the program where what was to be measured did not happen.
void expect(bool happened, char const* otherwise);

/// `argv[index]` as a number above 0; else says how the program is called, and exits with 2.
std::uint64_t number(int argc, char** argv, int index, char const* usage);

/// Whether `argv[index]` is that word; where it is another, as `number`.
bool is_word(int argc, char** argv, int index, std::string_view word, char const* usage);

} // namespace plex::bench
