#pragma once

#include "net/body_framing.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace plex::net {

/// The body of a reply that does not end by itself: its framing is taken off, the rest is handed on where it lies.
class reply_stream
{
public:
    explicit reply_stream(body_framing framing) : framing_(framing) {}

    /// Appends the parts of `bytes` that belong to the body.
    /// @returns how many bytes were used; the others are to be given again, with what follows them
    std::size_t take(std::span<char> bytes, std::vector<std::span<char>>& body, error_code& ec);
    /// The body has ended, as its framing says.
    bool ended() const noexcept { return framing_.ended(); }

private:
    body_framing framing_;
};

} // namespace plex::net
