#include "net/reply_head.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace plex::net {

namespace http = boost::beast::http;

namespace {

constexpr std::string_view http_start = "HTTP/1.";

constexpr std::array<bool, 256> token_characters = [] {
    std::array<bool, 256> table{};
    for (char const c :
         std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// The first control character from there on. Eight bytes at a time, as this sees every byte of every head.
std::size_t find_control(std::string_view text, std::size_t at)
{
    constexpr std::uint64_t each = 0x0101010101010101;
    constexpr bool first_is_low = std::endian::native == std::endian::little;
    while (first_is_low && text.size() - at >= 8) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, text.data() + at, 8);
        std::uint64_t const deleted = bytes ^ (each * 0x7f);
        std::uint64_t const below = (bytes - each * 0x20) & ~bytes;
        std::uint64_t const found = (below | ((deleted - each) & ~deleted)) & (each * 0x80);
        if (found == 0) {
            at += 8;
            continue;
        }
        at += static_cast<std::size_t>(std::countr_zero(found)) / 8;
        if (text[at] != '\t')
            return at;
        ++at;
    }
    while (at != text.size() && !is_control(text[at]))
        ++at;
    return at;
}

/// Where the line ends, in CRLF, that `from` is in.
std::size_t end_of_line(std::string_view text, std::size_t from, error_code& ec)
{
    std::size_t const end = find_control(text, from);
    if (text.size() - end < 2 || (text[end] == '\r' && text[end + 1] != '\n') || text[end] == '\n')
        ec = http::error::bad_line_ending;
    else if (text[end] != '\r')
        ec = http::error::bad_value;
    return end;
}

/// Each of a list, its commas taken off; empty at the end.
std::string_view next_of_list(std::string_view& list)
{
    while (!list.empty()) {
        std::size_t const comma = std::min(list.find(','), list.size());
        std::string_view const item = trimmed(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
        if (!item.empty())
            return item;
    }
    return {};
}

void read_length(std::string_view value, reply_head& head, error_code& ec)
{
    std::uint64_t length = 0;
    auto const [end, fault] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (value.empty() || fault != std::errc() || end != value.data() + value.size())
        ec = http::error::bad_content_length;
    else if (head.length && *head.length != length)
        ec = http::error::multiple_content_length;
    head.length = length;
}

/// Chunks alone, and once: anything else that a body may be wrapped into was not asked for. HTTP/1.0 has none
/// (RFC 9112, 6.1).
void read_coding(std::string_view value, reply_head& head, error_code& ec)
{
    bool const once = same_name(next_of_list(value), "chunked") && next_of_list(value).empty();
    if (head.chunked || head.is_old || !once)
        ec = http::error::bad_transfer_encoding;
    head.chunked = true;
}

void read_connection(std::string_view value, reply_head& head)
{
    for (std::string_view item = next_of_list(value); !item.empty(); item = next_of_list(value)) {
        head.closes = head.closes || same_name(item, "close"); // whatever else it says (RFC 9112, 9.3)
        head.stays = head.stays || same_name(item, "keep-alive");
    }
}

void read_status(std::string_view line, reply_head& head, error_code& ec)
{
    constexpr std::size_t status_at = http_start.size() + 2; // "HTTP/1.1 "
    if (!line.starts_with(http_start) || line.size() < status_at || (line[7] != '0' && line[7] != '1') ||
        line[8] != ' ') {
        ec = http::error::bad_version;
        return;
    }
    head.is_old = line[7] == '0';
    std::string_view const digits = line.substr(status_at, 3);
    auto const [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), head.status);
    bool const ends = line.size() == status_at + 3 || line[status_at + 3] == ' ';
    if (digits.size() != 3 || fault != std::errc() || end != digits.data() + 3 || head.status < 100 || !ends)
        ec = http::error::bad_status;
}

/// What matters to the reading of a reply itself.
void read_field(std::string_view name, std::string_view value, reply_head& head, error_code& ec)
{
    if (same_name(name, "Content-Length"))
        read_length(trimmed(value), head, ec);
    else if (same_name(name, "Transfer-Encoding"))
        read_coding(value, head, ec);
    else if (same_name(name, "Connection"))
        read_connection(value, head);
}

} // namespace

bool may_be_http(std::string_view begin) noexcept
{
    return begin.substr(0, http_start.size()) == http_start.substr(0, begin.size());
}

reply_head read_head(std::span<char> text, error_code& ec)
{
    reply_head head;
    std::string_view const all(text.data(), text.size());
    if (!all.ends_with("\r\n\r\n")) {
        ec = http::error::need_more;
        return head;
    }
    std::size_t end = end_of_line(all, 0, ec);
    if (!ec)
        read_status(all.substr(0, end), head, ec);
    while (!ec) {
        std::size_t const from = end + 2;
        if (all[from] == '\r' && all[from + 1] == '\n')
            break;
        std::size_t colon = from;
        while (token_characters[static_cast<unsigned char>(all[colon])]) // the last line's end is none
            ++colon;
        if (colon == from || all[colon] != ':') {
            ec = http::error::bad_field;
            break;
        }
        end = end_of_line(all, colon, ec);
        while (!ec && end + 2 != all.size() && is_blank(all[end + 2])) {
            text[end] = text[end + 1] = ' ';
            end = end_of_line(all, end, ec);
        }
        if (!ec)
            read_field(all.substr(from, colon - from), all.substr(colon + 1, end - colon - 1), head, ec);
    }
    if (!ec && head.chunked && head.length)
        ec = http::error::bad_transfer_encoding; // which of them is meant is anybody's guess
    return head;
}

std::string_view fields_of(std::string_view head) noexcept
{
    return head.substr(std::min(head.find('\n'), head.size() - 1) + 1);
}

reply_field next_field(std::string_view& text) noexcept
{
    std::size_t const end = text.find("\r\n");
    std::string_view const line = text.substr(0, std::min(end, text.size()));
    if (line.empty())
        return {};
    text.remove_prefix(line.size() + 2);
    std::size_t const colon = std::min(line.find(':'), line.size() - 1);
    return {line.substr(0, colon), trimmed(line.substr(colon + 1))};
}

} // namespace plex::net
