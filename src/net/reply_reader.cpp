#include "net/reply_reader.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace plex::net {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t first_size = 8u << 10;
constexpr std::size_t slack = 16;              // behind a body, for whoever decodes it
constexpr std::size_t least_room = 1024;       // a read of fewer bytes is not worth its system call
constexpr std::size_t trusted_size = 1u << 20; // more is not taken for an announced body before some of it has come
// Framing of a body beyond which there is more of it than any part of the body could be worth: a trailer, extensions of
// some chunks, and what chunks of a single byte take.
constexpr std::uint64_t most_framing = 128u << 10;
constexpr std::uint64_t most_framing_a_byte = 8;

byte_buffer allocate(std::size_t size)
{
    return {std::make_unique_for_overwrite<char[]>(size), size};
}

} // namespace

std::string_view answer::header(std::string_view name) const noexcept
{
    std::string_view fields = fields_of({buffer_.bytes.get(), head_size_});
    for (reply_field f = next_field(fields); !f.first.empty(); f = next_field(fields)) {
        if (same_name(f.first, name))
            return f.second;
    }
    return {};
}

reply answer::to_reply() const
{
    request::headers_type headers;
    std::string_view fields = fields_of({buffer_.bytes.get(), head_size_});
    for (reply_field f = next_field(fields); !f.first.empty(); f = next_field(fields))
        headers.emplace_back(f.first, f.second);
    return reply(head_.status, std::move(headers), std::string(body()));
}

byte_buffer answer::give_buffer() && noexcept
{
    head_size_ = body_size_ = 0;
    return std::move(buffer_);
}

reply_reader::reply_reader(reply_limits limits, expecting what, byte_buffer spare) : limits_(limits), what_(what)
{
    answer_.buffer_ = std::move(spare);
}

boost::asio::mutable_buffer reply_reader::room()
{
    if (!has_buffer())
        answer_.buffer_ = allocate(first_size);
    else if (answer_.buffer_.size - filled_ < least_room + slack)
        grow();
    return {buffer() + filled_, answer_.buffer_.size - filled_ - slack};
}

/// To the announced size at once, so that a long body is not moved, unless that is more than one would give on trust;
/// not past what the limits let come.
void reply_reader::grow()
{
    std::uint64_t const announced = state_ == state::body ? framing_.announced() : 0;
    auto const ahead = static_cast<std::size_t>(std::min<std::uint64_t>(announced, trusted_size));
    std::size_t const most = std::min(limits_.header, trusted_size) + std::min(limits_.body, SIZE_MAX / 2);
    byte_buffer bigger =
        allocate(std::max(std::min(2 * answer_.buffer_.size, most), filled_ + ahead + least_room + slack));
    std::memcpy(bigger.bytes.get(), buffer(), filled_);
    answer_.buffer_ = std::move(bigger);
}

void reply_reader::take(std::size_t size, error_code& ec)
{
    filled_ += size;
    for (bool more = true; more && !ec;) {
        switch (state_) {
        case state::head:
            more = take_head(ec);
            break;
        case state::body:
            more = take_body(ec);
            break;
        case state::done:
            more = false;
            break;
        }
    }
    if (state_ == state::body && used_ != body_end()) {
        // The framing between the parts of a body takes no place.
        std::memmove(buffer() + body_end(), buffer() + used_, filled_ - used_);
        filled_ -= used_ - body_end();
        used_ = body_end();
    }
}

bool reply_reader::take_head(error_code& ec)
{
    std::string_view const text(buffer(), filled_);
    if (!may_be_http(text)) {
        ec = http::error::bad_version;
        return false;
    }
    std::size_t const end = find_end_of_head(text, ec);
    if (std::min(end, filled_) > limits_.header)
        ec = http::error::header_limit;
    if (ec || end == text.npos)
        return false;
    answer_.head_size_ = used_ = end;
    answer_.head_ = read_head(std::span(buffer(), answer_.head_size_), ec);
    if (ec)
        return false;
    int const status = answer_.head_.status;
    if (status / 100 == 1 && status != 101) { // more is to come
        interim_ += used_;
        if (interim_ > limits_.header) {
            ec = http::error::header_limit;
            return false;
        }
        std::memmove(buffer(), buffer() + used_, filled_ - used_);
        filled_ -= used_;
        used_ = scanned_ = 0;
        return filled_ != 0;
    }
    frame(ec);
    return true;
}

/// Behind its empty line. Who ends lines in another way than HTTP would be waited for until the time is over.
std::size_t reply_reader::find_end_of_head(std::string_view text, error_code& ec)
{
    for (std::size_t lf = text.find('\n', scanned_); lf != text.npos; lf = text.find('\n', lf + 1)) {
        if (lf == 0 || text[lf - 1] != '\r') {
            ec = http::error::bad_line_ending;
            return text.npos;
        }
        if (text.size() - lf > 2 && text[lf + 1] == '\r' && text[lf + 2] == '\n')
            return lf + 3;
        scanned_ = lf; // to be looked at again with what follows it
    }
    return text.npos;
}

/// RFC 9112, 6.3.
void reply_reader::frame(error_code& ec)
{
    reply_head const& head = answer_.head_;
    bool const has_none = what_ == expecting::no_body || head.status == 101 || head.status == 204 || head.status == 304;
    until_close_ = !has_none && !head.length && !head.chunked;
    if (what_ == expecting::event_stream && head.status == 200) {
        std::string_view const type = answer_.header("Content-Type");
        is_event_stream_ = same_name(type.substr(0, type.find_first_of("; ")), "text/event-stream");
    }
    std::uint64_t const limit = is_event_stream_ ? body_framing::no_limit : limits_.body; // it lasts for weeks
    if (!has_none && head.length.value_or(0) > limit)
        ec = http::error::body_limit;
    if (has_none)
        framing_ = body_framing::none();
    else if (head.chunked)
        framing_ = body_framing::chunked(limit);
    else if (head.length)
        framing_ = body_framing::of_length(*head.length);
    else
        framing_ = body_framing::until_close(limit);
    state_ = is_event_stream_ || framing_.ended() ? state::done : state::body;
}

bool reply_reader::take_body(error_code& ec)
{
    body_framing::piece const next = framing_.next(unused(), ec);
    used_ += next.framing;
    between_ += next.framing;
    if (next.body != 0 && used_ != body_end())
        std::memmove(buffer() + body_end(), buffer() + used_, next.body);
    used_ += next.body;
    answer_.body_size_ += next.body;
    if (!ec && between_ > most_framing + most_framing_a_byte * answer_.body_size_)
        ec = http::error::body_limit;
    if (framing_.ended())
        state_ = state::done;
    return next.framing + next.body != 0;
}

void reply_reader::close(error_code& ec)
{
    if (state_ == state::head)
        ec = http::error::partial_message;
    else
        framing_.close(ec);
    if (!ec)
        state_ = state::done;
}

bool reply_reader::reusable() const noexcept
{
    int const status = answer_.head_.status;
    // Bytes that nobody asked for: the next reply on this connection could not be trusted.
    return done() && answer_.head_.keeps_alive() && !until_close_ && status != 101 && beyond().empty();
}

answer reply_reader::give_answer() noexcept
{
    return std::move(answer_);
}

} // namespace plex::net
