#pragma once

#include "protocol/json_text.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__GNUC__)
#define PLEX_INLINE __attribute__((always_inline)) inline
#else
#define PLEX_INLINE inline
#endif

namespace plex::protocol {

enum class json_fault : std::uint8_t { none, truncated, too_deep, malformed };

// Reads one JSON text (RFC 8259) and calls a handler for what it finds: `begin_object`, `end_object`, `begin_array`,
// `end_array`, `key`, `string`, `number`, `boolean`, `null`. The text must be valid UTF-8, and 16 bytes behind it must
// be readable. In the place of Boost.JSON's event parser, which refuses a whole document for half a surrogate pair,
// gives strings with escapes in parts, and costs more.
class json_reader
{
public:
    static constexpr unsigned max_depth = 32;

    template <class Handler>
    json_fault read(std::string_view text, Handler& handler);

    // Halves of surrogate pairs that the last text had, which become U+FFFD.
    std::size_t repaired() const { return repaired_; }

private:
    // Where the reader is. A local of `read` and everything that takes it is inlined there, so that it stays in
    // registers: as a member it would be loaded and stored for each character.
    struct cursor {
        char const* at;
        char const* end;

        bool is_at_end() const { return at == end; }

        PLEX_INLINE bool skip_space()
        {
            while (at != end && static_cast<unsigned char>(*at) <= ' ' &&
                   (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
                ++at;
            return at != end;
        }

        bool is_at_digit() const { return at != end && *at >= '0' && *at <= '9'; }
    };

    // The first quote, backslash or control character at `at` or behind it. At most 15 bytes are looked at behind the
    // end.
    static PLEX_INLINE char const* find_special(char const* at, char const* end)
    {
#if defined(__SSE2__)
        for (; at < end; at += 16) {
            __m128i const bytes = _mm_loadu_si128(reinterpret_cast<__m128i const*>(at));
            __m128i const found = _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
                _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes));
            if (auto const mask = static_cast<unsigned>(_mm_movemask_epi8(found)))
                return at + std::countr_zero(mask);
        }
        return end;
#else
        while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20)
            ++at;
        return at;
#endif
    }

    // From behind the opening quote to behind the closing one.
    PLEX_INLINE json_fault read_string(cursor& in, std::string_view& to, bool& escaped, std::string& unescaped)
    {
        char const* const start = in.at;
        char const* at = find_special(start, in.end);
        escaped = at < in.end && *at == '\\';
        if (escaped)
            at = find_end(at, in.end);
        if (at >= in.end)
            return json_fault::truncated;
        if (*at != '"')
            return json_fault::malformed;
        in.at = at + 1;
        to = std::string_view(start, static_cast<std::size_t>(at - start));
        if (escaped) {
            unescaped.clear();
            if (!unescape(to, unescaped, repaired_))
                return json_fault::malformed;
            to = unescaped;
        }
        return json_fault::none;
    }

    // The end of a string with escapes, of which `at` is the first.
    static char const* find_end(char const* at, char const* end)
    {
        while (at < end && *at == '\\')
            at = end - at > 2 ? find_special(at + 2, end) : end;
        return at;
    }

    static PLEX_INLINE json_fault read_literal(cursor& in, std::string_view literal)
    {
        std::string_view const rest(in.at, static_cast<std::size_t>(in.end - in.at));
        if (rest.starts_with(literal)) {
            in.at += literal.size();
            return json_fault::none;
        }
        return literal.starts_with(rest) ? json_fault::truncated : json_fault::malformed;
    }

    // One digit or more.
    static PLEX_INLINE json_fault read_digits(cursor& in)
    {
        if (!in.is_at_digit())
            return in.is_at_end() ? json_fault::truncated : json_fault::malformed;
        while (in.is_at_digit())
            ++in.at;
        return json_fault::none;
    }

