#include "net/exchange.hpp"

#include "net/reply_stream_parser.hpp"

#include <boost/asio/error.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>

namespace plex::net {

namespace http = boost::beast::http;

namespace {

using parser = http::response_parser<http::string_body>;

void prepare(std::optional<parser>& p, reply_limits limits, expecting what)
{
    p.emplace();
    p->header_limit(
        static_cast<std::uint32_t>(std::min<std::size_t>(limits.header, std::numeric_limits<std::uint32_t>::max())));
    p->body_limit(limits.body);
    p->eager(what != expecting::event_stream); // its body is another parser's
    p->skip(what == expecting::no_body);
}

constexpr std::string_view http_start = "HTTP/1.";

bool is_interim(parser const& p)
{
    return p.is_header_done() && p.get().result_int() / 100 == 1 && p.get().result_int() != 101;
}

bool is_event_stream(parser const& p)
{
    auto const type = p.get()[http::field::content_type];
    return p.get().result() == http::status::ok &&
           boost::beast::iequals(type.substr(0, type.find_first_of("; ")), "text/event-stream");
}

reply take_reply(parser& p)
{
    auto& message = p.get();
    request::headers_type headers;
    for (auto const& field : message)
        headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    return reply(static_cast<int>(message.result_int()), std::move(headers), std::move(message.body()));
}

} // namespace

char const* to_string(exchange_step step) noexcept
{
    switch (step) {
    case exchange_step::sending:
        return "sending the request";
    case exchange_step::waiting:
        return "waiting for the reply";
    case exchange_step::receiving:
        return "receiving the reply";
    }
    return "exchanging";
}

asio::awaitable<exchanged> exchange(byte_stream& stream, std::string const& request, reply_limits limits,
                                    expecting what)
{
    exchanged result;
    // A server may answer and close before it has read all of a request: what it said counts more than the failed
    // write.
    error_code const write_failure = co_await stream.write(asio::buffer(request));
    if (write_failure == asio::error::operation_aborted) {
        result.ec = write_failure;
        co_return result;
    }
    result.step = exchange_step::waiting;

    std::optional<parser> p;
    prepare(p, limits, what);
    std::string& pending = result.beyond; // read but not yet used by the parser
    std::string begun;                    // its first bytes, as many as tell whether it is HTTP
    std::array<char, 8 * 1024> buffer;
    for (;;) {
        io_result const got = co_await stream.read_some(asio::buffer(buffer));
        if (got.bytes != 0)
            result.step = exchange_step::receiving;
        if (got.ec) {
            result.ec = write_failure ? write_failure : got.ec;
            if (got.ec == asio::error::eof && result.step == exchange_step::receiving) {
                result.ec = {};
                p->put_eof(result.ec); // a reply without a length ends here, any other is cut short
            }
            if (!result.ec && !p->is_done())
                result.ec = http::error::partial_message;
            // An https port says in a few bytes that it does not understand, and closes.
            if (result.ec == http::error::partial_message && !p->is_header_done() && !http_start.starts_with(begun))
                result.ec = http::error::bad_version;
            if (!result.ec)
                result.answer = take_reply(*p);
            co_return result;
        }
        begun.append(buffer.data(), std::min(got.bytes, http_start.size() - begun.size()));
        pending.append(buffer.data(), got.bytes);
        while (!pending.empty() && !p->is_done()) {
            std::size_t const used = p->put(asio::buffer(pending), result.ec);
            pending.erase(0, used);
            if (result.ec == http::error::need_more) {
                result.ec = {};
                if (used == 0)
                    break;
                continue;
            }
            if (result.ec)
                co_return result;
            if (is_interim(*p))
                prepare(p, limits, what);
            else if (p->is_header_done() && p->get().result_int() == 101)
                break;
            else if (what == expecting::event_stream && p->is_header_done() && is_event_stream(*p))
                break;
            else if (used == 0)
                break;
            p->eager(p->eager() || p->is_header_done());
        }
        if (what == expecting::event_stream && p->is_header_done() && is_event_stream(*p)) {
            result.answer = take_reply(*p);
            result.events = std::make_unique<reply_stream>(std::make_unique<reply_stream::parser>(std::move(*p)));
            co_return result;
        }
        if (p->is_done() || (p->is_header_done() && p->get().result_int() == 101)) {
            // Bytes that nobody asked for: the next reply on this connection could not be trusted.
            result.reusable = p->is_done() && p->keep_alive() && pending.empty() && !write_failure;
            result.answer = take_reply(*p);
            co_return result;
        }
    }
}

} // namespace plex::net
