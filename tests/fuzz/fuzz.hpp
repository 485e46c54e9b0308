#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

// What fuzz targets are made of. Each is a program of one file that defines `run`; main.cpp calls it with whatever
// libFuzzer makes up, or with the files of its corpus.
namespace plex::fuzz {

// Ends the program by `promise` when something that holds for every input does not hold for this one.
void run(std::string_view input);

inline void promise(bool is_kept, std::string_view what)
{
    if (is_kept)
        return;
    std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

// Numbers that look random and are the same for the same input: a stream of bytes stays one, without a place in it that
// says how it is cut.
class dice
{
public:
    explicit dice(std::string_view input) : state_(input.size())
    {
        for (char const c : input)
            state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }

    std::size_t below(std::size_t n)
    {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return (z ^ z >> 31) % n;
    }

private:
    std::uint64_t state_;
};

// Calls `take(piece)` with all of a stream in order: byte by byte, in small pieces, in larger ones.
template <class Take>
void cut(std::string_view stream, std::size_t longest, dice& random, Take take)
{
    while (!stream.empty()) {
        std::size_t const size = std::min(stream.size(), longest == 1 ? 1 : random.below(longest + 1));
        take(stream.substr(0, size));
        stream.remove_prefix(size);
    }
}
inline constexpr std::size_t cuts[] = {1, 7, 200};

// Takes an input apart: what a target needs beside one text. When it is used up, zeros and empty texts follow.
class choices
{
public:
    explicit choices(std::string_view input) : rest_(input) {}

    bool any() const { return !rest_.empty(); }
    std::size_t number()
    {
        std::size_t const value = rest_.empty() ? 0 : static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(rest_.empty() ? 0 : 1);
        return value;
    }
    // Of as many bytes as a number before it says.
    std::string_view text()
    {
        std::size_t const wanted = number(); // before what is left is looked at
        std::size_t const size = std::min(wanted, rest_.size());
        std::string_view const value = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return value;
    }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

} // namespace plex::fuzz
