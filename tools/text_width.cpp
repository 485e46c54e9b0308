#include "text_width.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace plex::command {
namespace {

struct range {
    char32_t first;
    char32_t last;
};

// East Asian Wide and Fullwidth, and emoji, in blocks: what lies unassigned between them counts as wide too.
constexpr std::array wide = std::to_array<range>({
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23f3},   {0x25fd, 0x25fe},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
    {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},   {0x26d4, 0x26d4},
    {0x26ea, 0x26ea},   {0x26f2, 0x26f5},   {0x26fa, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
    {0x2728, 0x2728},   {0x274c, 0x274e},   {0x2753, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27bf},
    {0x2b1b, 0x2b1c},   {0x2b50, 0x2b55},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},   {0x4e00, 0xa4cf},
    {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},
    {0xff01, 0xff60},   {0xffe0, 0xffe6},   {0x16fe0, 0x18dff}, {0x1aff0, 0x1b2ff}, {0x1f004, 0x1f004},
    {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f19a}, {0x1f1e6, 0x1f320}, {0x1f32d, 0x1faff}, {0x20000, 0x3fffd},
});

// Marks that stand on the character before them. A mark that is not here counts as one column. U+FE0F does too, as it
// makes an emoji of a narrow character before it.
constexpr std::array marks = std::to_array<range>({
    {0x0300, 0x036f}, {0x0483, 0x0489},   {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2}, {0x0610, 0x061a},
    {0x064b, 0x065f}, {0x0670, 0x0670},   {0x06d6, 0x06dc}, {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948},
    {0x094d, 0x094d}, {0x0e31, 0x0e31},   {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1160, 0x11ff}, {0x1ab0, 0x1aff},
    {0x1dc0, 0x1dff}, {0x200b, 0x200f},   {0x20d0, 0x20ff}, {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0e},
    {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
});

template <std::size_t N>
bool is_in(std::array<range, N> const& ranges, char32_t c) noexcept
{
    auto const after =
        std::upper_bound(ranges.begin(), ranges.end(), c, [](char32_t x, range r) { return x < r.first; });
    return after != ranges.begin() && c <= (after - 1)->last;
}

std::size_t width_of(char32_t c) noexcept
{
    if (c < 0x300)
        return 1;
    if (is_in(marks, c))
        return 0;
    return is_in(wide, c) ? 2 : 1;
}

// The first code point of a valid text, which is taken off it.
char32_t take(std::string_view& text) noexcept
{
    auto const lead = static_cast<std::uint8_t>(text.front());
    std::size_t const size = std::min<std::size_t>(lead < 0x80   ? 1
                                                   : lead < 0xe0 ? 2
                                                   : lead < 0xf0 ? 3
                                                                 : 4,
                                                   text.size());
    char32_t c = size == 1 ? lead : lead & (0x7fu >> size);
    for (std::size_t i = 1; i < size; ++i)
        c = c << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3fu);
    text.remove_prefix(size);
    return c;
}

} // namespace

std::size_t columns(std::string_view text) noexcept
{
    std::size_t sum = 0;
    while (!text.empty())
        sum += width_of(take(text));
    return sum;
}

std::string fitted(std::string_view text, std::size_t width)
{
    // Marks take no column, and a file name may be nothing but marks: code points are bounded as well.
    std::size_t const most_code_points = width * 4;
    std::size_t used = 0;
    std::size_t count = 0;
    std::size_t with_room_for_dots = 0; // bytes
    std::string_view rest = text;
    while (!rest.empty()) {
        if (used < width && count < most_code_points)
            with_room_for_dots = text.size() - rest.size();
        std::string_view ahead = rest;
        std::size_t const next = width_of(take(ahead));
        if (used + next > width || count == most_code_points)
            return width == 0 ? std::string() : std::string(text.substr(0, with_room_for_dots)) + "…";
        used += next;
        ++count;
        rest = ahead;
    }
    return std::string(text);
}

std::string padded(std::string_view text, std::size_t width)
{
    std::string result(text);
    std::size_t const used = columns(text);
    if (used < width)
        result.append(width - used, ' ');
    return result;
}

} // namespace plex::command
