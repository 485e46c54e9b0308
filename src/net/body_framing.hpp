#pragma once

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace plex::net {

using boost::system::error_code;

/// Where the body of an HTTP/1.1 reply lies among the bytes behind its head, and where it ends (RFC 9112, 6 and 7).
/// Keeps no bytes. Faults are `boost::beast::http::error`s.
class body_framing
{
public:
    static constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

    static body_framing none() { return body_framing(state::ended, 0, no_limit); }
    static body_framing of_length(std::uint64_t size)
    {
        return body_framing(size == 0 ? state::ended : state::of_length, size, no_limit);
    }
    static body_framing chunked(std::uint64_t limit) { return body_framing(state::chunk_head, 0, limit); }
    static body_framing until_close(std::uint64_t limit) { return body_framing(state::until_close, 0, limit); }

    /// What bytes begin with: some of the framing, then some of the body. Both 0: more bytes are needed.
    struct piece {
        std::size_t framing = 0;
        std::size_t body = 0;
    };
    piece next(std::string_view bytes, error_code&);
    /// What was left over is given again, with what follows it.
    bool ended() const noexcept { return state_ == state::ended; }
    /// The peer has closed.
    void close(error_code&);
    /// How much of the body is known to come.
    std::uint64_t announced() const noexcept { return rest_; }

private:
    enum class state : unsigned char { of_length, until_close, chunk_head, chunk_body, chunk_end, trailer, ended };

    body_framing(state s, std::uint64_t rest, std::uint64_t limit) : state_(s), rest_(rest), limit_(limit) {}

    piece next_of_body(std::size_t available, state then);
    piece next_chunk(std::string_view bytes, error_code&);
    std::size_t chunk_head(std::string_view line, error_code&);

    state state_;
    std::uint64_t rest_;  // of the body, or of the chunk
    std::uint64_t limit_; // of what is yet to come, where no length was told
    std::size_t trailer_ = 0;
};

} // namespace plex::net
