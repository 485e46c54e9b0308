#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace plex::sync {

constexpr std::uint64_t mixed(std::uint64_t bits) noexcept
{
    bits *= 0x9e3779b97f4a7c15U;
    return bits ^ (bits >> 32);
}

/// What nobody else knows: who did could name activities so that all of them have one hash, and each look-up would go
/// through them all.
struct hash_key {
    std::uint64_t a = 0x9e3779b97f4a7c15U;
    std::uint64_t b = 0xc2b2ae3d27d4eb4fU;
};

/// The halves of the product of two words, folded: every bit of either has a say in every bit.
inline std::uint64_t folded_product(std::uint64_t a, std::uint64_t b) noexcept
{
    __extension__ using wide = unsigned __int128;
    wide const product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Every byte counts: uuids of one server may differ in their last digits alone.
inline std::uint64_t hash_of(std::string_view text, hash_key const& key) noexcept
{
    std::uint64_t hash = key.b ^ text.size();
    auto const word = [&](std::size_t at, std::size_t bytes) {
        std::uint64_t w = 0;
        std::memcpy(&w, text.data() + at, bytes);
        return w;
    };
    if (text.size() < 8)
        return folded_product(word(0, text.size()) ^ key.a, hash);
    std::size_t at = 0;
    for (; text.size() - at > 16; at += 16)
        hash = folded_product(word(at, 8) ^ key.a, word(at + 8, 8) ^ hash);
    if (text.size() - at > 8)
        hash = folded_product(word(at, 8) ^ key.a, hash);
    return folded_product(word(text.size() - 8, 8) ^ key.a, hash); // overlaps: a load of fixed size is cheaper
}

/// From 64-bit keys, which need not be unique, to values. Open addressing in one block; nothing until the first insert,
/// and small from there: a client with little to do must stay small.
template <class Value>
class hash_table
{
public:
    /// The value under `key` for which `is_it(value)` holds, or null.
    template <class Predicate>
    Value* find(std::uint64_t key, Predicate is_it) noexcept
    {
        if (slots_.empty())
            return nullptr;
        for (std::size_t at = home(key); slots_[at].taken; at = next(at))
            if (slots_[at].key == key && is_it(slots_[at].value))
                return &slots_[at].value;
        return nullptr;
    }

    Value* find(std::uint64_t key) noexcept
    {
        return find(key, [](Value const&) { return true; });
    }

    /// Memory for so many more: inserting them throws nothing.
    void reserve(std::size_t more)
    {
        while (4 * (size_ + more) > 3 * slots_.size())
            grow();
    }

    void insert(std::uint64_t key, Value value)
    {
        reserve(1);
        place({key, value, true});
        ++size_;
    }

    /// @param value what `find` returned
    void erase(Value* value) noexcept
    {
        std::size_t hole = index_of(value);
        // What follows in the run moves up unless that would put it before its home: no marks of the deleted remain.
        for (std::size_t at = next(hole); slots_[at].taken; at = next(at)) {
            std::size_t const wanted = home(slots_[at].key);
            bool const stays = hole <= at ? hole < wanted && wanted <= at : hole < wanted || wanted <= at;
            if (!stays) {
                slots_[hole] = slots_[at];
                hole = at;
            }
        }
        slots_[hole].taken = false;
        --size_;
    }

    /// Gives the memory back too.
    void clear() noexcept
    {
        std::vector<slot>().swap(slots_);
        size_ = 0;
    }

    std::size_t size() const noexcept { return size_; }

private:
    struct slot {
        std::uint64_t key = 0;
        Value value{};
        bool taken = false;
    };

    std::size_t home(std::uint64_t key) const noexcept
    {
        return static_cast<std::size_t>(mixed(key)) & (slots_.size() - 1);
    }
    std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }

    std::size_t index_of(Value const* value) const noexcept
    {
        auto const offset = reinterpret_cast<char const*>(value) - reinterpret_cast<char const*>(slots_.data());
        return static_cast<std::size_t>(offset) / sizeof(slot);
    }

    void place(slot const& s) noexcept
    {
        std::size_t at = home(s.key);
        while (slots_[at].taken)
            at = next(at);
        slots_[at] = s;
    }

    void grow()
    {
        std::vector<slot> old(slots_.empty() ? 8 : 2 * slots_.size());
        old.swap(slots_);
        for (slot const& s : old)
            if (s.taken)
                place(s);
    }

    std::vector<slot> slots_; // a power of two, at most three quarters taken
    std::size_t size_ = 0;
};

} // namespace plex::sync
