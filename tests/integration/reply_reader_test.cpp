#include "catch.hpp"

#include "net/reply_reader.hpp"
#include "net/reply_stream.hpp"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace plex;
using namespace plex::net;

using namespace std::string_literals;
namespace http = boost::beast::http;

namespace {

struct read_reply {
    error_code ec;
    bool done = false;
    bool reusable = false;
    int status = 0;
    std::string body;
    std::string beyond;
    bool beside_the_body = false; ///< the fault is in a chunk's extension or the trailer
    reply whole;
};

/// Gives the reader `bytes` in pieces of that size, then the end, if `closed`.
read_reply read(std::string_view bytes, std::size_t piece, bool closed, reply_limits limits = {},
                expecting what = expecting::body)
{
    reply_reader reader(limits, what);
    read_reply result;
    while (!bytes.empty() && !result.ec && !reader.done()) {
        auto const room = reader.room();
        std::size_t const size = std::min({bytes.size(), piece, room.size()});
        std::memcpy(room.data(), bytes.data(), size);
        bytes.remove_prefix(size);
        reader.take(size, result.ec);
    }
    if (closed && !result.ec && !reader.done())
        reader.close(result.ec);
    result.done = !result.ec && reader.done();
    if (result.done) {
        result.reusable = reader.reusable() && bytes.empty();
        result.beyond = reader.beyond();
        answer came = reader.give_answer();
        result.status = came.status();
        result.body = came.body();
        result.whole = came.to_reply();
    }
    return result;
}

/// The same by Beast's parser.
read_reply read_by_beast(std::string_view bytes, bool closed)
{
    read_reply result;
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.body_limit(boost::none);
    parser.header_limit(64u << 10);
    while (!bytes.empty() && !result.ec && !parser.is_done()) {
        std::size_t const used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), result.ec);
        bytes.remove_prefix(used);
        if (result.ec == http::error::need_more) {
            result.ec = {};
            if (used == 0)
                break;
        }
    }
    if (closed && !result.ec && !parser.is_done() && parser.got_some())
        parser.put_eof(result.ec);
    result.beside_the_body = parser.is_header_done() && result.ec && result.ec != http::error::partial_message &&
                             result.ec != http::error::bad_chunk;
    result.done = !result.ec && parser.is_done();
    if (result.done) {
        result.status = static_cast<int>(parser.get().result_int());
        result.body = parser.get().body();
        result.reusable = parser.keep_alive() && bytes.empty();
    }
    return result;
}

} // namespace

TEST_CASE("a reply is the same however it is cut into pieces")
{
    std::string const chunked =
        "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        "X-Plex-Activity: a\r\n\r\n5;x=y\r\nhello\r\n10\r\n, what a world!!\r\n0\r\nX: t\r\n\r\n";
    std::string const with_length = "HTTP/1.1 200 OK\r\nx-plex-activity:  a \r\nContent-Length: 21\r\n\r\n"
                                    "hello, what a world!!";
    std::string const until_close = "HTTP/1.1 200 OK\r\nX-Plex-Activity: a\r\n\r\nhello, what a world!!";
    for (std::string const& bytes : {chunked, with_length, until_close})
        for (std::size_t piece = 1; piece != bytes.size() + 1; ++piece) {
            INFO(bytes << " in pieces of " << piece);
            read_reply const r = read(bytes, piece, true);
            REQUIRE(r.done);
            CHECK(r.status == 200);
            CHECK(r.body == "hello, what a world!!");
            CHECK(r.whole.activity_uuid() == "a");
            CHECK(r.reusable == (bytes != until_close));
        }
}

