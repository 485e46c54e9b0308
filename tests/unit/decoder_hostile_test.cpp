#include "catch.hpp"

#include "chosen_seed.hpp"
#include "decoding.hpp"
#include "protocol/utf8.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <random>

namespace plex::testing {
namespace {

using protocol::decoded;

std::string repeated(std::string_view text, std::size_t times)
{
    std::string out;
    for (std::size_t i = 0; i != times; ++i)
        out += text;
    return out;
}

// `{"k":"xxx…"}` of that many bytes.
std::string object_of(std::size_t bytes)
{
    return R"({"k":")" + std::string(bytes - 8, 'x') + "\"}";
}

std::string only_update(std::string_view message)
{
    decoding d;
    d.notification(message);
    return d.updates.size() == 1 ? d.updates[0] : "not one but " + std::to_string(d.updates.size());
}

bool valid_object(std::string_view text)
{
    boost::system::error_code ec;
    auto const value = boost::json::parse(text, ec);
    return !ec && value.is_object();
}

// What holds whatever the bytes were.
void check_promises(decoding& d)
{
    auto const updates = d.decoder.updates();
    CHECK((d.result == decoded::malformed) == !d.decoder.problem().empty());
    if (d.result != decoded::activities) {
        CHECK(updates.empty());
        CHECK(d.decoder.malformed_entries() == 0);
    }
}

} // namespace

TEST_CASE("a message cut anywhere is malformed as a whole", "[decoder]")
{
    decoding d;
    d.notification(full_message);
    REQUIRE(d.result == decoded::activities);
    auto const whole = d.updates;
    REQUIRE(whole.size() == 1);
    for (std::size_t size = 0; size != full_message.size(); ++size) {
        CAPTURE(size);
        d.notification(std::string_view(full_message).substr(0, size));
        CHECK(d.result == decoded::malformed);
        CHECK(d.decoder.problem() == (size == 0 ? "empty" : "truncated JSON"));
        CHECK(d.updates.empty());
    }
    d.notification(full_message + "  \n");
    CHECK(d.updates == whole);
    for (auto const* more : {"x", "{}", ",", "\"", "}", "]", "1"}) {
        d.notification(full_message + more);
        CHECK(d.result == decoded::malformed);
        CHECK(d.updates.empty());
    }
}

TEST_CASE("a message whose escapes were undone before the fault is named by the fault", "[decoder]")
{
    decoding d;
    std::string const whole = with_members(R"("title":"a\nb","Context":{"k":"\n"},"progress":1)");
    REQUIRE(d.notification(whole).result == decoded::activities);
    for (std::size_t size = 1; size != whole.size(); ++size) {
        CAPTURE(size);
        d.notification(std::string_view(whole).substr(0, size));
        CHECK(d.result == decoded::malformed);
        CHECK(d.decoder.problem() == "truncated JSON");
    }
}

TEST_CASE("entries before the fault are not given either", "[decoder]")
{
    decoding d;
    d.notification(in_notification(R"({"event":"ended","uuid":"a"},{"event":"ended","uuid":"b"},nul)"));
    CHECK(d.result == decoded::malformed);
    CHECK(d.updates.empty());
    CHECK(d.decoder.malformed_entries() == 0);
}

