#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

// Servers have sent the same field as a number and as text, booleans as 0 and 1 (protocol.md 2.11, 2.12, and rule 6 of
// "What a client must handle"). So a number as it stands and the content of a string are read alike. Nothing here
// means: that cannot be read so.
namespace plex::protocol {

template <class Number>
std::optional<Number> number_in(std::string_view text)
{
    Number value{};
    auto const end = text.data() + text.size();
    auto const [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end)
        return std::nullopt;
    return value;
}

// Truncated toward zero.
inline std::optional<int> to_int(std::string_view text)
{
    if (auto const whole = number_in<int>(text))
        return whole;
    auto const value = number_in<double>(text);
    if (!value || !(std::abs(*value) < std::numeric_limits<int>::max())) // not a number, too
        return std::nullopt;
    return static_cast<int>(*value);
}

// Whole numbers only: an identity has no fraction to cut off.
inline std::optional<std::int64_t> to_int64(std::string_view text)
{
    if (auto const whole = number_in<std::int64_t>(text))
        return whole;
    auto const value = number_in<double>(text);
    if (!value || !(std::abs(*value) < 9.0e15) || *value != std::trunc(*value))
        return std::nullopt;
    return static_cast<std::int64_t>(*value);
}

inline std::optional<bool> to_bool(std::string_view text)
{
    if (text == "true" || text == "1")
        return true;
    if (text == "false" || text == "0")
        return false;
    auto const value = number_in<double>(text);
    if (!value || (*value != 0 && *value != 1))
        return std::nullopt;
    return *value == 1;
}

} // namespace plex::protocol
