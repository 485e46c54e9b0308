#include "net/reply_stream.hpp"

#include "net/reply_stream_parser.hpp"

#include <boost/beast/http/error.hpp>

#include <limits>

namespace plex::net {

namespace http = boost::beast::http;

reply_stream::reply_stream(std::unique_ptr<parser> p) : parser_(std::move(p))
{
    parser_->eager(true);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max()); // it lasts for weeks
}

reply_stream::~reply_stream() = default;

std::size_t reply_stream::take(std::span<char> bytes, std::vector<std::span<char>>& body, error_code& ec)
{
    parser_->get().body().parts = &body;
    std::size_t used = 0;
    ec = {};
    while (used != bytes.size() && !parser_->is_done()) {
        std::span<char> const rest = bytes.subspan(used);
        std::size_t const n = parser_->put(boost::asio::buffer(rest.data(), rest.size()), ec);
        used += n;
        if (ec == http::error::need_more) {
            ec = {};
            if (n == 0)
                break;
        }
        if (ec)
            break;
    }
    return used;
}

bool reply_stream::ended() const noexcept
{
    return parser_->is_done();
}

} // namespace plex::net
