#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace plex::command {

/// What was remembered lately: of two generations, so that its memory is bounded and what is in use stays.
template <class Value>
class remembered
{
public:
    explicit remembered(std::size_t bytes) : limit_(bytes / 2) {}

    std::optional<Value> find(std::string const& key)
    {
        if (auto const found = recent_.find(key); found != recent_.end())
            return found->second;
        auto const found = older_.find(key);
        if (found == older_.end())
            return std::nullopt;
        Value value = found->second;
        put(key, value);
        return value;
    }

    void put(std::string const& key, Value const& value)
    {
        size_ += 2 * key.size() + 128;
        recent_.insert_or_assign(key, value);
        if (size_ < limit_)
            return;
        older_ = std::move(recent_);
        recent_.clear();
        size_ = 0;
    }

private:
    std::size_t const limit_;
    std::size_t size_ = 0;
    std::unordered_map<std::string, Value> recent_;
    std::unordered_map<std::string, Value> older_;
};

/// What stands in the place of titles, names and identities: the same for the same value, never the value itself, and
/// different for different ones where so short a text has enough of them. It tells the value's length in code points
/// and in bytes and, character by character, its sort: small letter, capital, digit, other ASCII, and how many bytes
/// it takes else. A `/`, `-`, `.`, `:` or space stays where it stands alone.
///
/// Values are numbered in the order in which they come, within their shape, so that the pseudonyms hold nothing of
/// them: no key, no hash that one could try titles against.
class pseudonyms
{
public:
    /// @param value valid UTF-8. One that looks like a uuid becomes a uuid, one that looks like a number the same as
    /// `number()` gives.
    std::string of(std::string_view value);
    /// @param value a number as JSON has it; the pseudonym is one too, with its sign, its point and its exponent's
    /// length
    std::string of_number(std::string_view value);

private:
    std::string numbered(std::string_view value, std::string const& shape);

    // Unused for so long, a value is given another one, and a shape begins anew.
    remembered<std::string> known_{16u << 20};
    remembered<std::uint64_t> counted_{32u << 20};
};

/// Whether it is a number as JSON has it.
bool is_number(std::string_view text) noexcept;

} // namespace plex::command
