#include "catch.hpp"

#include "chosen_seed.hpp"
#include "protocol/utf8.hpp"
#include "protocol/websocket_framer.hpp"
#include "websocket_stream.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace plex::protocol {

using namespace testing;

TEST_CASE("text and binary messages arrive whole, with lengths of all three forms", "[websocket]")
{
    for (std::size_t const size : {0u, 1u, 2u, 3u, 124u, 125u, 126u, 127u, 255u, 256u, 436u}) {
        CAPTURE(size);
        std::string const payload(size, 'p');
        check_however_cut(frame(0x81, payload), {message(payload)});
        check_however_cut(frame(0x82, payload), {message(payload)});
    }
    for (std::size_t const size : {65535u, 65536u, 70000u}) {
        CAPTURE(size);
        std::string payload(size, 'p');
        payload.back() = 'q';
        check_however_cut(frame(0x81, payload) + text("next"), {message(payload), message("next")});
    }
}

TEST_CASE("messages and control frames that arrive in one read come out in their order", "[websocket]")
{
    check_however_cut(
        text("one") + text("") + frame(0x89, "p") + frame(0x82, "two") + frame(0x8a, "q") +
            text(std::string(200, 'x')) + frame(0x89, ""),
        {message("one"), message(""), ping("p"), message("two"), pong("q"), message(std::string(200, 'x')), ping("")});
}

TEST_CASE("fragments make one message, and control frames between them come at once", "[websocket]")
{
    check_however_cut(frame(0x01, "Hel") + frame(0x80, "lo"), {message("Hello")});
    check_however_cut(frame(0x02, "Hel") + frame(0x00, "") + frame(0x00, "lo") + frame(0x80, "") + text("next"),
                      {message("Hello"), message("next")});
    check_however_cut(frame(0x01, "") + frame(0x80, "whole in the last"), {message("whole in the last")});
    check_however_cut(frame(0x01, "") + frame(0x80, ""), {message("")});
    check_however_cut(
        frame(0x01, "Hel") + frame(0x89, "are you there?") + frame(0x00, "lo") + frame(0x8a, "") +
            frame(0x89, std::string(125, 'c')) + frame(0x80, "!") + text("next"),
        {ping("are you there?"), pong(""), ping(std::string(125, 'c')), message("Hello!"), message("next")});
    check_however_cut(frame(0x01, "a") + frame(0x88, "\x03\xe8"), {closed(1000)});
}

TEST_CASE("a message of just the limit passes and one past it is message_too_big", "[websocket]")
{
    for (std::size_t const limit : {0u, 100u, 125u, 126u, 300u}) {
        CAPTURE(limit);
        std::string const most(limit, 'm');
        check_however_cut(text(most) + text(most), {message(most), message(most)}, limit);
        check_however_cut(text(most) + text(most + 'm') + text("never"), {message(most), too_big}, limit);
    }
    check_however_cut(frame(0x01, "12345") + frame(0x89, "a ping does not count") + frame(0x80, "67890"),
                      {ping("a ping does not count"), message("1234567890")}, 10);
    check_however_cut(frame(0x01, "12345") + frame(0x00, "67890") + frame(0x80, "1") + text("x"), {too_big}, 10);
    std::string const long_message(65536, 'x');
    CHECK(run(65536).piece(text(long_message)).events() == trace{message(long_message)});
    CHECK(run(65535).piece(text(long_message)).events() == trace{too_big});
}

TEST_CASE("a message past the limit is refused at its header, before anything of it is stored", "[websocket]")
{
    auto const huge = std::string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10);
    check_however_cut(huge, {too_big});
    check_however_cut(std::string("\x81\x7f\x00\x7e\0\0\0\0\0\0", 10) + std::string(200, 'x'), {too_big});
    run one;
    one.piece(huge);
    CHECK(one.framer().memory() == 0);
    CHECK(one.framer().fault() == "a message exceeds the limit");
}

TEST_CASE("a masked frame of the server is a violation", "[websocket]")
{
    std::string client_frame;
    append_frame(client_frame, opcode::text, "hello", {1, 2, 3, 4});
    check_however_cut(text("fine") + client_frame, {message("fine"), violation});
    check_however_cut(std::string("\x89\x80\0\0\0\0", 6), {violation});
}

