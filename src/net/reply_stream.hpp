#pragma once

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace plex::net {

using boost::system::error_code;

/// The body of a reply that does not end by itself: chunk framing is taken off, the rest is handed on where it lies.
class reply_stream
{
public:
    class parser;

    explicit reply_stream(std::unique_ptr<parser>);
    ~reply_stream();

    /// Appends the parts of `bytes` that belong to the body.
    /// @returns how many bytes were used; the others are to be given again, with what follows them
    std::size_t take(std::span<char> bytes, std::vector<std::span<char>>& body, error_code& ec);
    /// The body has ended, as its framing says.
    bool ended() const noexcept;

private:
    std::unique_ptr<parser> parser_;
};

} // namespace plex::net
