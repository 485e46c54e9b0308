#pragma once

#include "net/body_framing.hpp"
#include "net/reply_head.hpp"

#include <plex/request.hpp>

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace plex::net {

struct reply_limits {
    std::size_t header = 64u << 10;
    std::size_t body = 8u << 20;
};

/// What a reply may be, beside a header with a whole body.
enum class expecting : unsigned char {
    body,
    no_body,      ///< the request is a HEAD
    event_stream, ///< a 200 of that type ends with its header, its body is for others to read
};

/// Bytes that nobody set to anything.
struct byte_buffer {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
};

/// A reply as it came: its head, and its body without its framing, in the buffer that they were read into.
class answer
{
public:
    int status() const noexcept { return head_.status; }
    /// The first field of that name, in any case of letters; empty where there is none.
    std::string_view header(std::string_view name) const noexcept;
    std::string_view body() const noexcept { return {buffer_.bytes.get() + head_size_, body_size_}; }
    /// To be decoded where it lies: 16 bytes behind it may be read.
    std::span<char> mutable_body() noexcept { return {buffer_.bytes.get() + head_size_, body_size_}; }
    reply to_reply() const;
    /// For another reply; this one is empty then.
    byte_buffer give_buffer() && noexcept;

private:
    friend class reply_reader;

    byte_buffer buffer_;
    reply_head head_;
    std::size_t head_size_ = 0; // the body begins there
    std::size_t body_size_ = 0;
};

/// Reads the reply to one request, from bytes as they come; does no I/O. Faults are `boost::beast::http::error`s.
class reply_reader
{
public:
    reply_reader(reply_limits limits, expecting what, byte_buffer spare = {});

    /// False until the first use of `room()`, unless it was given a spare one: whoever waits long for a reply may do so
    /// without.
    bool has_buffer() const noexcept { return buffer() != nullptr; }
    /// Where the next bytes go; never empty.
    boost::asio::mutable_buffer room();
    /// `size` bytes have come into the room.
    void take(std::size_t size, error_code&);
    /// The peer has closed: a reply without a length ends so, any other is cut short.
    void close(error_code&);

    bool done() const noexcept { return state_ == state::done; }

    // Once it is done:

    /// As far as the reply tells, another request may follow on this connection.
    bool reusable() const noexcept;
    /// Bytes behind the reply: the first frames after an upgrade.
    std::string_view beyond() const noexcept { return unused(); }
    /// The answer's body is an event stream, yet to be read.
    bool is_event_stream() const noexcept { return is_event_stream_; }
    body_framing const& framing() const noexcept { return framing_; }
    answer give_answer() noexcept;

private:
    enum class state : unsigned char { head, body, done };

    char* buffer() const noexcept { return answer_.buffer_.bytes.get(); }
    std::string_view unused() const noexcept { return {buffer() + used_, filled_ - used_}; }
    std::size_t body_end() const noexcept { return answer_.head_size_ + answer_.body_size_; }
    bool take_head(error_code&);
    std::size_t find_end_of_head(std::string_view, error_code&);
    bool take_body(error_code&);
    void frame(error_code&);
    void grow();

    answer answer_;
    body_framing framing_ = body_framing::none();
    reply_limits limits_;
    std::size_t filled_ = 0;
    std::size_t used_ = 0;      // of what is filled
    std::size_t scanned_ = 0;   // the last line feed found, no head ends before it
    std::size_t interim_ = 0;   // bytes of replies before the one that counts
    std::uint64_t between_ = 0; // bytes of framing between the parts of the body
    expecting what_;
    state state_ = state::head;
    bool until_close_ = false;
    bool is_event_stream_ = false;
};

} // namespace plex::net