TEST_CASE("each reserved opcode and each reserved bit is a violation", "[websocket]")
{
    for (int const op : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
        CAPTURE(op);
        check_however_cut(text("fine") + frame(0x80 | op, "x") + text("never"), {message("fine"), violation});
    }
    for (int const op : {1, 2, 8, 9, 10})
        for (int const bit : {0x10, 0x20, 0x40}) {
            CAPTURE(op, bit);
            check_however_cut(text("fine") + frame(0x80 | bit | op, ""), {message("fine"), violation});
        }
    check_however_cut(frame(0x01, "a") + frame(0x80 | 0x40, "b"), {violation});
}

TEST_CASE("a control frame that is fragmented or longer than 125 bytes is a violation", "[websocket]")
{
    for (int const op : {8, 9, 10}) {
        CAPTURE(op);
        check_however_cut(frame(op, "x"), {violation});
        check_however_cut(frame(0x80 | op, std::string(126, 'x')), {violation});
        check_however_cut(frame(0x80 | op, "x", form::bits16), {violation});
        check_however_cut(frame(0x80 | op, "x", form::bits64), {violation});
    }
}

TEST_CASE("a continuation of nothing and a message within a message are violations", "[websocket]")
{
    check_however_cut(frame(0x80, "x"), {violation});
    check_however_cut(frame(0x00, "x"), {violation});
    check_however_cut(frame(0x01, "a") + frame(0x80, "b") + frame(0x80, "c"), {message("ab"), violation});
    check_however_cut(frame(0x01, "a") + text("b"), {violation});
    check_however_cut(frame(0x01, "") + text("b"), {violation});
    check_however_cut(frame(0x02, "a") + frame(0x02, "b"), {violation});
}

TEST_CASE("a length that is not in its shortest form, or has its highest bit set, is a violation", "[websocket]")
{
    check_however_cut(frame(0x81, "", form::bits16), {violation});
    check_however_cut(frame(0x81, std::string(125, 'x'), form::bits16), {violation});
    check_however_cut(frame(0x81, std::string(126, 'x'), form::bits64), {violation});
    check_however_cut(frame(0x81, std::string(65535, 'x'), form::bits64), {violation});
    check_however_cut(std::string("\x81\x7f\x80\0\0\0\0\x01\0\0", 10), {violation});
}

TEST_CASE("a close frame gives its code, whatever it is, and its reason, and ends everything", "[websocket]")
{
    check_however_cut(frame(0x88, ""), {closed(close_code::none)});
    check_however_cut(frame(0x88, "\x03\xe8"), {closed(1000)});
    check_however_cut(frame(0x88, "\x03\xe9restarting"), {closed(1001, "restarting")});
    check_however_cut(frame(0x88, "\x03\xe9" + std::string(123, 'r')), {closed(1001, std::string(123, 'r'))});
    check_however_cut(frame(0x88, std::string("\0\0", 2)), {closed(0)});
    check_however_cut(frame(0x88, "\xff\xff\xff"), {closed(65535, "\xff")});
    check_however_cut(frame(0x88, "\x03"), {violation});
    check_however_cut(text("a") + frame(0x88, "\x03\xe8") + text("b") + "\xff\xff", {message("a"), closed(1000)});
}

TEST_CASE("what is not valid UTF-8 passes through unchanged", "[websocket]")
{
    std::string const name = "{\"title\":\"caf\xe9 \xed\xa0\x80 \xff\"}";
    REQUIRE_FALSE(valid_utf8(name));
    check_however_cut(text(name) + text("next"), {message(name), message("next")});
    check_however_cut(frame(0x01, "\xc3") + frame(0x80, "\xa9"), {message("\xc3\xa9")});
}

TEST_CASE("a violation stays, says what was wrong, and frees what was held", "[websocket]")
{
    run one;
    one.piece(frame(0x01, std::string(1000, 'x'))).piece("\xff\x01x").piece(text("never")).piece("");
    CHECK(one.events() == trace{violation, violation, violation});
    CHECK(one.framer().fault() == "a reserved bit is set, though no extension was agreed");
    CHECK(one.framer().memory() == 0);
}

TEST_CASE("a message that lies whole in the input is not copied", "[websocket]")
{
    std::string input = text("short") + text(std::string(70000, 'l')) + frame(0x89, "p");
    auto const size = input.size();
    input.resize(size + websocket_framer::slack);
    websocket_framer framer(1 << 20);
    framer.feed({input.data(), size});
    CHECK(framer.next().payload.data() == input.data() + 2);
    CHECK(framer.next().payload.data() == input.data() + 2 + 5 + 10);
    CHECK(framer.next().payload.data() == input.data() + size - 1);
    CHECK(framer.next().what == websocket_event::need_more);
    CHECK(framer.memory() == 0);
}