TEST_CASE("a body longer than any buffer comes whole")
{
    std::string body(5u << 20, 'x');
    for (std::size_t i = 0; i < body.size(); i += 977)
        body[i] = static_cast<char>('a' + i % 26);
    for (std::size_t piece : {1000u, 64u << 10, 10u << 20}) {
        read_reply const announced =
            read("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body, piece, false);
        CHECK(announced.done);
        CHECK(announced.body == body);
        std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (std::size_t at = 0; at < body.size(); at += 4096) {
            std::string const part = body.substr(at, 4096);
            std::array<char, 16> size{};
            std::snprintf(size.data(), size.size(), "%zx\r\n", part.size());
            chunks += size.data() + part + "\r\n";
        }
        read_reply const chunked = read(chunks + "0\r\n\r\n", piece, false);
        CHECK(chunked.done);
        CHECK(chunked.body == body);
    }
}

TEST_CASE("whether a connection may be used again follows from the reply")
{
    auto const reusable = [](std::string const& head) { return read(head, 1000, false).reusable; };
    CHECK(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    CHECK(reusable("HTTP/1.1 204 No Content\r\n\r\n"));
    CHECK(reusable("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n"));
    CHECK_FALSE(reusable("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n"));
    CHECK_FALSE(
        reusable("HTTP/1.1 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"));
    CHECK_FALSE(reusable("HTTP/1.0 200 OK\r\nConnection: close, keep-alive\r\nContent-Length: 0\r\n\r\n"));
    CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nx"));
    CHECK_FALSE(reusable("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    CHECK(read("HTTP/1.1 101 Switching Protocols\r\n\r\nframes", 1000, false).beyond == "frames");
    CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 1000, false, {}, expecting::no_body).reusable);
}

TEST_CASE("what could be read in two ways is refused")
{
    auto const fault = [](std::string const& head) {
        read_reply const r = read(head, 1000, false);
        CHECK_FALSE(r.done);
        return r.ec;
    };
    std::string const ok = "HTTP/1.1 200 OK\r\n";
    CHECK(fault(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n") == http::error::multiple_content_length);
    CHECK(fault(ok + "Content-Length: 1, 1\r\n\r\n") == http::error::bad_content_length);
    CHECK(fault(ok + "Content-Length: +1\r\n\r\n") == http::error::bad_content_length);
    CHECK(fault(ok + "Content-Length: 99999999999999999999\r\n\r\n") == http::error::bad_content_length);
    CHECK(fault(ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") == http::error::bad_transfer_encoding);
    CHECK(fault(ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n") ==
          http::error::bad_transfer_encoding);
    for (char const* coding : {"chunked, chunked", "gzip, chunked", "chunked, gzip", "gzip", "", ","})
        CHECK(fault(ok + "Transfer-Encoding: " + coding + "\r\n\r\n0\r\n\r\n") == http::error::bad_transfer_encoding);
    CHECK(fault("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
          http::error::bad_transfer_encoding);
    CHECK(fault(ok + "Content-Length : 1\r\n\r\n") == http::error::bad_field);
    CHECK(fault(ok + ": 1\r\n\r\n") == http::error::bad_field);
    CHECK(fault(ok + " X: 1\r\n\r\n") == http::error::bad_field);
    CHECK(fault(ok + "X: a" + std::string(1, '\0') + "b\r\n\r\n") == http::error::bad_value);
    CHECK(fault(ok + "X: a\rb\r\n\r\n") == http::error::bad_line_ending);
    CHECK(fault(ok + "X: a\nContent-Length: 1\r\n\r\n") == http::error::bad_line_ending);
    CHECK(fault("HTTP/1.1 200 OK\n\n") == http::error::bad_line_ending);
    CHECK(fault("HTTP/2.0 200 OK\r\n\r\n") == http::error::bad_version);
    CHECK(fault("HTTP/1.2 200 OK\r\n\r\n") == http::error::bad_version);
    CHECK(fault("HTTP/1.1 20 OK\r\n\r\n") == http::error::bad_status);
    CHECK(fault("HTTP/1.1 2000 OK\r\n\r\n") == http::error::bad_status);
    std::string const chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    for (char const* body : {"x\r\n", "-1\r\n", "1 x\nab", "1\r\nab\r\n", "1\n", "\r\n", "11111111111111111\r\n",
                             "0x1\r\n", "0 junk\r\n", "1;a\rb\r\nx", "1;a\x01\r\nx"})
        CHECK(fault(chunked + body) == http::error::bad_chunk);
}

TEST_CASE("limits hold where nothing was announced, and nothing is taken on trust")
{
    reply_limits const limits{200, 1000};
    std::string const ok = "HTTP/1.1 200 OK\r\n";
    std::string const chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    CHECK(read(ok + "X: " + std::string(300, 'x'), 7, false, limits).ec == http::error::header_limit);
    CHECK(read(ok + "X: " + std::string(300, 'x') + "\r\n\r\n", 1000, false, limits).ec == http::error::header_limit);
    CHECK(read(ok + "\r\n" + std::string(1001, 'x'), 7, false, limits).ec == http::error::body_limit);
    CHECK(read(ok + "Content-Length: 1001\r\n\r\n", 7, false, limits).ec == http::error::body_limit);
    CHECK(read(chunked + "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n", 7, false, limits).ec ==
          http::error::body_limit);
    CHECK(read(chunked + "1;" + std::string(5000, 'x'), 7, false).ec == http::error::bad_chunk);
    std::string trailer;
    while (trailer.size() < 100'000)
        trailer += "X: y\r\n";
    CHECK(read(chunked + "0\r\n" + trailer, 7, false).ec == http::error::bad_chunk);

    reply_reader reader({64u << 10, 1u << 30}, expecting::body);
    std::string const huge = ok + "Content-Length: 1000000000\r\n\r\n";
    error_code ec;
    std::memcpy(reader.room().data(), huge.data(), huge.size());
    reader.take(huge.size(), ec);
    CHECK_FALSE(ec);
    CHECK(reader.room().size() < (4u << 20));
}

TEST_CASE("replies before the one that counts, and framing between the parts of a body, have their bounds too")
{
    std::string const ok = "HTTP/1.1 200 OK\r\n";
    std::string const interim = "HTTP/1.1 102 Processing\r\n\r\n";
    std::string some;
    while (some.size() + interim.size() <= 200)
        some += interim;
    for (std::size_t const piece : {1u, 7u, 1000u}) {
        INFO(piece);
        CHECK(read(some + ok + "\r\n", piece, true, {200, 1000}).done);
        CHECK(read(some + interim + ok + "\r\n", piece, true, {200, 1000}).ec == http::error::header_limit);
    }

    std::string const chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    std::string bytes = chunked;
    for (int i = 0; i != 100'000; ++i)
        bytes += "1\r\nx\r\n";
    CHECK(read(bytes + "0\r\n\r\n", 1000, false).done);
    std::string const padded = "1;" + std::string(4000, 'x') + "\r\nx\r\n";
    bytes = chunked;
    for (int i = 0; i != 20; ++i)
        bytes += padded;
    CHECK(read(bytes + "0\r\n\r\n", 1000, false).done);
    for (int i = 0; i != 20; ++i)
        bytes += padded;
    CHECK(read(bytes, 1000, false).ec == http::error::body_limit);
}

TEST_CASE("folded header lines become one")
{
    read_reply const r = read("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length: 0\r\n\r\n", 1000, false);
    REQUIRE(r.done);
    CHECK(r.whole.header("x") == "a   b  \tc");
    CHECK(r.whole.headers().size() == 2);
}

TEST_CASE("the body of an event stream is handed on where it lies")
{
    std::string const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n";
    for (std::size_t piece = 1; piece != 20; ++piece) {
        reply_reader reader({}, expecting::event_stream);
        error_code ec;
        std::memcpy(reader.room().data(), head.data(), head.size());
        reader.take(head.size(), ec);
        REQUIRE(reader.done());
        REQUIRE(reader.is_event_stream());
        reply_stream body(reader.framing());
        std::string bytes = "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
        std::string text;
        std::string kept;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            kept += bytes.substr(at, piece);
            std::vector<std::span<char>> parts;
            std::size_t const used = body.take(kept, parts, ec);
            CHECK_FALSE(ec);
            for (std::span<char> const part : parts)
                text.append(part.data(), part.size());
            kept.erase(0, used);
        }
        CHECK(text == "abcdefg");
        CHECK(body.ended());
    }
}

// What ours takes, Beast takes too, and finds the same in it; but for a status line that ends with its number, for a
// Connection that is no list of tokens, of which ours takes what it knows, and for chunk extensions and trailers, which
// ours does not look into.
TEST_CASE("mutated replies are read as Beast reads them, or refused")
{
    std::vector<std::string> const seeds = {
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: keep-alive\r\n\r\nhello world",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\nConnection: close\r\nX: a\r\n b\r\n\r\nhello",
        "HTTP/1.1 204 No Content\r\nDate: Fri, 29 Nov 2024 11:00:09 GMT\r\n\r\n"};
    std::string const letters = "\r\n :,;0123456789abcdefx\t\x7f\x80\0close"s;
    std::mt19937 random(11);
    auto const below = [&random](std::size_t n) { return random() % n; };
    int both = 0;
    int beast_alone = 0;
    int const rounds = std::getenv("PLEX_TEST_LONG") ? 5'000'000 : 100'000;
    for (int round = 0; round != rounds; ++round) {
        std::string bytes = seeds[below(seeds.size())];
        for (std::size_t changes = 1 + below(3); changes != 0; --changes) {
            std::size_t const at = below(bytes.size());
            switch (below(4)) {
            case 0:
                bytes[at] = letters[below(letters.size())];
                break;
            case 1:
                bytes.erase(at, 1 + below(4));
                break;
            case 2:
                bytes.insert(at, 1, letters[below(letters.size())]);
                break;
            default: {
                std::string const part = bytes.substr(below(bytes.size()), 1 + below(30));
                bytes.insert(at, part);
            }
            }
            if (bytes.empty())
                bytes = "H";
        }
        read_reply const ours = read(bytes, 1 + below(bytes.size()), true);
        read_reply const theirs = read_by_beast(bytes, true);
        bool const interim = theirs.status / 100 == 1 || ours.status / 100 == 1;
        bool const no_reason = theirs.ec == http::error::bad_status && bytes.substr(12, 2) == "\r\n";
        bool const named = no_reason || theirs.ec == http::error::bad_value || theirs.beside_the_body;
        if (ours.done && !interim && !named) {
            INFO(bytes);
            REQUIRE(theirs.done);
            REQUIRE(ours.status == theirs.status);
            REQUIRE(ours.body == theirs.body);
            REQUIRE((!ours.reusable || theirs.reusable));
            ++both;
        } else if (theirs.done) {
            ++beast_alone;
        }
    }
    CAPTURE(beast_alone);
    CHECK(both > rounds / 10);
    CHECK(beast_alone < rounds / 20);
}
