#include "catch.hpp"

#include "protocol/utf8.hpp"

#include <string>
#include <utility>
#include <vector>

namespace plex::protocol {
namespace {

std::string const bad = "\xef\xbf\xbd"; // U+FFFD

std::string encoded(char32_t c)
{
    auto const tail = [&](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3f)); };
    if (c < 0x80)
        return {static_cast<char>(c)};
    if (c < 0x800)
        return {static_cast<char>(0xc0 | c >> 6), tail(0)};
    if (c < 0x10000)
        return {static_cast<char>(0xe0 | c >> 12), tail(6), tail(0)};
    return {static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
}

std::pair<std::string, std::size_t> repaired(std::string_view text)
{
    std::string out;
    auto const count = repair_utf8(text, out);
    return {out, count};
}

using repair = std::pair<std::string, std::size_t>;

} // namespace

TEST_CASE("every code point but the surrogates is valid, and repairing leaves it alone", "[utf8]")
{
    std::string all;
    for (char32_t c = 0; c <= 0x10ffff; ++c) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        auto const one = encoded(c);
        if (!valid_utf8(one)) {
            CAPTURE(static_cast<unsigned>(c));
            FAIL_CHECK("refused");
        }
        all += one;
    }
    CHECK(valid_utf8(all));
    CHECK((repaired(all) == repair{all, 0}));
}

TEST_CASE("each maximal ill-formed part becomes one U+FFFD and is counted", "[utf8]")
{
    std::vector<std::pair<std::string, repair>> const cases = {
        {"caf\xe9", {"caf" + bad, 1}},                    // Latin-1, as file names have it
        {"\x80\xbf", {bad + bad, 2}},                     // continuations of nothing
        {"\xc0\xaf\xc1\xbf", {bad + bad + bad + bad, 4}}, // overlong, two bytes
        {"\xe0\x80\xaf", {bad + bad + bad, 3}},           // overlong, three
        {"\xf0\x80\x80\xaf", {bad + bad + bad + bad, 4}}, // overlong, four
        {"\xed\xa0\x80", {bad + bad + bad, 3}},           // a surrogate
        {"\xf4\x90\x80\x80", {bad + bad + bad + bad, 4}}, // past U+10FFFF
        {"\xf5\x80\x80\x80", {bad + bad + bad + bad, 4}}, // likewise
        {"\xf5\xff", {bad + bad, 2}},                     // never
        {"\xc3", {bad, 1}},                               // cut short
        {"\xe2\x82", {bad, 1}},                           //
        {"\xf0\x9f\x98", {bad, 1}},                       //
        {"\xe2\x82x", {bad + "x", 1}},                    // what follows is not swallowed
        {"\xf0\x9f\x98\xc3\xa9", {bad + "\xc3\xa9", 1}},  //
        {"a\xf1\x80\x80\xe1\x80\xc2"
         "b\x80"
         "c\x80\xbf"
         "d", // The Unicode Standard, table 3-8
         {"a" + bad + bad + bad + "b" + bad + "c" + bad + bad + "d", 6}},
    };
    for (auto const& [text, expected] : cases) {
        CAPTURE(text);
        CHECK_FALSE(valid_utf8(text));
        CHECK((repaired(text) == expected));
        CHECK(valid_utf8(repaired(text).first));
    }
}

TEST_CASE("one bad byte is found at every place of a text", "[utf8]")
{
    for (std::size_t size = 1; size != 70; ++size)
        for (std::size_t at = 0; at != size; ++at) {
            std::string text(size, 'x');
            text[at] = '\xff';
            auto const expected = std::string(at, 'x') + bad + std::string(size - at - 1, 'x');
            if (valid_utf8(text) || repaired(text) != repair{expected, 1}) {
                CAPTURE(size, at);
                FAIL_CHECK("not found");
            }
        }
}

TEST_CASE("repairing appends", "[utf8]")
{
    std::string out = "before ";
    CHECK(repair_utf8("", out) == 0);
    CHECK(repair_utf8("a\xff", out) == 1);
    CHECK(out == "before a" + bad);
}

TEST_CASE("how long a text gets by repairing is known before", "[utf8]")
{
    for (std::string const& text :
         {std::string(), std::string("abc"), std::string("a\xff"), std::string("\xe2\x82"),
          std::string("\xf0\x9f\x98 \xc3"), std::string(100, '\x80'), std::string("\xc3\xa9\xff\xc3\xa9")}) {
        std::string out;
        repair_utf8(text, out);
        CHECK(repaired_size(text) == out.size());
    }
}

TEST_CASE("cutting splits no code point and takes as much as fits", "[utf8]")
{
    std::string const text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"; // 1, 2, 3, 4 and 1 bytes
    std::size_t const expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (std::size_t most = 0; most != std::size(expected); ++most) {
        CAPTURE(most);
        CHECK(cut_utf8(text, most) == text.substr(0, expected[most]));
    }
    CHECK(cut_utf8("\x80\x80\x80\x80\x80", 4).size() == 4);
    CHECK(cut_utf8("ab\xff\xff", 3).size() == 3);
}

TEST_CASE("what a terminal shows has no control, direction or invisible characters, and is valid", "[utf8]")
{
    CHECK(terminal_safe("Scanning M\xc3\xbcller (2024)") == "Scanning M\xc3\xbcller (2024)");
    CHECK(terminal_safe("\x1b]0;owned\x07\x1b[31mred") == "]0;owned[31mred");
    CHECK(terminal_safe("one\ntwo\r\nthree\tfour") == "one two  three four");
    CHECK(terminal_safe("caf\xe9\x1b[2J") == "caf" + bad + "[2J");
    CHECK(terminal_safe(std::string("a\0b", 3)) == "ab");
    for (char32_t c = 0; c <= 0x2100; ++c) {
        auto const space = (c >= 9 && c <= 13) || c == 0x85 || c == 0x2028 || c == 0x2029;
        auto const gone = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200b || c == 0x200e ||
                          c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f);
        auto const one = encoded(c);
        if (terminal_safe("x" + one + "y") != (space ? "x y" : gone ? "xy" : "x" + one + "y")) {
            CAPTURE(static_cast<unsigned>(c));
            FAIL_CHECK("shown wrongly");
        }
    }
    CHECK(terminal_safe("\xef\xbb\xbf"
                        "bom") == "bom");
    for (char32_t const c : {0x1d173u, 0x1d17au, 0xe0001u}) // of music, and of languages
        CHECK(terminal_safe("x" + encoded(c) + "y") == "xy");
    for (char32_t const c : {0x1d172u, 0x1d17bu, 0xe0067u}) // the last is of flags
        CHECK(terminal_safe("x" + encoded(c) + "y") == "x" + encoded(c) + "y");
    // The joiners stay: scripts and emoji need them.
    CHECK(terminal_safe("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80") ==
          "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80");
    CHECK(terminal_safe("\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xb1") == "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xb1");
}

} // namespace plex::protocol
