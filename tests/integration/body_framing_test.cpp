#include "catch.hpp"

#include "net/body_framing.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

// Where a body lies and ends, without sockets: every case with what comes cut at every byte.

using namespace plex;
using net::body_framing;
using net::error_code;
namespace http = boost::beast::http;

namespace {

struct taken {
    std::string body;
    std::string beyond;
    bool ended = false;
    error_code ec;
};

/// `stream` comes in pieces of `size` bytes.
taken take(body_framing framing, std::string_view stream, std::size_t size)
{
    taken result;
    std::string unused;
    while (!stream.empty() && !framing.ended() && !result.ec) {
        unused += stream.substr(0, size);
        stream.remove_prefix(std::min(size, stream.size()));
        for (;;) {
            body_framing::piece const next = framing.next(unused, result.ec);
            result.body += unused.substr(next.framing, next.body);
            unused.erase(0, next.framing + next.body);
            if (next.framing + next.body == 0)
                break;
        }
    }
    result.beyond = unused.append(stream);
    result.ended = framing.ended();
    return result;
}

/// What comes of it, the same whatever the pieces.
taken take_cut(body_framing const& framing, std::string_view stream)
{
    taken const whole = take(framing, stream, stream.size());
    for (std::size_t size = 1; size < std::min<std::size_t>(stream.size(), 40); ++size) {
        CAPTURE(size);
        taken const cut = take(framing, stream, size);
        REQUIRE(cut.ec == whole.ec);
        if (whole.ec)
            continue;
        REQUIRE(cut.body == whole.body);
        REQUIRE(cut.ended == whole.ended);
        REQUIRE(cut.beyond == whole.beyond);
    }
    return whole;
}

constexpr std::uint64_t limit = 29;

taken chunked(std::string_view stream)
{
    return take_cut(body_framing::chunked(limit), stream);
}

std::string with_trailer(std::size_t size)
{
    return "0\r\n" + ("X: " + std::string(size - 5, 'x')) + "\r\n";
}

} // namespace

TEST_CASE("a chunk's size is read however a server may write it")
{
    std::string const body(29, 'b');
    for (std::string_view const size :
         {"1d", "1D", "01d", "0000001d", "00000000001D", "1d;name=value", "1d ; name=\"value\"", "1d\t"}) {
        CAPTURE(size);
        taken const t = chunked(std::string(size) + "\r\n" + body + "\r\n0\r\n\r\nmore");
        CHECK_FALSE(t.ec);
        CHECK(t.ended);
        CHECK(t.body == body);
        CHECK(t.beyond == "more");
    }
}

TEST_CASE("chunks of any sizes make one body")
{
    std::string stream;
    for (std::string_view const part : {"a", "bcdefghijklmnopq", "r", "stuv"})
        stream +=
            (part.size() == 16 ? std::string("10") : std::to_string(part.size())) + "\r\n" + std::string(part) + "\r\n";
    taken const t = chunked(stream + "0\r\nX-A: b\r\n\r\n");
    CHECK_FALSE(t.ec);
    CHECK(t.ended);
    CHECK(t.body == "abcdefghijklmnopqrstuv");
}

TEST_CASE("what is no chunk size is broken, and nothing is taken for a chunk")
{
    for (std::string_view const bad :
         {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "0x1\r\n", "1 1\r\n", "1\n", "1\n\n", "1x\n", "1\rx\n",
          "1;a\rb\r\n", "1;\x01\r\n", "ffffffffffffffffff\r\n"}) {
        CAPTURE(bad);
        taken const t = chunked(std::string(bad) + "b\r\n0\r\n\r\n");
        CHECK(t.ec == http::error::bad_chunk);
        CHECK(t.body.empty());
    }
    CHECK(chunked("1\r\nbc\r\n0\r\n\r\n").ec == http::error::bad_chunk); // longer than it says
    CHECK(chunked("1\r\nb\n0\r\n\r\n").ec == http::error::bad_chunk);
}

TEST_CASE("a body ends at its limit, and one byte more is refused, in one chunk, in many, and until the end")
{
    std::string const most(limit, 'b');
    CHECK(chunked("1d\r\n" + most + "\r\n0\r\n\r\n").body == most);
    CHECK(chunked("1e\r\n" + most + "b\r\n0\r\n\r\n").ec == http::error::body_limit);
    CHECK(chunked("00000000001e\r\n" + most + "b\r\n0\r\n\r\n").ec == http::error::body_limit);
    CHECK(chunked("1c\r\n" + most.substr(1) + "\r\n1\r\nb\r\n0\r\n\r\n").body == most);
    CHECK(chunked("1d\r\n" + most + "\r\n1\r\nb\r\n0\r\n\r\n").ec == http::error::body_limit);
    taken const until_close = take_cut(body_framing::until_close(limit), most);
    CHECK_FALSE(until_close.ec);
    CHECK(until_close.body == most);
    CHECK(take_cut(body_framing::until_close(limit), most + "b").ec == http::error::body_limit);
}

TEST_CASE("a chunk's head and a trailer have their limits, and one byte more is refused")
{
    auto const head = [](std::size_t size) { return "1;" + std::string(size - 4, 'x') + "\r\n"; };
    CHECK(take(body_framing::chunked(limit), head(4096) + "b\r\n0\r\n\r\n", 1000).body == "b");
    CHECK(take(body_framing::chunked(limit), head(4097) + "b\r\n0\r\n\r\n", 1000).ec == http::error::bad_chunk);
    std::size_t const most = (std::size_t{64} << 10) - 2; // and the empty line
    CHECK(take(body_framing::chunked(limit), with_trailer(most) + "\r\n", 1000).ended);
    CHECK(take(body_framing::chunked(limit), with_trailer(most + 1) + "\r\n", 1000).ec == http::error::bad_chunk);
}