TEST_CASE("what is no JSON object is named", "[decoder]")
{
    std::vector<std::pair<std::string, std::string>> const cases = {
        {"", "empty"},
        {" \r\n\t", "empty"},
        {"[]", "JSON, but not an object"},
        {"[{\"ActivityNotification\":[]}]", "JSON, but not an object"},
        {"\"text\"", "JSON, but not an object"},
        {"7", "JSON, but not an object"},
        {"null", "JSON, but not an object"},
        {"hello", "not JSON"},
        {"{'a':1}", "not JSON"},
        {"{\"a\":01}", "not JSON"},
        {"{\"a\":1,}", "not JSON"},
        {"{\"a\":\"\n\"}", "not JSON"},
        {"{\"a\":NaN}", "not JSON"},
        {"{/**/}", "not JSON"},
        {"{}{}", "not JSON"},
        {"{}}", "not JSON"},
        {"[]}", "not JSON"},
        {"7}", "not JSON"},
        {"[}", "not JSON"},
        {"[{}", "truncated JSON"},
        {"{\"a\":{}", "truncated JSON"},
        {"{\"a\":}", "not JSON"},
        {"{\"a\":[1}", "not JSON"},
        {"{\"a\":\"}", "truncated JSON"},
        {"{\"a\":\"\\}", "truncated JSON"},
        {std::string("{}\0", 3), "not JSON"},
        {"\xff\xfe{}", "not JSON"},
        {"  <?xml version=\"1.0\"?><MediaContainer/>", "XML instead of JSON"},
        {"<!DOCTYPE HTML><title>x</title>", "HTML instead of JSON"},
        {"<?xml version=\"1.0\"?><HTML></HTML>", "HTML instead of JSON"},
    };
    decoding d;
    for (auto const& [text, problem] : cases) {
        CAPTURE(text);
        CHECK(d.notification(text).result == decoded::malformed);
        CHECK(d.decoder.problem() == problem);
        CHECK(d.list(text).result == decoded::malformed);
        CHECK(d.decoder.problem() == problem);
    }
    d.notification("{}");
    CHECK(d.decoder.problem().empty());
}

