#include "net/live_link.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace plex::net {

namespace {

// One for all links of a thread: it is in use only between two suspensions. Large, as a read costs as much as twenty
// events; but no read is to bring more events than a mailbox holds before it conflates. With the room behind it that
// framers and decoder may look at.
struct receive_buffer {
    static constexpr std::size_t size = 128 * 1024;
    static constexpr std::size_t slack = 16;
    std::array<char, size + slack> bytes;
};

receive_buffer& thread_buffer()
{
    thread_local auto const buffer = std::make_unique<receive_buffer>();
    return *buffer;
}

} // namespace

live_link::live_link(scope& s, std::unique_ptr<byte_stream> stream, std::string beyond, settings values)
    : scope_(s), stream_(std::move(stream)), settings_(values), beyond_(std::move(beyond)),
      last_sign_(std::chrono::steady_clock::now())
{
    stream_->expires_at(steady_time::max()); // it is attended to
}

live_link::~live_link() = default;

live_link::end live_link::read(steady_time now, link_listener& listener)
{
    std::span<char> const bytes = receive();
    if (bytes.empty()) {
        if (!failure_)
            return end::none;
        return silent_ ? end::silent : end::lost;
    }
    last_sign_ = now;
    return take(bytes, listener);
}

steady_time live_link::attend(steady_time now)
{
    steady_time const limit = last_sign_ + settings_.idle_limit;
    if (now < limit)
        return limit;
    silent_ = true;
    close();
    return steady_time::max();
}

std::span<char> live_link::receive()
{
    auto& buffer = thread_buffer();
    std::size_t const carried = std::min(carried_.size(), receive_buffer::size / 2);
    char* const at = buffer.bytes.data() + carried;
    std::size_t size = receive_buffer::size - carried;
    if (!beyond_.empty()) { // at most what one read of the reply brought
        size = std::min(beyond_.size(), size);
        std::memcpy(at, beyond_.data(), size);
        beyond_.erase(0, size);
        if (beyond_.empty())
            beyond_ = std::string();
    } else {
        io_result const got = stream_->try_read(asio::buffer(at, size));
        if (got.ec && got.ec != asio::error::would_block)
            failure_ = got.ec == asio::ssl::error::stream_truncated ? error_code(asio::error::eof) : got.ec;
        size = got.bytes;
    }
    if (size == 0)
        return {};
    std::memcpy(buffer.bytes.data(), carried_.data(), carried);
    carried_.clear();
    return {buffer.bytes.data(), carried + size};
}

} // namespace plex::net
