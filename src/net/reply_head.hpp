#pragma once

#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace plex::net {

using boost::system::error_code;

/// What the head of an HTTP/1.1 reply says of the reply itself; the fields stay in its text.
struct reply_head {
    int status = 0;
    std::optional<std::uint64_t> length; ///< `Content-Length`
    bool chunked = false;                ///< `Transfer-Encoding`
    bool is_old = false;                 ///< HTTP/1.0
    bool closes = false;                 ///< `Connection`
    bool stays = false;                  ///< the same

    bool keeps_alive() const noexcept { return !closes && (stays || !is_old); }
};

/// Whether this may become a reply: what it begins with, as far as it goes, is `HTTP/1.`.
bool may_be_http(std::string_view begin) noexcept;

/// Reads a whole head, its empty line included. Folded lines become one, in place (RFC 9112, 5.2). Nothing that could
/// be read in two ways is let pass: a field without a name, a control character, a length that is no number or is told
/// twice, a coding other than chunks. Faults are `boost::beast::http::error`s.
reply_head read_head(std::span<char> text, error_code&);

using reply_field = std::pair<std::string_view, std::string_view>;

/// The next field of a head that `read_head` has read, and takes it off; empty names at the end.
/// @param text from behind the status line, or what was left of it
reply_field next_field(std::string_view& text) noexcept;

/// A head without its status line.
std::string_view fields_of(std::string_view head) noexcept;

/// Of those that no line may hold: all but tabs (RFC 9110, 5.5).
inline bool is_control(char c) noexcept
{
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

/// RFC 9110, 5.1: names are the same in any case of letters.
inline bool same_name(std::string_view a, std::string_view b) noexcept
{
    auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    auto const same = [&](char x, char y) { return x == y || lower(x) == lower(y); };
    return a.size() == b.size() && (a == b || std::equal(a.begin(), a.end(), b.begin(), same));
}

} // namespace plex::net
