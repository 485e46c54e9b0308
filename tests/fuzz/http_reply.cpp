// Input: what a server sends in reply to a request, until it closes.

#include "fuzz.hpp"

#include "net/reply_reader.hpp"
#include "protocol/server_reply.hpp"
#include "protocol/utf8.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstring>
#include <utility>
#include <vector>

namespace plex::fuzz {
namespace {

namespace http = boost::beast::http;
using net::error_code;
using net::expecting;

constexpr net::reply_limits limits{300, 400};

struct outcome {
    bool failed = false;
    int status = 0;
    request::headers_type headers;
    std::string body;
    std::string beyond; // with what was not given to the reader any more
    bool reusable = false;
    bool event_stream = false;

    bool operator==(outcome const&) const = default;
};

std::string_view header_of(request::headers_type const& headers, std::string_view wanted)
{
    for (auto const& [name, value] : headers)
        if (net::same_name(name, wanted))
            return value;
    return {};
}

outcome read(std::string_view stream, expecting what, std::size_t longest)
{
    dice random(stream);
    net::reply_reader reader(limits, what);
    outcome o;
    error_code ec;
    auto const give = [&](std::string_view piece) {
        while (!piece.empty() && !reader.done() && !ec) {
            auto const room = reader.room();
            promise(room.size() != 0, "there is room for more");
            std::size_t const size = std::min(piece.size(), room.size());
            std::memcpy(room.data(), piece.data(), size);
            piece.remove_prefix(size);
            reader.take(size, ec);
        }
        o.beyond += piece;
    };
    if (longest == 0)
        give(stream);
    else
        cut(stream, longest, random, give);
    if (!ec && !reader.done())
        reader.close(ec);
    o.failed = bool(ec);
    if (ec)
        return {.failed = true, .status = 0, .headers = {}, .body = {}, .beyond = {}};
    promise(reader.done(), "a reply is complete or has failed");
    o.beyond.insert(0, reader.beyond());
    o.reusable = reader.reusable() && o.beyond.empty();
    o.event_stream = reader.is_event_stream();
    net::answer answer = reader.give_answer();
    std::span<char> const body = answer.mutable_body();
    std::string const behind(body.data() + body.size(), 16); // for a sanitizer to look at
    promise(behind.size() == 16, "16 bytes behind a body can be read");
    reply const r = answer.to_reply();
    o.status = r.status();
    o.headers = r.headers();
    o.body = r.body();
    promise(o.event_stream || o.body.size() <= limits.body, "a body is bounded");
    for (auto const& [name, value] : o.headers) {
        promise(!name.empty(), "a field has a name");
        promise(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos, "a value is one line");
        promise(answer.header(name) == header_of(o.headers, name), "a field is found");
    }
    return o;
}

// What Beast makes of a reply that ours has let pass: two readers must not see two replies.
void check_against_beast(std::string_view stream, expecting what, outcome const& ours)
{
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.skip(what == expecting::no_body);
    parser.header_limit(1u << 20);
    boost::system::error_code ec;
    std::size_t const used = parser.put(boost::asio::buffer(stream.data(), stream.size()), ec);
    if (ec == http::error::need_more)
        ec = {};
    if (!ec && !parser.is_done())
        parser.put_eof(ec);
    if (!ec && parser.get().result_int() / 100 == 1 && parser.get().result_int() != 101) {
        check_against_beast(stream.substr(used), what, ours);
        return;
    }
    if (ec) // whoever is stricter sees no other reply
        return;
    promise(static_cast<int>(parser.get().result_int()) == ours.status, "others see the same status");
    promise(parser.get().body() == ours.body, "others see the same body");
    promise(stream.substr(used) == ours.beyond, "others see the same end");
}

void check_safe(std::string_view text)
{
    promise(protocol::terminal_safe(text) == text && text.size() <= 200, "what is shown of a reply is safe to print");
}

void check_words(int status, std::string_view body)
{
    auto const said = protocol::describe_reply(status, body);
    promise(said.http_status == status && said.server_errors.size() <= 16, "a description is bounded");
    check_safe(said.body_excerpt);
    for (auto const& e : said.server_errors)
        check_safe(e.message);
}

} // namespace

void run(std::string_view input)
{
    for (expecting const what : {expecting::body, expecting::no_body, expecting::event_stream}) {
        outcome const whole = read(input, what, 0);
        for (std::size_t const longest : cuts)
            promise(read(input, what, longest) == whole, "how a reply is cut makes no difference");
        if (whole.failed)
            continue;
        if (!whole.event_stream)
            check_against_beast(input, what, whole);
        check_words(whole.status, whole.body);
        auto const wait =
            protocol::retry_after(header_of(whole.headers, "Retry-After"), std::chrono::system_clock::time_point());
        promise(!wait || wait->count() >= 0, "nobody waits for the past");
        std::string const target = protocol::redirect_target(header_of(whole.headers, "Location"));
        check_safe(target);
        promise(target.find_first_of("?#") == target.npos, "what was asked is not repeated");
    }
    check_words(500, input);
    protocol::retry_after(input, std::chrono::system_clock::time_point());
}

} // namespace plex::fuzz
