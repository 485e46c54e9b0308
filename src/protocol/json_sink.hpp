#pragma once

#include "protocol/json_text.hpp"

#include <cassert>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace plex::protocol {

// Memory for what a message says, taken once before the message is read, so that views into it stand. Everything that
// is kept of a message takes no more bytes than it took there: re-serialised JSON has no spaces and the shortest
// escapes. So there is nothing to check on the way.
class text_arena
{
public:
    // Empties it, with room for `size` bytes.
    void reset(std::size_t size)
    {
        // A large one, such as a list's, is not held for the small messages that follow.
        if (size > capacity_ || (capacity_ > keep && size < capacity_ / 4)) {
            capacity_ = size < 512 ? 512 : size + size / 2;
            memory_.reset(new char[capacity_]);
        }
        end_ = memory_.get();
    }

    void put(char c)
    {
        assert(used() < capacity_);
        *end_++ = c;
    }

    void put(std::string_view text)
    {
        assert(text.size() <= capacity_ - used());
        if (!text.empty())
            std::memcpy(end_, text.data(), text.size());
        end_ += text.size();
    }

    void put_quoted(std::string_view text)
    {
        assert(text.size() + 2 <= capacity_ - used());
        char* const at = end_;
        *at = '"';
        std::memcpy(at + 1, text.data(), text.size());
        at[text.size() + 1] = '"';
        end_ = at + text.size() + 2;
    }

    char const* end() const { return end_; }
    std::string_view since(char const* start) const
    {
        return std::string_view(start, static_cast<std::size_t>(end_ - start));
    }

private:
    static constexpr std::size_t keep = 256u << 10;

    std::size_t used() const { return static_cast<std::size_t>(end_ - memory_.get()); }

    std::unique_ptr<char[]> memory_;
    std::size_t capacity_ = 0;
    char* end_ = nullptr;
};

// Against a literal. Names are compared for each member of each message: with the size known to the compiler this is a
// few instructions, where `==` of string_view calls two functions.
template <std::size_t N>
bool is(std::string_view text, char const (&literal)[N])
{
    return text.size() == N - 1 && std::memcmp(text.data(), literal, N - 1) == 0;
}

// Writes compact JSON from a parser's events.
class json_sink
{
public:
    explicit json_sink(text_arena& to) : to_(&to) {}

    // For a text of its own.
    void restart() { separated_ = true; }

    void begin(char bracket)
    {
        separate();
        to_->put(bracket);
        separated_ = true;
    }
    void end(char bracket)
    {
        to_->put(bracket);
        separated_ = false;
    }
    // @param verbatim whether the text stands so between quotes, without escapes
    void key(std::string_view name, bool verbatim)
    {
        separate();
        put_string(name, verbatim);
        to_->put(':');
        separated_ = true;
    }
    void string(std::string_view text, bool verbatim)
    {
        separate();
        put_string(text, verbatim);
        separated_ = false;
    }
    // A number or literal.
    void value(std::string_view text)
    {
        separate();
        to_->put(text);
        separated_ = false;
    }

private:
    void separate()
    {
        if (!separated_)
            to_->put(',');
    }
    void put_string(std::string_view text, bool verbatim)
    {
        if (verbatim) {
            to_->put_quoted(text);
            return;
        }
        escaped_.clear();
        append_json_string(escaped_, text);
        to_->put(escaped_);
    }

    text_arena* to_;
    bool separated_ = true; // whether the next one needs no comma before it
    std::string escaped_;
};

} // namespace plex::protocol
