#pragma once

#include "net/byte_stream.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace plex::test {

/// A stream of which all that is to be read is there from the beginning, so that no read has to wait, and which takes
/// whatever is written.
class full_stream final : public net::byte_stream
{
public:
    full_stream(net::scope& s, std::string bytes) : byte_stream(s), unread_(std::move(bytes)) {}

    net::io_result try_read(boost::asio::mutable_buffer room) override
    {
        std::size_t const size = std::min(room.size(), unread_.size() - at_);
        std::memcpy(room.data(), unread_.data() + at_, size);
        at_ += size;
        return {size == 0 ? net::error_code(boost::asio::error::eof) : net::error_code(), size};
    }
    boost::asio::awaitable<net::error_code> wait_readable() override { co_return net::error_code(); }
    void notify_readable(std::shared_ptr<void>, net::readable_listener&) override {}
    net::io_result try_write(boost::asio::const_buffer bytes) override
    {
        ++writes;
        written.append(static_cast<char const*>(bytes.data()), bytes.size());
        return {{}, bytes.size()};
    }
    boost::asio::awaitable<net::error_code> write(boost::asio::const_buffer bytes) override
    {
        try_write(bytes);
        co_return net::error_code();
    }
    boost::asio::awaitable<void> say_goodbye() override { co_return; }
    void close() noexcept override {}
    bool is_quiet() noexcept override { return at_ == unread_.size(); }

    int writes = 0;
    std::string written;

private:
    std::string const unread_;
    std::size_t at_ = 0;
};

} // namespace plex::test
