#include "net/body_framing.hpp"

#include "net/reply_head.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <charconv>

namespace plex::net {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t longest_chunk_head = 4096; // a size, and extensions that nobody sends
constexpr std::size_t longest_trailer = 64u << 10;

/// A chunk's size as all servers write it, and nothing else in its line; 0 where it is written in another way, which
/// `chunk_head` looks at. Most chunks of an event stream hold one event.
std::size_t plain_chunk_head(std::string_view bytes, std::uint64_t& size)
{
    constexpr std::size_t most_digits = 8;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < std::min(most_digits, bytes.size()); ++i) {
        char const c = bytes[i];
        unsigned const digit = static_cast<unsigned char>(c) - unsigned{'0'};
        unsigned const letter = (static_cast<unsigned char>(c) | 0x20U) - unsigned{'a'};
        if (digit < 10) {
            value = 16 * value + digit;
        } else if (letter < 6) {
            value = 16 * value + 10 + letter;
        } else {
            if (value == 0 || bytes.size() < i + 2 || c != '\r' || bytes[i + 1] != '\n')
                return 0;
            size = value;
            return i + 2;
        }
    }
    return 0;
}

/// The first line with its line ending; empty where it is not there yet, or is broken.
std::string_view first_line(std::string_view bytes, std::size_t limit, error_code& ec)
{
    std::size_t const end = bytes.substr(0, limit).find('\n');
    if (end == std::string_view::npos) {
        if (bytes.size() >= limit)
            ec = http::error::bad_chunk;
        return {};
    }
    if (end == 0 || bytes[end - 1] != '\r') {
        ec = http::error::bad_chunk;
        return {};
    }
    return bytes.substr(0, end + 1);
}

} // namespace

body_framing::piece body_framing::next(std::string_view bytes, error_code& ec)
{
    if (bytes.empty())
        return {};
    switch (state_) {
    case state::ended:
        return {};
    case state::of_length:
        return next_of_body(bytes.size(), state::ended);
    case state::chunk_body:
        return next_of_body(bytes.size(), state::chunk_end);
    case state::until_close:
        if (bytes.size() > limit_) {
            ec = http::error::body_limit;
            return {};
        }
        limit_ -= bytes.size();
        return {0, bytes.size()};
    case state::chunk_head:
        return next_chunk(bytes, ec);
    case state::chunk_end: {
        if (bytes[0] != '\r' || (bytes.size() > 1 && bytes[1] != '\n')) {
            ec = http::error::bad_chunk;
            return {};
        }
        if (bytes.size() == 1)
            return {};
        state_ = state::chunk_head;
        piece const behind = next_chunk(bytes.substr(2), ec);
        return {2 + behind.framing, behind.body};
    }
    case state::trailer: {
        std::string_view const line = first_line(bytes, longest_trailer - trailer_, ec); // of no use to anybody here
        trailer_ += line.size();
        if (line.size() == 2)
            state_ = state::ended;
        return {line.size(), 0};
    }
    }
    return {};
}

body_framing::piece body_framing::next_of_body(std::size_t available, state then)
{
    auto const size = static_cast<std::size_t>(std::min<std::uint64_t>(available, rest_));
    rest_ -= size;
    if (rest_ == 0)
        state_ = then;
    return {0, size};
}

body_framing::piece body_framing::next_chunk(std::string_view bytes, error_code& ec)
{
    if (std::size_t const head = plain_chunk_head(bytes, rest_); head != 0 && rest_ <= limit_) [[likely]] {
        limit_ -= rest_;
        state_ = state::chunk_body;
        return {head, next_of_body(bytes.size() - head, state::chunk_end).body};
    }
    return {chunk_head(first_line(bytes, longest_chunk_head, ec), ec), 0};
}

std::size_t body_framing::chunk_head(std::string_view line, error_code& ec)
{
    if (line.empty())
        return 0;
    char const* const end = line.data() + line.size() - 2;
    auto const [number_end, fault] = std::from_chars(line.data(), end, rest_, 16);
    // Whatever it means; but a bare CR is a line's end to some.
    std::string_view extension(number_end, static_cast<std::size_t>(end - number_end));
    extension.remove_prefix(std::min(extension.find_first_not_of(" \t"), extension.size()));
    bool const good =
        extension.empty() || (extension.front() == ';' && std::none_of(extension.begin(), extension.end(), is_control));
    if (fault != std::errc() || !good)
        ec = http::error::bad_chunk;
    else if (rest_ > limit_)
        ec = http::error::body_limit;
    if (ec)
        return 0;
    limit_ -= rest_;
    state_ = rest_ == 0 ? state::trailer : state::chunk_body;
    return line.size();
}

void body_framing::close(error_code& ec)
{
    if (state_ == state::until_close)
        state_ = state::ended;
    else if (state_ != state::ended)
        ec = http::error::partial_message;
}

} // namespace plex::net
