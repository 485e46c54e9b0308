#include "catch.hpp"

#include "protocol/json_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <utility>
#include <vector>

namespace plex::protocol {
namespace {

std::string found(std::string_view object, std::string_view key)
{
    return member_text(object, key).value_or("(none)");
}

std::string quoted(std::string_view text)
{
    std::string out;
    append_json_string(out, text);
    return out;
}

} // namespace

TEST_CASE("a member's text is the same whether the server sent a number or a string", "[json_text]")
{
    CHECK(found(R"({"librarySectionID":"1"})", "librarySectionID") == "1");
    CHECK(found(R"({"librarySectionID":1})", "librarySectionID") == "1");
    CHECK(found(R"({"a":true,"b":false,"c":-1.50e3})", "a") == "true");
    CHECK(found(R"({"a":true,"b":false,"c":-1.50e3})", "b") == "false");
    CHECK(found(R"({"a":true,"b":false,"c":-1.50e3})", "c") == "-1.50e3");
}

TEST_CASE("objects and arrays are given as JSON", "[json_text]")
{
    CHECK(found(R"({"a":{"b":[1,"}]"]},"c":[{"a":2}]})", "a") == R"({"b":[1,"}]"]})");
    CHECK(found(R"({"a":{"b":[1,"}]"]},"c":[{"a":2}]})", "c") == R"([{"a":2}])");
    CHECK(found(R"({"a":{},"b":[]})", "a") == "{}");
    CHECK(found(R"({"a":{},"b":[]})", "b") == "[]");
}

TEST_CASE("strings and names are unescaped", "[json_text]")
{
    CHECK(found(R"({"a":"\u007f\u0080\u07ff\u0800\uffff"})", "a") == "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
    CHECK(found(R"({"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00"})", "a") ==
          "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    CHECK(found(R"({"\u0061b":"x"})", "ab") == "x");
    CHECK(found(R"({"q\"":"x"})", "q\"") == "x");
    CHECK(found(R"({"a":"\ud800x\udc00"})", "a") == "\xef\xbf\xbdx\xef\xbf\xbd");
    CHECK(found(R"({"a":""})", "a").empty());
}

TEST_CASE("there is nothing for a missing member, null, or what is no object", "[json_text]")
{
    for (auto const* text : {"", "{}", "[]", "7", "\"a\"", R"({"b":1})", R"({"a":null})", R"([{"a":1}])",
                             R"({"b":{"a":1}})", R"({"b":"\"a\":1"})"}) {
        CAPTURE(text);
        CHECK_FALSE(member_text(text, "a"));
    }
}

TEST_CASE("of members of one name the text of the last is given", "[json_text]")
{
    CHECK(found(R"({"a":1,"a":2})", "a") == "2");
    CHECK_FALSE(member_text(R"({"a":1,"a":null})", "a"));
}

TEST_CASE("an object cut anywhere has no members, and nothing is read past its end", "[json_text]")
{
    std::string const whole = R"( { "x" : [ "\"" , { } ] , "a" : "b\u0041" } )";
    CHECK(found(whole, "a") == "bA");
    for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
        std::vector<char> const exact(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        CHECK_FALSE(member_text(std::string_view(exact.data(), exact.size()), "a"));
    }
    for (auto const* text : {R"({"a")", R"({"a":})", R"({"a":1}x)", R"({"a":1]})", R"({a:1})", R"({"a":"\x"})",
                             R"({"a":"\u12"})", R"({"a":1,})", R"({"a":1 "b":2})", R"({"a"::1})"})
        CHECK_FALSE(member_text(text, "a"));
}

TEST_CASE("each string is written as JSON that reads back the same", "[json_text]")
{
    std::string all;
    for (int c = 0; c != 128; ++c)
        all.push_back(static_cast<char>(c));
    all += "\xc3\xa9\xe2\x80\xae\xf0\x9f\x98\x80";
    CHECK(boost::json::parse(quoted(all)).as_string() == all);
    CHECK(quoted("a\"b\\c/\x1b\n\x7f") == "\"a\\\"b\\\\c/\\u001b\\n\x7f\"");
    CHECK(quoted("") == "\"\"");
    CHECK(found("{\"k\":" + quoted(all) + "}", "k") == all);
}

TEST_CASE("only halves of surrogate pairs are replaced, each counted", "[json_text]")
{
    std::string const bad = "\xef\xbf\xbd";
    std::vector<std::pair<std::string, std::string>> const cases = {
        {R"(\ud800)", bad},
        {R"(\uDFFF\ud83d\ude00)", bad + "\xf0\x9f\x98\x80"},
        {R"(\ud800\ud800\udc00)", bad + "\xf0\x90\x80\x80"},
        {R"(\ud800\u0041)", bad + "A"},
        {R"(\\\ud800)", "\\" + bad},
        {R"(\\ud800)", R"(\ud800)"},
        {R"(\u0041\n\udbff\udfff)", "A\n\xf4\x8f\xbf\xbf"},
    };
    for (auto const& [text, meaning] : cases) {
        std::string out;
        std::size_t repaired = 0;
        CHECK(unescape(text, out, repaired));
        CHECK(out == meaning);
        CHECK(repaired == (meaning.find(bad) != std::string::npos ? 1 : 0));
    }
    for (auto const* text : {"\\", "\\u", "\\ud8", "\\x", "\\u12g4", "\\ud83d\\ude0"}) {
        std::string out;
        std::size_t repaired = 0;
        CHECK_FALSE(unescape(text, out, repaired));
    }
}

} // namespace plex::protocol