    static PLEX_INLINE json_fault read_number(cursor& in)
    {
        if (*in.at == '-')
            ++in.at;
        json_fault fault = json_fault::none;
        if (!in.is_at_end() && *in.at == '0')
            ++in.at; // no digit may follow
        else
            fault = read_digits(in);
        if (fault == json_fault::none && !in.is_at_end() && *in.at == '.') {
            ++in.at;
            fault = read_digits(in);
        }
        if (fault == json_fault::none && !in.is_at_end() && (*in.at == 'e' || *in.at == 'E')) {
            ++in.at;
            if (!in.is_at_end() && (*in.at == '+' || *in.at == '-'))
                ++in.at;
            fault = read_digits(in);
        }
        return fault;
    }

    // A name and its colon.
    template <class Handler>
    PLEX_INLINE json_fault read_key(cursor& in, Handler& handler)
    {
        if (!in.skip_space())
            return json_fault::truncated;
        if (*in.at != '"')
            return json_fault::malformed;
        ++in.at;
        std::string_view name;
        bool escaped = false;
        if (auto const fault = read_string(in, name, escaped, key_); fault != json_fault::none)
            return fault;
        handler.key(name, !escaped);
        if (!in.skip_space())
            return json_fault::truncated;
        return *in.at++ == ':' ? json_fault::none : json_fault::malformed;
    }

    template <class Handler>
    PLEX_INLINE json_fault read_scalar(cursor& in, Handler& handler)
    {
        json_fault fault = json_fault::none;
        char const* const start = in.at;
        switch (*in.at) {
        case '"': {
            ++in.at;
            std::string_view text;
            bool escaped = false;
            fault = read_string(in, text, escaped, string_);
            if (fault == json_fault::none)
                handler.string(text, !escaped);
            return fault;
        }
        case 't':
            fault = read_literal(in, "true");
            if (fault == json_fault::none)
                handler.boolean(true);
            return fault;
        case 'f':
            fault = read_literal(in, "false");
            if (fault == json_fault::none)
                handler.boolean(false);
            return fault;
        case 'n':
            fault = read_literal(in, "null");
            if (fault == json_fault::none)
                handler.null();
            return fault;
        case '-':
        case '0':
        case '1':
        case '2':
        case '3':
        case '4':
        case '5':
        case '6':
        case '7':
        case '8':
        case '9':
            fault = read_number(in);
            if (fault == json_fault::none)
                handler.number(std::string_view(start, static_cast<std::size_t>(in.at - start)));
            return fault;
        default:
            return json_fault::malformed;
        }
    }

    std::size_t repaired_ = 0;
    std::string key_; // of those with escapes; a key's is needed until its value has come
    std::string string_;
};

template <class Handler>
json_fault json_reader::read(std::string_view text, Handler& handler)
{
    cursor in{text.data(), text.data() + text.size()};
    repaired_ = 0;
    std::uint64_t objects = 0; // a bit for each open container, the innermost lowest: whether it is an object
    unsigned depth = 0;
    while (true) {
        if (!in.skip_space())
            return json_fault::truncated;
        if (*in.at == '{' || *in.at == '[') {
            bool const is_object = *in.at == '{';
            if (depth == max_depth)
                return json_fault::too_deep;
            ++depth;
            objects = objects << 1 | (is_object ? 1u : 0u);
            ++in.at;
            if (is_object)
                handler.begin_object();
            else
                handler.begin_array();
            if (!in.skip_space())
                return json_fault::truncated;
            if (*in.at != (is_object ? '}' : ']')) {
                if (is_object) {
                    if (auto const fault = read_key(in, handler); fault != json_fault::none)
                        return fault;
                }
                continue;
            }
        } else if (auto const fault = read_scalar(in, handler); fault != json_fault::none) {
            return fault;
        }
        // Behind a value, or before the end of an empty container.
        while (true) {
            if (depth == 0)
                return in.skip_space() ? json_fault::malformed : json_fault::none;
            if (!in.skip_space())
                return json_fault::truncated;
            bool const in_object = (objects & 1) != 0;
            char const c = *in.at++;
            if (c == ',') {
                if (in_object) {
                    if (auto const fault = read_key(in, handler); fault != json_fault::none)
                        return fault;
                }
                break;
            }
            if (c != (in_object ? '}' : ']'))
                return json_fault::malformed;
            if (in_object)
                handler.end_object();
            else
                handler.end_array();
            objects >>= 1;
            --depth;
        }
    }
}

} // namespace plex::protocol

#undef PLEX_INLINE
