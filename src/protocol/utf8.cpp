#include "protocol/utf8.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace plex::protocol {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

// A code point, or a maximal ill-formed part, at the start of a text.
struct sequence {
    std::size_t size;
    char32_t code_point;
    bool valid;
};

bool is_continuation(char byte)
{
    return (static_cast<std::uint8_t>(byte) & 0xc0) == 0x80;
}

// How many bytes a sequence has that starts with `lead`; 0 where none does.
std::size_t sequence_size(std::uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

// Precondition: `text` is not empty.
sequence first_sequence(std::string_view text)
{
    auto const lead = static_cast<std::uint8_t>(text[0]);
    auto const size = sequence_size(lead);
    if (size < 2)
        return {1, lead, size == 1};
    // The second byte's range excludes overlong forms, surrogates and what lies beyond U+10FFFF.
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xbf;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    char32_t code_point = lead & (0x7fu >> size);
    for (std::size_t i = 1; i != size; ++i) {
        if (i == text.size())
            return {i, 0, false};
        auto const byte = static_cast<std::uint8_t>(text[i]);
        if (byte < low || byte > high)
            return {i, 0, false};
        code_point = code_point << 6 | (byte & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }
    return {size, code_point, true};
}

#if defined(__SSE2__)
// The high bits of 16 bytes, and whether 64 have any.
unsigned high_bits(char const* at)
{
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_loadu_si128(reinterpret_cast<__m128i const*>(at))));
}

bool any_high_bit(char const* at)
{
    auto const part = [at](int i) { return _mm_loadu_si128(reinterpret_cast<__m128i const*>(at) + i); };
    __m128i const all = _mm_or_si128(_mm_or_si128(part(0), part(1)), _mm_or_si128(part(2), part(3)));
    return _mm_movemask_epi8(all) != 0;
}
#endif

// How many bytes at the start of `text` are ASCII: all of nearly all texts.
std::size_t ascii_prefix(std::string_view text)
{
    std::size_t at = 0;
#if defined(__SSE2__)
    while (text.size() - at >= 64 && !any_high_bit(text.data() + at))
        at += 64;
    if (at != 0 && text.size() - at < 64 && !any_high_bit(text.data() + text.size() - 64))
        return text.size();
    for (; text.size() - at >= 16; at += 16)
        if (auto const bits = high_bits(text.data() + at))
            return at + static_cast<std::size_t>(std::countr_zero(bits));
#endif
    while (at != text.size() && static_cast<std::uint8_t>(text[at]) < 0x80)
        ++at;
    return at;
}

// The size of a sequence of two or three bytes at `at`, of the leads that any continuation makes well-formed: nearly
// all that are not ASCII. 0 where it is another.
std::size_t plain_sequence_size(char const* at, std::size_t room)
{
    auto const lead = static_cast<std::uint8_t>(*at);
    if (room >= 2 && lead >= 0xc2 && lead < 0xe0 && is_continuation(at[1]))
        return 2;
    bool const is_plain = lead > 0xe0 && lead < 0xf0 && lead != 0xed;
    return room >= 3 && is_plain && is_continuation(at[1]) && is_continuation(at[2]) ? 3 : 0;
}

// The first part of `text` that is ill-formed, empty and at its end when there is none.
std::string_view find_ill_formed(std::string_view text)
{
    std::size_t at = 0;
    while (true) {
        at += ascii_prefix(text.substr(at));
        for (; at != text.size() && static_cast<std::uint8_t>(text[at]) >= 0x80;) {
            std::size_t size = plain_sequence_size(text.data() + at, text.size() - at);
            if (size == 0) {
                auto const next = first_sequence(text.substr(at));
                if (!next.valid)
                    return text.substr(at, next.size);
                size = next.size;
            }
            at += size;
        }
        if (at == text.size())
            return text.substr(at);
    }
}

bool breaks_words(char32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool is_left_out(char32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
        return true;
    return c == 0x061c || c == 0x200b || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0x1d173 && c <= 0x1d17a) || c == 0xe0001;
}

} // namespace

bool valid_utf8(std::string_view text) noexcept
{
    return find_ill_formed(text).empty();
}

std::size_t repair_utf8(std::string_view in, std::string& out)
{
    std::size_t count = 0;
    while (true) {
        auto const bad = find_ill_formed(in);
        auto const good = static_cast<std::size_t>(bad.data() - in.data());
        out.append(in.substr(0, good));
        if (bad.empty())
            return count;
        out.append(replacement);
        ++count;
        in.remove_prefix(good + bad.size());
    }
}

std::size_t repaired_size(std::string_view in) noexcept
{
    std::size_t size = in.size();
    while (true) {
        auto const bad = find_ill_formed(in);
        if (bad.empty())
            return size;
        size += replacement.size() - bad.size();
        in.remove_prefix(static_cast<std::size_t>(bad.data() - in.data()) + bad.size());
    }
}

std::string_view cut_utf8(std::string_view text, std::size_t max_bytes) noexcept
{
    if (text.size() <= max_bytes)
        return text;
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, max_bytes); ++back) {
        auto const byte = text[max_bytes - back];
        if (is_continuation(byte))
            continue;
        auto const whole = sequence_size(static_cast<std::uint8_t>(byte)) <= back;
        return text.substr(0, whole ? max_bytes : max_bytes - back);
    }
    return text.substr(0, max_bytes);
}

std::string terminal_safe(std::string_view text)
{
    std::string safe;
    safe.reserve(text.size());
    while (!text.empty()) {
        auto const next = first_sequence(text);
        if (!next.valid)
            safe.append(replacement);
        else if (breaks_words(next.code_point))
            safe.push_back(' ');
        else if (!is_left_out(next.code_point))
            safe.append(text.substr(0, next.size));
        text.remove_prefix(next.size);
    }
    return safe;
}

} // namespace plex::protocol