TEST_CASE("as many levels of nesting as max_depth are read, one more and any number more are refused", "[decoder]")
{
    auto const nested = [](std::size_t levels) {
        return R"({"ActivityNotification":)" + repeated("[", levels - 1) + repeated("]", levels - 1) + "}";
    };
    auto const list = [](std::size_t levels) {
        return R"({"MediaContainer":{}, "x":)" + repeated("[", levels - 1) + repeated("]", levels - 1) + "}";
    };
    struct bound {
        unsigned asked;
        std::size_t levels;
    };
    // What an activity itself has, six, is read whatever is asked for; and 64 are the most.
    for (auto const& [asked, levels] : {bound{32, 32}, {6, 6}, {7, 7}, {63, 63}, {64, 64}, {0, 6}, {5, 6}, {65, 64}}) {
        decoding d;
        d.max_depth = asked;
        CAPTURE(asked);
        CHECK(d.notification(nested(levels)).result == decoded::activities);
        CHECK(d.list(list(levels)).result == decoded::activities);
        for (std::size_t const more : {levels + 1, levels + 2, std::size_t{10'000}}) {
            CHECK(d.notification(nested(more)).result == decoded::malformed);
            CHECK(d.decoder.problem() == "JSON nested deeper than config::max_depth");
            CHECK(d.list(list(more)).result == decoded::malformed);
        }
        d.notification(repeated("[", 10'000));
        CHECK(d.decoder.problem() == "JSON nested deeper than config::max_depth");
        d.notification(repeated("{\"a\":", 10'000));
        CHECK(d.decoder.problem() == "JSON nested deeper than config::max_depth");
        CHECK(d.notification(nested(levels)).result == decoded::activities);
        CHECK(d.notification(with_members(R"("Context":{"a":{}})")).result ==
              (levels > 6 ? decoded::activities : decoded::malformed));
        CHECK(d.notification(with_members(R"("Context":{"a":"b"},"Response":{"a":1})")).result == decoded::activities);
    }
}

TEST_CASE("invalid UTF-8 is repaired wherever it is, and counted", "[decoder]")
{
    decoding d;
    d.notification(with_members("\"title\":\"caf\xe9\",\"Context\":{\"\xff\":\"\xc3\"},\"n\xf0\x9f\":1"));
    REQUIRE(d.result == decoded::activities);
    CHECK(d.updates == std::vector<std::string>{"updated u type=t title=caf\xef\xbf\xbd "
                                                "context={\"\xef\xbf\xbd\":\"\xef\xbf\xbd\"} "
                                                "extra={\"n\xef\xbf\xbd\":1}"});
    CHECK(d.decoder.repaired_utf8() == 4);
    d.notification(with_members("\"title\":\"caf\xc3\xa9\""));
    CHECK(d.decoder.repaired_utf8() == 0);
    CHECK(d.updates == std::vector<std::string>{"updated u type=t title=caf\xc3\xa9"});
    d.list("{\"MediaContainer\":{\"Activity\":{\"uuid\":\"\xed\xa0\x80\"}}}");
    CHECK(d.decoder.repaired_utf8() == 3);
}

TEST_CASE("half a surrogate pair loses no message: it becomes U+FFFD and is counted", "[decoder]")
{
    decoding d;
    std::string const bad = "\xef\xbf\xbd";
    d.notification(with_members(R"("title":"\ud800","subtitle":"\udc00x\\ud800\ud83d\ude00",)"
                                R"("Context":{"\uDBFF":"\ud800\ud83d\ude00\ud800\u0041"})"));
    REQUIRE(d.result == decoded::activities);
    CHECK(d.updates == std::vector<std::string>{"updated u type=t title=" + bad + " subtitle=" + bad +
                                                "x\\ud800\xf0\x9f\x98\x80 context={\"" + bad + "\":\"" + bad +
                                                "\xf0\x9f\x98\x80" + bad + "A\"}"});
    CHECK(d.decoder.repaired_utf8() == 5);
    // Nothing to repair in what is broken otherwise.
    d.notification(with_members(R"("title":"\ud800","subtitle":"\ud8zz")"));
    CHECK(d.result == decoded::malformed);
    CHECK(d.decoder.repaired_utf8() == 0);
}

TEST_CASE("a uuid and a type of 256 bytes stand, one byte more makes the entry malformed", "[decoder]")
{
    std::string const limit(256, 'x');
    std::string const past(257, 'x');
    auto const entry = [](std::string const& outer, std::string const& inner, std::string const& type) {
        return in_notification(R"({"event":"ended","uuid":")" + outer + R"(","Activity":{"uuid":")" + inner +
                               R"(","type":")" + type + R"("}})");
    };
    CHECK(only_update(entry(limit, "", limit)) == "ended " + limit + " type=" + limit);
    CHECK(only_update(entry("", limit, "")) == "ended " + limit + " type=");
    CHECK(only_update(entry("u", past, "t")) == "ended u type=t"); // the one that does not count
    decoding d;
    for (auto const& message : {entry(past, "", "t"), entry("", past, "t"), entry("u", "u", past)}) {
        d.notification(message);
        CHECK(d.result == decoded::activities);
        CHECK(d.updates.empty());
        CHECK(d.decoder.malformed_entries() == 1);
    }
}

TEST_CASE("title and subtitle keep 4 KiB, cut between code points", "[decoder]")
{
    std::string const limit(4096, 'x');
    CHECK(only_update(with_members("\"title\":\"" + limit + "\"")) == "updated u type=t title=" + limit);
    CHECK(only_update(with_members("\"subtitle\":\"" + limit + "y\"")) == "updated u type=t subtitle=" + limit);
    std::string const almost(4095, 'x');
    CHECK(only_update(with_members("\"title\":\"" + almost + "\xc3\xa9\"")) == "updated u type=t title=" + almost);
}

TEST_CASE("context, response and extra have 64 KiB together; what does not fit is left out whole and marked",
          "[decoder]")
{
    constexpr std::size_t limit = 64u << 10;
    auto const message = [](std::size_t context, std::size_t response, std::size_t extra) {
        std::string json;
        if (extra != 0)
            json += object_of(extra).substr(1, extra - 2) + ",";
        if (response != 0)
            json += "\"Response\":" + object_of(response) + ",";
        if (context != 0)
            json += "\"Context\":" + object_of(context) + ",";
        return with_members(json + "\"progress\":1");
    };
    std::string const start = "updated u type=t progress=1";
    CHECK(only_update(message(limit, 0, 0)) == start + " context=" + object_of(limit));
    CHECK(only_update(message(limit + 1, 0, 0)) == start + " context-left-out");
    CHECK(only_update(message(0, 0, limit)) == start + " extra=" + object_of(limit));
    CHECK(only_update(message(0, 0, limit + 1)) == start + " extra-left-out");
    CHECK(only_update(message(limit / 2, limit / 4, limit / 4)) == start + " context=" + object_of(limit / 2) +
                                                                       " response=" + object_of(limit / 4) +
                                                                       " extra=" + object_of(limit / 4));
    CHECK(only_update(message(limit / 2, limit / 2 + 1, limit / 2)) ==
          start + " context=" + object_of(limit / 2) + " extra=" + object_of(limit / 2) + " response-left-out");
    CHECK(only_update(message(limit / 2, limit / 4, limit / 4 + 1)) ==
          start + " context=" + object_of(limit / 2) + " response=" + object_of(limit / 4) + " extra-left-out");
    // An unreadable field counts as extra.
    CHECK(only_update(with_members("\"title\":" + object_of(limit))) == "updated u type=t extra-left-out");
}

namespace {

std::string list_of(std::size_t count, std::string const& entry)
{
    return R"({"MediaContainer":{"Activity":[)" + repeated(entry + ",", count - 1) + entry + "]}}";
}

} // namespace

TEST_CASE("8,192 activities are read, one more is refused", "[decoder]")
{
    protocol::decoder d;
    CHECK(take_list(d, list_of(8'192, R"({"uuid":"u"})")) == decoded::activities);
    CHECK(d.updates().size() == 8'192);
    CHECK(take_list(d, list_of(8'193, R"({"uuid":"u"})")) == decoded::malformed);
    CHECK(d.updates().empty());
    CHECK(d.problem() == "JSON of more than 8192 activities");
    CHECK(take_list(d, list_of(20'000, "{}")) == decoded::activities); // of which none is kept
    CHECK(d.malformed_entries() == 20'000);
    CHECK(take_list(d, list_of(1, R"({"uuid":"u"})")) == decoded::activities);
}

TEST_CASE("invalid UTF-8 that grows by 1 MiB is repaired, by more it is refused", "[decoder]")
{
    protocol::decoder d;
    auto const list = [](std::size_t bad) {
        return list_of(1, R"({"uuid":"u","x":")" + std::string(bad, '\xe9') + "\"}"); // each becomes three bytes
    };
    CHECK(take_list(d, list(1u << 19)) == decoded::activities);
    CHECK(d.repaired_utf8() == 1u << 19);
    CHECK(take_list(d, list((1u << 19) + 1)) == decoded::malformed);
    CHECK(d.updates().empty());
    CHECK(d.repaired_utf8() == 0);
    CHECK(d.problem() == "text of which too much is no UTF-8");
}

TEST_CASE("unknown members are kept up to 1 MiB a message, and further entries say that theirs were left out",
          "[decoder]")
{
    protocol::decoder d;
    std::string const members =
        R"("x":")" + std::string(60'000, 'x') + R"(","y":[ 1, "\u20ac" ])"; // one is written anew
    std::string const kept = R"({"x":")" + std::string(60'000, 'x') + "\",\"y\":[1,\"\xe2\x82\xac\"]}";
    CHECK(take_list(d, list_of(100, R"({"uuid":"u",)" + members + "}")) == decoded::activities);
    REQUIRE(d.updates().size() == 100);
    std::size_t whole = 0;
    for (auto const& u : d.updates()) {
        bool const is_whole = u.extra == kept && !u.extra_left_out;
        bool const is_left_out = u.extra.empty() && u.extra_left_out;
        CHECK((is_whole || is_left_out));
        CHECK((!is_whole || &u - d.updates().data() == static_cast<std::ptrdiff_t>(whole)));
        whole += is_whole ? 1 : 0;
    }
    CHECK(whole == (1u << 20) / kept.size());
    // What is left out anyway takes no room from others.
    std::string const too_long = R"({"uuid":"u","x":")" + std::string(70'000, 'x') + "\"},";
    std::string const last = R"({"uuid":"u",)" + members + "}]}}";
    CHECK(take_list(d, R"({"MediaContainer":{"Activity":[)" + repeated(too_long, 100) + last) == decoded::activities);
    CHECK(d.updates().back().extra == kept);
}

TEST_CASE("a Context of more than 1 MiB with white space is left out, however short it is without", "[decoder]")
{
    protocol::decoder d;
    auto const list = [](std::size_t bytes) {
        return list_of(1, R"({"uuid":"u","Context":{"k":)" + std::string(bytes - 8, ' ') + "\"\"}}");
    };
    CHECK(take_list(d, list(1u << 20)) == decoded::activities);
    CHECK(d.updates()[0].context == R"({"k":""})");
    CHECK(take_list(d, list((1u << 20) + 1)) == decoded::activities);
    CHECK_FALSE(d.updates()[0].context.has_value());
    CHECK(d.updates()[0].context_left_out);
}

TEST_CASE("whatever bytes come, what is handed out is valid", "[decoder]")
{
    std::uint32_t const start = test::chosen_seed();
    CAPTURE(start); // PLEX_TEST_SEED=start runs the same again
    std::mt19937 random(start);
    auto const below = [&random](std::size_t n) {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    std::vector<std::string> seeds = {full_message, read_data("list_pms143.json")};
    for (auto const& message : messages("ws_item_refresh.ndjson"))
        seeds.push_back(message);
    std::vector<std::string> const pieces = {
        "{",     "}",        "[",    "]",  "\"",     ",",   ":",  "null",     "-1e5", "true",          "\\ud800",
        "\\u00", "\xf0\x9f", "\x80", "\\", "\"a\":", "1.5", "{}", "\"uuid\"", "[[[",  "\"Context\":{", "\"x\",",
        "\0\x1f"};
    decoding d;
    std::size_t read = 0;
    constexpr std::size_t rounds = 20'000;
    for (std::size_t round = 0; round != rounds; ++round) {
        std::string bytes = seeds[below(seeds.size())];
        for (auto changes = below(4) + 1; changes != 0; --changes) {
            auto const at = below(bytes.size() + 1);
            auto const count = std::min<std::size_t>(below(3), bytes.size() - at);
            switch (below(4)) {
            case 0:
                bytes.replace(at, count, pieces[below(pieces.size())]);
                break;
            case 1:
                bytes.insert(at, 1, static_cast<char>(below(256)));
                break;
            case 2:
                bytes.erase(at, below(20));
                break;
            default: {
                auto const from = below(bytes.size() + 1);
                bytes.insert(at, std::string(bytes, from, below(40)));
            }
            }
        }
        if (round % 2 == 0)
            d.notification(bytes);
        else
            d.list(bytes);
        check_promises(d);
        for (auto const& u : d.decoder.updates()) {
            ++read;
            bool valid = !u.uuid.empty() && u.uuid.size() <= 256 && u.type.size() <= 256;
            for (auto const text : {u.uuid, u.type, u.title.value_or(""), u.subtitle.value_or(""), u.extra,
                                    u.context.value_or(""), u.response.value_or("")})
                valid = valid && protocol::valid_utf8(text);
            for (auto const json : {u.context.value_or("{}"), u.response.value_or("{}"),
                                    u.extra.empty() ? std::string_view("{}") : u.extra})
                valid = valid && valid_object(json);
            if (!valid) {
                CAPTURE(round, bytes);
                FAIL_CHECK("handed out something invalid");
            }
        }
    }
    CHECK(read > rounds / 40); // enough mutants live to say something
}

} // namespace plex::testing
