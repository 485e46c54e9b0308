#include "catch.hpp"

#include "chosen_seed.hpp"
#include "decoding.hpp"
#include "protocol/json_reader.hpp"
#include "protocol/json_sink.hpp"
#include "protocol/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <random>

namespace plex::protocol {
namespace {

struct outcome {
    json_fault fault;
    std::string echoed;
};

outcome read(std::string_view text)
{
    std::string echoed;
    json_sink sink(echoed);
    json_reader reader;
    auto const fault = reader.read(text, sink);
    return {fault, echoed};
}

boost::system::error_code boost_fault(std::string_view text, boost::json::value& value)
{
    boost::system::error_code ec;
    value = boost::json::parse(text, ec);
    return ec;
}

} // namespace

TEST_CASE("JSON texts are echoed without space, strings in their shortest form", "[json_reader]")
{
    std::vector<std::pair<std::string, std::string>> const cases = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {"[1,-0,0.5,-1.25e+10,1E-2,0e0,123456789012345678901234567890]",
         "[1,-0,0.5,-1.25e+10,1E-2,0e0,123456789012345678901234567890]"},
        {"\t{ \"a\" :\n[ true , false,null ] ,\r\"b\":{\"c\":\"\"} }", R"({"a":[true,false,null],"b":{"c":""}})"},
        {R"("\u00e9\/\n\ud83d\ude00\u0001")", "\"\xc3\xa9/\\n\xf0\x9f\x98\x80\\u0001\""},
        {"7", "7"},
        {"\"0123456789abcdef0123456789abcdef\\\"\"", "\"0123456789abcdef0123456789abcdef\\\"\""},
    };
    for (auto const& [text, expected] : cases) {
        CAPTURE(text);
        auto const result = read(text);
        CHECK(result.fault == json_fault::none);
        CHECK(result.echoed == expected);
    }
}

TEST_CASE("texts that are no JSON are refused", "[json_reader]")
{
    for (auto const* text : {"]",
                             "}",
                             ",",
                             ":",
                             "x",
                             "{,}",
                             "[,]",
                             "[1,]",
                             "{\"a\":1,}",
                             "{\"a\" 1}",
                             "{\"a\":}",
                             "{1:2}",
                             "{a:1}",
                             "[1 2]",
                             "[1:2]",
                             "{\"a\",1}",
                             "[}",
                             "{]",
                             "01",
                             "-01",
                             "1.e5",
                             "+1",
                             "-x",
                             ".5",
                             "1.x",
                             "1ex",
                             "1e+x",
                             "tru ",
                             "nulL",
                             "[true1]",
                             "\"\\x\"",
                             "\"\\u12G4\"",
                             "\"\n\"",
                             "\"\x1f\"",
                             "1 2",
                             "{}{}",
                             "[]]",
                             "NaN",
                             "'a'",
                             "// x",
                             "\xef\xbb\xbf{}",
                             "1f"}) {
        CAPTURE(text);
        CHECK(read(text).fault == json_fault::malformed);
    }
}

TEST_CASE("a text that only stops short is told from a wrong one", "[json_reader]")
{
    std::string const whole = R"({"a":[-1.5e-3,true,false,null,"\u00e9\\"],"b":{}})";
    REQUIRE(read(whole).fault == json_fault::none);
    for (std::size_t size = 0; size != whole.size(); ++size) {
        CAPTURE(size);
        CHECK(read(whole.substr(0, size)).fault == json_fault::truncated);
    }
}

TEST_CASE("nesting is counted in levels that are open, not in containers", "[json_reader]")
{
    auto const nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
    CHECK(read(nested(32)).fault == json_fault::none);
    CHECK(read(nested(33)).fault == json_fault::too_deep);
    std::string many = "[";
    for (int i = 0; i != 100; ++i)
        many += "[{}],";
    CHECK(read(many + "[]]").fault == json_fault::none);
    // Each closing bracket must be of the innermost kind, on all levels.
    std::string mixed;
    for (int i = 0; i != 16; ++i)
        mixed += "[{\"a\":";
    std::string closing;
    for (int i = 0; i != 16; ++i)
        closing += "}]";
    CHECK(read(mixed + "1" + closing).fault == json_fault::none);
    for (std::size_t at = 0; at != closing.size(); ++at) {
        std::string wrong = closing;
        wrong[at] = wrong[at] == ']' ? '}' : ']';
        CHECK(read(mixed + "1" + wrong).fault == json_fault::malformed);
    }
}

TEST_CASE("whatever the text, it is read as Boost.JSON reads it", "[json_reader]")
{
    std::uint32_t const start = test::chosen_seed();
    CAPTURE(start); // PLEX_TEST_SEED=start runs the same again
    std::mt19937 random(start);
    auto const below = [&random](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    std::vector<std::string> const seeds = {
        R"({"a":[-1.5e-3,true,false,null,"\u00e9\\"],"b":{},"c":[[],[0]],"long enough for two":"\ud83d\ude00"})",
        testing::full_message,
        testing::read_data("list_pms143.json"),
        "[0,1,-2,30,4.5,6e7,8E-9]",
        R"("text")",
        "12"};
    std::vector<std::string> const pieces = {"{",    "}",    "[",    "]",    "\"",     ",", ":",    " ",
                                             "0",    "-",    ".",    "e5",   "E+",     "1", "true", "\\",
                                             "\\u0", "\\\"", "\x1f", "null", "\"a\":", "\n"};
    std::size_t accepted = 0;
    for (int round = 0; round != 30'000; ++round) {
        std::string text = seeds[below(seeds.size())];
        for (auto changes = below(3) + 1; changes != 0; --changes) {
            auto const at = below(text.size() + 1);
            if (below(2) == 0)
                text.replace(at, std::min<std::size_t>(below(3), text.size() - at), pieces[below(pieces.size())]);
            else
                text.erase(at, below(4));
        }
        if (!valid_utf8(text))
            continue;
        auto const ours = read(text);
        boost::json::value theirs;
        auto const ec = boost_fault(text, theirs);
        // Boost.JSON refuses halves of surrogate pairs, we do not; and exponents beyond an int.
        bool const same = (ours.fault == json_fault::none) == !ec || (ec && text.find("\\u") != std::string::npos) ||
                          ec == boost::json::error::exponent_overflow;
        boost::json::value echoed;
        // As text, since 0e512 is not a number to Boost.JSON, which equals nothing.
        bool const same_value = ec || (!boost_fault(ours.echoed, echoed) &&
                                       boost::json::serialize(echoed) == boost::json::serialize(theirs));
        accepted += ec ? 0 : 1;
        if (!same || !same_value) {
            CAPTURE(text, ours.echoed, ec.message());
            FAIL_CHECK("read in another way");
        }
    }
    CHECK(accepted > 1'000);
}

} // namespace plex::protocol
