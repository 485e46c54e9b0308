#include "net/reply_stream.hpp"

namespace plex::net {

std::size_t reply_stream::take(std::span<char> bytes, std::vector<std::span<char>>& body, error_code& ec)
{
    std::size_t used = 0;
    ec = {};
    for (;;) {
        std::span<char> const rest = bytes.subspan(used);
        body_framing::piece const next = framing_.next({rest.data(), rest.size()}, ec);
        if (next.framing + next.body == 0)
            return used;
        if (next.body != 0)
            body.push_back(rest.subspan(next.framing, next.body));
        used += next.framing + next.body;
    }
}

} // namespace plex::net
