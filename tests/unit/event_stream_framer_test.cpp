#include "catch.hpp"

#include "decoding.hpp"
#include "event_stream.hpp"

#include <string>
#include <vector>

// The rules of the HTML standard's "Server-sent events", one by one.
namespace plex::protocol {

using namespace std::string_literals;
using namespace testing::sse;

TEST_CASE("lines end with LF, CR or CRLF, in any mixture", "[event_stream]")
{
    for (auto const* end : {"\n", "\r", "\r\n"}) {
        CAPTURE(end);
        std::string const e = end;
        check_however_cut("event: x" + e + "data: a" + e + "data: b" + e + e + "data: c" + e + e,
                          {event("x", "a\nb"), message("c")});
    }
    check_however_cut("event: x\rdata: a\ndata: b\r\ndata: c\n\rdata: d\r\r\ndata: e\r\n\ndata: f\n\r\n",
                      {event("x", "a\nb\nc"), message("d"), message("e"), message("f")});
}

TEST_CASE("an LF belongs to a CR only if it follows at once", "[event_stream]")
{
    check_however_cut("event: x\rdata: a\ndata: b\n\n", {event("x", "a\nb")});
    check_however_cut("event: x\ndata: a\rdata: b\n\n", {event("x", "a\nb")});
    check_however_cut("event: x\ndata: a\n\rdata: b\n\n", {event("x", "a"), message("b")});
    check_however_cut("data: a\r\rdata: b\n\n", {message("a"), message("b")});
    check_however_cut("data: a\r\n\ndata: b\r\n\r\n", {message("a"), message("b")});
    check_however_cut("data: a\n\rdata: b\n\r", {message("a"), message("b")});
    check_however_cut("\r\n\n\r\rdata: a\r\n\r", {message("a")});
}

TEST_CASE("a byte order mark at the very start is passed over, and only there", "[event_stream]")
{
    std::string const bom = "\xef\xbb\xbf";
    check_however_cut(bom + "data: a\n\n", {message("a")});
    check_however_cut(bom + "event: e\ndata: a\n\n", {event("e", "a")});
    check_however_cut(bom + "\ndata: a\n\n", {message("a")});
    check_however_cut(bom + ": comment\n" + bom + "data: a\n\n", {});
    check_however_cut(bom + bom + "data: a\n\n", {});
    check_however_cut("\n" + bom + "data: a\n\n", {});
    check_however_cut("event: x\ndata: a\n\n" + bom + "data: b\n\n", {event("x", "a")});
    check_however_cut("\xef\xbb" + "data: a\n\ndata: b\n\n"s, {message("b")});
    check_however_cut("data: " + bom + "\n\n", {message(bom)});
}

TEST_CASE("a line that begins with a colon is a comment and gives nothing", "[event_stream]")
{
    check_however_cut(": hello\n\n:\n\n:data: x\n\n", {});
    check_however_cut(":\ndata: a\n: between\ndata: b\n:\n\n", {message("a\nb")});
    check_however_cut(": data: x\rdata: a\r\r", {message("a")});
}

TEST_CASE("one space after the colon is left out, all other white space stays", "[event_stream]")
{
    check_however_cut("event:x\ndata:a\n\n", {event("x", "a")});
    check_however_cut("event: x\ndata: a\n\n", {event("x", "a")});
    check_however_cut("event:  x \ndata:  a \n\n", {event(" x ", " a ")});
    check_however_cut("data:\ta\n\n", {message("\ta")});
    check_however_cut("data: \n\n", {message("")});
    check_however_cut("data:  \n\n", {message(" ")});
    check_however_cut("data: a: b: c\n\n", {message("a: b: c")});
    check_however_cut("data::\n\n", {message(":")});
}

TEST_CASE("data lines are joined by line feeds, also empty ones", "[event_stream]")
{
    check_however_cut("data: a\ndata: b\ndata: c\n\n", {message("a\nb\nc")});
    check_however_cut("data: a\ndata:\ndata: c\n\n", {message("a\n\nc")});
    check_however_cut("data\ndata: b\ndata\n\n", {message("\nb\n")});
    check_however_cut("data:a\ndata:a much longer second line\ndata:c\n\n",
                      {message("a\na much longer second line\nc")});
}

TEST_CASE("an empty data line makes an event with empty data", "[event_stream]")
{
    check_however_cut("data\n\n", {message("")});
    check_however_cut("data:\n\n", {message("")});
    check_however_cut("event: x\ndata\n\ndata\ndata\n\n", {event("x", ""), message("\n")});
}

TEST_CASE("an event without data is not told, and its name is forgotten", "[event_stream]")
{
    check_however_cut("event: ping\n\n", {});
    check_however_cut("event: x\n\ndata: a\n\n", {message("a")});
    check_however_cut("id: 1\n\n\n\nretry\n\ndata: a\n\n", {event("message", "a", "1")});
}

TEST_CASE("an event without a name, or with an empty one, is a message", "[event_stream]")
{
    check_however_cut("data: a\n\n", {message("a")});
    check_however_cut("event\ndata: a\n\nevent:\ndata: b\n\nevent: \ndata: c\n\n",
                      {message("a"), message("b"), message("c")});
    check_however_cut("event: x\nevent\ndata: a\n\n", {message("a")});
    check_however_cut("event: x\ndata: a\n\ndata: b\n\n", {event("x", "a"), message("b")});
}

TEST_CASE("the last name of an event counts, before or after its data", "[event_stream]")
{
    check_however_cut("event: x\nevent: y\ndata: a\n\n", {event("y", "a")});
    check_however_cut("data: a\nevent: y\n\n", {event("y", "a")});
    check_however_cut("data: a\nevent: yes\ndata: long enough to lie over the name\n\n",
                      {event("yes", "a\nlong enough to lie over the name")});
    std::string const long_name = "a name that is longer than most";
    check_however_cut("data: a\nevent: " + long_name + "\n\ndata: b\n\n", {event(long_name, "a"), message("b")});
}

TEST_CASE("fields of other names are passed over", "[event_stream]")
{
    check_however_cut("Data: a\ndata : b\n data: c\ndat: d\ndataa: e\n{\"x\":1}\ndata: f\n\n", {message("f")});
    check_however_cut("Event: x\nevents: y\nEVENT: z\nevent : w\ndata: a\n\n", {message("a")});
    check_however_cut("x\n\x01\xff: 3\nda\xc3ta: x\ndata: a\n\n", {message("a")});
}

TEST_CASE("the last id stays for the events after it, and one with a NUL is ignored", "[event_stream]")
{
    check_however_cut(
        "data: a\n\nid: 1\ndata: b\n\ndata: c\n\ndata: d\nid: 2\n\n",
        {message("a"), event("message", "b", "1"), event("message", "c", "1"), event("message", "d", "2")});
    check_however_cut(
        "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid: \0\n"s + "data: c\n\nid\ndata: d\n\n",
        {event("message", "a", "1"), event("message", "b", "1"), event("message", "c", "1"), message("d")});
    check_however_cut("id: 1\n\nevent: x\ndata: a\n\nid: 2\nid:3\nevent: y\ndata: b\n\nid:\n\nevent: z\ndata: c\n\n",
                      {event("x", "a", "1"), event("y", "b", "3"), event("z", "c")});
    check_however_cut("ID: 1\nid : 2\ndata: a\n\n", {message("a")});
    std::string const long_id(40, 'i');
    check_however_cut("id: " + long_id + "\ndata: a\n\ndata: b\n\n",
                      {event("message", "a", long_id), event("message", "b", long_id)});
}

TEST_CASE("retry is told at once if it is all digits, bounded, and ignored if not", "[event_stream]")
{
    check_however_cut("retry: 3000\n", {retry(3000)});
    check_however_cut("event: x\ndata: a\nretry:7\ndata: b\n\n", {retry(7), event("x", "a\nb")});
    check_however_cut("retry: 0\nretry: 007\n", {retry(0), retry(7)});
    for (auto const* bad : {"", " ", "-1", "+1", "1.5", "1e3", "1 ", " 1", "0x10", "1s", "12/3", "1:2"}) {
        CAPTURE(bad);
        check_however_cut("retry: "s + bad + "\nretry:1" + "x\n\n", {});
    }
    check_however_cut("retry\nRetry: 1\nretry: 1\0\n"s, {});
    check_however_cut("retry: 2147483646\nretry: 2147483647\nretry: 2147483648\nretry: 9999999999\n",
                      {retry(2147483646), retry(2147483647), retry(2147483647), retry(2147483647)});
    check_however_cut("retry: " + std::string(100, '9') + "\n", {retry(2147483647)});
    CHECK(event_stream_framer::max_retry.count() == 2147483647);
}

TEST_CASE("what is unfinished when the stream ends is dropped", "[event_stream]")
{
    check_however_cut("", {});
    check_however_cut("data: a\n\ndata: b\n", {message("a")});
    check_however_cut("data: a\n\ndata: b", {message("a")});
    check_however_cut("event: x\ndata: b\r\n", {});
    check_however_cut("retry: 5", {});
}

TEST_CASE("bytes of data and names that are not valid UTF-8, NUL among them, pass through unchanged", "[event_stream]")
{
    std::string const name = "caf\xe9 \xed\xa0\x80 \0 \xff\xc3"s;
    check_however_cut("event: " + name + "\ndata: " + name + "\n\n", {event(name, name)});
    check_however_cut("data: " + name + "\ndata: \xa9\n\n", {message(name + "\n\xa9")});
}

TEST_CASE("a line of just the limit passes and one past it is too big, whatever it says", "[event_stream]")
{
    for (std::size_t const limit : {8u, 20u, 100u, 300u})
        for (auto const* field : {"data: ", ":", "x", "event: ", "id: ", "event: e\ndata: "}) {
            CAPTURE(limit, field);
            std::string most = field;
            auto const line_start = most.find('\n') + 1; // of the last line
            most.resize(line_start + limit, 'm');
            auto const after = "\n\ndata\n\n"s;
            auto const expected = by_the_standard(most + after, limit);
            check_however_cut(most + after, expected, limit);
            CHECK(std::count(expected.begin(), expected.end(), too_big) == 0);
            check_however_cut("data\n\n" + most + "m" + after, {message(""), too_big}, limit);
            check_however_cut("data\n\n" + most + "m", {message(""), too_big}, limit); // without its end, too
        }
    check_however_cut("event: x\ndata: a\n\n", {too_big}, 0);
    check_however_cut("\n\r\n", {}, 0);
}

TEST_CASE("data lines of just the limit together pass, one byte more is too big", "[event_stream]")
{
    check_however_cut("data:12345\ndata:6789\n\n", {message("12345\n6789")}, 10);
    check_however_cut("data:12345\ndata:67890\n\ndata:x\n\n", {too_big}, 10);
    check_however_cut("data:12345\ndata:678\ndata\n\n", {message("12345\n678\n")}, 10);
    check_however_cut("data:12345\ndata:6789\ndata\n\n", {too_big}, 10);
    check_however_cut("data:x\n\ndata:12345\nevent:1234\n:12345\ndata:67890\n", {message("x"), too_big}, 10);
    std::string ten_empty;
    for (int i = 0; i != 11; ++i)
        ten_empty += "data\n";
    check_however_cut(ten_empty + "\n", {message(std::string(10, '\n'))}, 10);
    check_however_cut(ten_empty + "data\n\n", {too_big}, 10);
}

TEST_CASE("too_big stays, says what was, and frees what was held", "[event_stream]")
{
    run line(1000);
    line.piece("id: " + std::string(100, 'i') + "\nevent: " + std::string(100, 'n') + "\ndata: a\n");
    line.piece(std::string(1000, 'x'));
    CHECK(line.framer().memory() > 1000);
    line.piece("x").piece("\n\ndata: never\n\n").piece("").piece("event: never\ndata: x\n\n");
    CHECK(line.events() == trace{too_big, too_big, too_big, too_big});
    CHECK(line.framer().fault() == "a line exceeds the limit");
    CHECK(line.framer().memory() == 0);
    run data(1000);
    data.piece("data: " + std::string(900, 'x') + "\n").piece("data: " + std::string(900, 'x') + "\n\n");
    CHECK(data.events() == trace{too_big});
    CHECK(data.framer().fault() == "an event's data exceeds the limit");
    CHECK(data.framer().memory() == 0);
}

TEST_CASE("an event that lies whole in the input is not copied", "[event_stream]")
{
    for (std::string const end : {"\n", "\r\n"}) {
        std::string input = "\xef\xbb\xbf" + "data: first"s + end + end + "event: x" + end + "data: second" + end +
                            end + "id: 3" + end + "data: third" + end + "data: joined" + end + end;
        auto const second = input.find("second");
        auto const third = input.find("third");
        auto const size = input.size();
        input.resize(size + event_stream_framer::slack);
        event_stream_framer framer(1 << 20);
        framer.feed({input.data(), size});
        CHECK(framer.next().data.data() == input.data() + 3 + 6);
        CHECK(framer.next().data.data() == input.data() + second);
        auto const joined = framer.next();
        CHECK(joined.data.data() == input.data() + third);
        CHECK(std::string_view(joined.data.data(), joined.data.size()) == "third\njoined");
        CHECK(framer.memory() == 0);
        CHECK(framer.next().what == event_stream::need_more);
        CHECK(framer.memory() == 0);
    }
}

TEST_CASE("storage grows with what arrives of an event and is freed when none is unfinished", "[event_stream]")
{
    run one;
    std::string const big(1 << 19, 'b');
    one.piece("event: e\n");
    CHECK(one.framer().memory() == 0); // so short a name is kept in the framer itself
    one.piece("data: " + big.substr(0, 100));
    CHECK(one.framer().memory() >= 100);
    CHECK(one.framer().memory() < 200);
    one.piece(big.substr(100) + "\ndata: more\n");
    CHECK(one.framer().memory() >= big.size());
    CHECK(one.framer().memory() < 2 * big.size());
    one.piece("\ndata: cu");
    CHECK(one.framer().memory() > 0);
    CHECK(one.framer().memory() < 100);
    one.piece("t\n\n");
    CHECK(one.framer().memory() == 0);
    one.piece("event: " + std::string(1000, 'n') + "\n");
    CHECK(one.framer().memory() >= 1000);
    one.piece("\n");
    CHECK(one.framer().memory() == 0);
    one.piece("event: " + std::string(100000, 'n') + "\ndata: x\n\ndata: cu");
    CHECK(one.framer().memory() < 200);
    one.piece("t\n\n").piece(": a comment that the end of input cu");
    CHECK(one.framer().memory() > 0);
    one.piece("ts\n");
    CHECK(one.framer().memory() == 0);
    for (int i = 0; i != 1000; ++i)
        one.piece(": alive\n\nevent: x\n\nid: 7\nunknown: field\n");
    CHECK(one.framer().memory() == 0);
    CHECK(one.events() ==
          trace{event("e", big + "\nmore"), message("cut"), event(std::string(100000, 'n'), "x"), message("cut")});
}

TEST_CASE("recorded streams come out as their server meant them, a ping with its name", "[event_stream]")
{
    auto const scan = plex::testing::read_data("sse_section_scan.txt");
    auto const data = plex::testing::messages("sse_section_scan.txt", "data: ");
    REQUIRE(data.size() == 5);
    trace const expected{event("ping", "{}"), event("activity", data[1]), event("status", data[2]),
                         event("activity", data[3]), event("activity", data[4])};
    check_however_cut(scan, expected);
    std::string crlf;
    for (char const c : scan)
        crlf += c == '\n' ? "\r\n"s : std::string(1, c);
    check_however_cut(crlf, expected);
    for (auto const& [file, name] :
         {std::pair("sse_item_refresh.txt", "activity"), std::pair("sse_ended_unseen.txt", "activity"),
          std::pair("sse_timeline_2026.txt", "timeline")})
        check_however_cut(plex::testing::read_data(file), {event(name, plex::testing::messages(file, "data: ").at(0))});
}

} // namespace plex::protocol