TEST_CASE("storage grows with what arrives and is freed when nothing is unfinished", "[websocket]")
{
    run one;
    CHECK(one.framer().memory() == 0);
    auto const big = text(std::string(1 << 20, 'b'));
    one.piece(std::string_view(big).substr(0, 9));
    CHECK(one.framer().memory() == 0);
    one.piece(std::string_view(big).substr(9, 100));
    CHECK(one.framer().memory() >= 99);
    CHECK(one.framer().memory() <= 20000);
    auto const rest = std::string_view(big).substr(109);
    one.piece(rest.substr(0, rest.size() - 1));
    CHECK(one.framer().memory() <= (1 << 20) + websocket_framer::slack);
    one.piece(std::string(rest.substr(rest.size() - 1)) + text("a").substr(0, 2));
    CHECK(one.framer().memory() == 0); // half a header follows, but so much is not kept
    one.piece("a" + text("cut").substr(0, 4));
    CHECK(one.framer().memory() > 0);
    CHECK(one.framer().memory() < 100);
    one.piece("t");
    CHECK(one.framer().memory() == 0);
    CHECK(one.events() == trace{message(std::string(1 << 20, 'b')), message("a"), message("cut")});
}

TEST_CASE("random streams come out the same however they are fragmented and cut", "[websocket][random]")
{
    auto const start = test::chosen_seed();
    CAPTURE(start); // PLEX_TEST_SEED=start runs the same again
    std::mt19937 random(start);
    auto const below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
    auto const bytes = [&](std::size_t size) {
        std::string out(size, '\0');
        std::generate(out.begin(), out.end(), [&] { return static_cast<char>(random()); });
        return out;
    };
    auto const length = [&]() -> std::size_t {
        switch (below(20)) {
        case 0:
            return 65530 + below(12);
        case 1:
        case 2:
            return 120 + below(12);
        case 3:
            return 0;
        default:
            return below(600);
        }
    };
    for (int round = 0; round != 200; ++round) {
        std::string stream;
        trace expected;
        auto const maybe_control = [&] {
            while (below(4) == 0) {
                auto const payload = bytes(below(126));
                auto const is_ping = below(2) == 0;
                stream += frame(is_ping ? 0x89 : 0x8a, payload);
                expected.push_back(is_ping ? ping(payload) : pong(payload));
            }
        };
        for (auto count = below(12); count != 0; --count) {
            maybe_control();
            auto const payload = bytes(length());
            auto const op = static_cast<int>(1 + below(2));
            std::size_t at = 0;
            int opened = op;
            for (auto pieces = below(3) == 0 ? below(5) : 0; pieces != 0; --pieces) {
                auto const size = below(payload.size() - at + 1);
                stream += frame(opened, payload.substr(at, size));
                at += size;
                opened = 0;
                maybe_control();
            }
            stream += frame(0x80 | opened, payload.substr(at));
            expected.push_back(message(payload));
        }
        run cut_at_random;
        std::size_t const most = below(2) == 0 ? 20 : 3000;
        for (std::size_t at = 0; at < stream.size();) {
            auto const size = std::min(stream.size() - at, below(most + 1));
            cut_at_random.piece(std::string_view(stream).substr(at, size));
            at += size;
        }
        CAPTURE(round);
        REQUIRE(cut_at_random.events() == expected);
        REQUIRE(run().piece(stream).events() == expected);
        REQUIRE(cut_at_random.framer().memory() == 0);
    }
}

TEST_CASE("a damaged stream comes to the same end however it is cut", "[websocket][random]")
{
    auto const start = test::chosen_seed();
    CAPTURE(start);
    std::mt19937 random(start);
    int refused = 0;
    for (int round = 0; round != 1000; ++round) {
        auto stream = frame(0x01, "abc") + frame(0x89, "p") + frame(0x80, std::string(130, 'd')) + text("") +
                      frame(0x8a, "q") + text(std::string(300, 'e')) + frame(0x88, "\x03\xe8");
        for (auto damage = 1 + random() % 3; damage != 0; --damage)
            stream[random() % (random() % 2 == 0 ? 12 : stream.size())] = static_cast<char>(random());
        auto const expected = until_failure(run(200).piece(stream).events());
        refused += !expected.empty() && expected.back().what >= websocket_event::violation;
        run cut(200);
        for (std::size_t at = 0; at < stream.size();) {
            auto const size = std::min<std::size_t>(stream.size() - at, 1 + random() % 9);
            cut.piece(std::string_view(stream).substr(at, size));
            at += size;
        }
        CAPTURE(round);
        REQUIRE(until_failure(cut.events()) == expected);
    }
    CHECK(refused > 100);
}

} // namespace plex::protocol
