#include "catch.hpp"

#include "protocol/websocket_framer.hpp"
#include "protocol/websocket_handshake.hpp"
#include "websocket_stream.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace plex::protocol {

using testing::frame;

TEST_CASE("client frames are masked with the given key, with lengths of all three forms", "[websocket]")
{
    std::string out = "kept";
    append_frame(out, opcode::text, "Hello", {0x37, 0xfa, 0x21, 0x3d});
    CHECK(out == "kept\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"); // RFC 6455, 5.7
    out.clear();
    append_frame(out, opcode::pong, "", {1, 2, 3, 4});
    CHECK(out == "\x8a\x80\x01\x02\x03\x04");
    for (std::size_t const size : {125u, 126u, 65535u, 65536u}) {
        CAPTURE(size);
        std::string payload(size, 'a');
        payload.back() = 'z';
        out.clear();
        append_frame(out, opcode::binary, payload, {0, 0, 0, 0});
        auto expected = frame(0x82, payload);
        auto const header = expected.size() - size;
        expected[1] = static_cast<char>(expected[1] | 0x80);
        expected.insert(header, 4, '\0');
        CHECK(out == expected);
    }
}

TEST_CASE("a close payload holds code and reason, fits a control frame and has no forbidden code", "[websocket]")
{
    CHECK(close_payload(close_code::normal) == "\x03\xe8");
    CHECK(close_payload(close_code::going_away, "bye") == "\x03\xe9"
                                                          "bye");
    CHECK(close_payload(4999, "x") == "\x13\x87x");
    CHECK(close_payload(1000, std::string(123, 'r')).size() == 125);
    CHECK(close_payload(1000, std::string(124, 'r')).size() == 125);
    CHECK(close_payload(1000, std::string(122, 'r') + "\xc3\xa9") == "\x03\xe8" + std::string(122, 'r'));
    for (int const code : {0, 999, 1004, 1005, 1006, 1015, 5000, 65535}) {
        CAPTURE(code);
        CHECK(close_payload(static_cast<std::uint16_t>(code), "x").empty());
    }
}

TEST_CASE("a handshake key is 16 bytes in base64, and its answer is that of RFC 6455", "[websocket]")
{
    std::array<std::uint8_t, 16> random{};
    CHECK(make_key(random) == "AAAAAAAAAAAAAAAAAAAAAA==");
    std::string_view const sample = "the sample nonce"; // RFC 6455, 1.3
    std::copy(sample.begin(), sample.end(), random.begin());
    CHECK(make_key(random) == "dGhlIHNhbXBsZSBub25jZQ==");
    random.fill(0xff);
    CHECK(make_key(random) == "/////////////////////w==");
    CHECK(accept_for("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

} // namespace plex::protocol
