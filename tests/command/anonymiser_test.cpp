#include "anonymiser.hpp"

#include "catch.hpp"

#include <algorithm>
#include <string>
#include <vector>

using plex::command::anonymised;
using plex::command::anonymiser;

namespace {

std::string const token = "xyzzy-S3CRET-token";

std::string quoted_activity(std::string const& members)
{
    return R"({"ActivityNotification":{"event":"updated","uuid":"7251fc2d","Activity":{"uuid":"7251fc2d",)" + members +
           "}}}";
}

std::string anonymous(std::string const& text)
{
    anonymiser anonymise(token);
    anonymised const result = anonymise(text);
    CHECK(result.problem.empty());
    return result.json;
}

/// What has become of the one string in `{"title":…}`, given as JSON.
std::string title(std::string const& json)
{
    std::string const text = anonymous(R"({"title":)" + json + "}");
    std::string const before = R"({"title":")";
    REQUIRE(text.starts_with(before));
    REQUIRE(text.ends_with("\"}"));
    return text.substr(before.size(), text.size() - before.size() - 2);
}

bool holds(std::string const& text, std::string const& part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("an activity keeps its structure, its vocabulary and its lengths, and nothing that is somebody's")
{
    std::string const said =
        R"~({"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[{"event":"ended",)~"
        R"~("uuid":"c30c1edc-8df0-4713-a7f1-f1373f6db8e9","Activity":{"uuid":"c30c1edc-8df0-4713-a7f1-f1373f6db8e9",)~"
        R"~("type":"library.refresh.items","cancellable":false,"userID":4711,"title":"Refreshing",)~"
        R"~("subtitle":"The Revenant (2015)","progress":66.5,"Context":{"accessible":true,)~"
        R"~("key":"/library/metadata/513/children","librarySectionID":"3","gone":null}}}]}})~";
    CHECK(
        anonymous(said) ==
        R"~({"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[{"event":"ended",)~"
        R"~("uuid":"00000000-0000-4000-8000-000000000000","Activity":{"uuid":"00000000-0000-4000-8000-000000000000",)~"
        R"~("type":"library.refresh.items","cancellable":false,"userID":1000,"title":"Xxxxxxxxxx",)~"
        R"~("subtitle":"Xxx Xxxxxxxx *0000*","progress":66.5,"Context":{"accessible":true,)~"
        R"~("key":"/library/metadata/100/children","librarySectionID":"3","gone":null}}}]}})~");
}

TEST_CASE("an event stream's envelope and a list are read like a WebSocket's")
{
    CHECK(holds(anonymous(quoted_activity(R"("type":"provider.epg.load","progress":"50","cancellable":"1")")),
                R"("type":"provider.epg.load","progress":"50","cancellable":"1")"));
    CHECK(anonymous(R"({"MediaContainer":{"size":0}})") == R"({"MediaContainer":{"size":0}})");
    CHECK(holds(anonymous(R"({"MediaContainer":{"size":1,"Activity":[{"type":"butler","progress":-1}]}})"),
                R"([{"type":"butler","progress":-1}])"));
}

TEST_CASE("words are kept only where the protocol has them, and where they look like its own")
{
    CHECK_FALSE(holds(anonymous(quoted_activity(R"("type":"The Sopranos")")), "Sopranos"));
    CHECK_FALSE(holds(anonymous(quoted_activity(R"("type":"films/heat.mkv")")), "heat"));
    CHECK_FALSE(holds(anonymous(quoted_activity(R"("Context":{"type":"heat"})")), "heat"));
    CHECK_FALSE(holds(anonymous(quoted_activity(R"("Response":{"Activity":{"type":"heat"}})")), "heat"));
    CHECK_FALSE(holds(anonymous(R"({"event":"heat","type":"heat"})"), "heat"));
    CHECK_FALSE(holds(anonymous(quoted_activity(R"("Response":{"progress":48,"size":48})")), "48"));
    CHECK_FALSE(holds(anonymous(quoted_activity(R"("progress":5551234)")), "5551234"));
    CHECK_FALSE(holds(anonymous(quoted_activity(R"("Context":{"librarySectionID":"heat"})")), "heat"));
    CHECK_FALSE(holds(anonymous(quoted_activity(R"("Context":{"librarySectionID":5551234})")), "5551234"));
}

TEST_CASE("the same value has the same pseudonym throughout a recording, and other values have others")
{
    anonymiser anonymise(token);
    std::string const first = anonymise(R"(["a-1","b-2","a-1",{"userID":7117},"7117","/library/metadata/7117"])").json;
    CHECK(first == R"(["x-0","x-1","x-0",{"userID":1000},"1000","/library/metadata/1000"])");
    CHECK(anonymise(R"(["b-2","c-3"])").json == R"(["x-1","x-2"])");
    CHECK(anonymise(R"({"uuid":"c30c1edc-8df0-4713-a7f1-f1373f6db8e9","other":"6f7c9a1b-5f56-4009-b7c2-374cd148b67f"})")
              .json ==
          R"({"uuid":"00000000-0000-4000-8000-000000000000","other":"00000000-0000-4000-8000-000000000001"})");
}

TEST_CASE("no value is its own pseudonym")
{
    for (char const* text : {R"("x")", R"("Xxxx")", R"("00-0")", R"("*")", "1000", R"("1000")",
                             R"("00000000-0000-4000-8000-000000000000")", R"("/library/metadata/1")"}) {
        INFO(text);
        CHECK(anonymous(text) != text);
    }
}

TEST_CASE("a path is kept but for its numbers only where every word of it is the protocol's")
{
    CHECK(anonymous(R"({"key":"/library/metadata/513"})") == R"({"key":"/library/metadata/100"})");
    std::string const other = anonymous(R"({"key":"/library/metadata/Sopranos/513"})");
    CHECK_FALSE(holds(other, "metadata"));
    CHECK_FALSE(holds(other, "Sopranos"));
}

TEST_CASE("of more values than there is room for, those in use keep their pseudonyms and the others are forgotten")
{
    plex::command::remembered<int> some(16 << 10);
    some.put("in use", 1);
    for (int i = 0; i != 1'000; ++i) {
        some.put("other " + std::to_string(i), i);
        REQUIRE(some.find("in use") == 1);
    }
    CHECK(some.find("other 999") == 999);
    CHECK_FALSE(some.find("other 0").has_value());
}

TEST_CASE("ten thousand values of one shape have ten thousand pseudonyms")
{
    anonymiser anonymise(token);
    std::vector<std::string> seen;
    for (int i = 0; i != 10'000; ++i)
        seen.push_back(anonymise("\"uuid-" + std::to_string(100'000 + i) + "\"").json);
    std::sort(seen.begin(), seen.end());
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("a number stays a number of as many digits that any reader can read")
{
    CHECK(anonymous("[4711,-42,98765432109876543,3.14159,0.25,0,6.02e23,1e308,4E-7]") ==
          "[1000,-10,10000000000000000,1.00000,0.00,0,1.00e00,1e000,1E-0]");
}

TEST_CASE("hostile titles leave nothing but their length")
{
    CHECK(title(R"("a \"quoted\" \\ title")") == "x *xxxxxx* * xxxxx");
    CHECK(title(R"("caf\u00e9 \u0000\u0007\u001b[31m")") == "xxx\xc3\xa0 ****00x");
    CHECK(title(R"("\ud83c\udfac film")") == "\xf0\x9f\x98\x80 xxxx"); // a pair is one character
    CHECK(title(R"("half \ud83c of a pair")") == "xxxx \xef\xbf\xbd xx x xxxx");
    CHECK(title("\"caf\xe9 \xff\xfe\"") == "xxx\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd");
    CHECK(title("\"\xe2\x80\xae"
                "txet\xe2\x80\xac\x7f\"") == "\xe4\xb8\x80xxxx\xe4\xb8\x80*"); // bidi
    CHECK(title(R"("{\"librarySectionID\":\"3\",\"type\":\"library.update.section\"}")") ==
          "**xxxxxxxXxxxxxxXX*:*0***xxxx*:*xxxxxxx.xxxxxx.xxxxxxx**");
    CHECK(title(R"("https://10-0-0-7.0123abcd.plex.direct:32400/?X-Plex-Token=abc")") ==
          "xxxxx***00-0-0-0.0000xxxx.xxxx.xxxxxx:00000/*X-Xxxx-Xxxxx*xxx");
    CHECK(title(R"~("/media/Films/Heat (1995)/heat.mkv")~") == "/xxxxx/Xxxxx/Xxxx *0000*/xxxx.xxx");
    CHECK(title(R"("....////    ::::")") == "****************");
    CHECK(title(R"("")").empty());
}

TEST_CASE("what was repaired is counted")
{
    anonymiser anonymise(token);
    CHECK(anonymise("{\"title\":\"caf\xe9 \xff\",\"subtitle\":\"\\ud83c\"}").repaired == 3);
    CHECK(anonymise(R"({"title":"fine"})").repaired == 0);
}

TEST_CASE("names of members stay where they look like names of members")
{
    CHECK(anonymous(R"({"userStopped":1,"_id2":2,"heat.mkv":3,"10.0.0.7":4,"The Sopranos":5,"":6,"x-y":7})") ==
          R"({"userStopped":2,"_id2":3,"xxxx.xxx":4,"00.0.0.0":5,"Xxx Xxxxxxxx":6,"":7,"x-x":8})");
    CHECK_FALSE(holds(anonymous("{\"" + std::string(65, 'q') + "\":true}"), "qqqq"));
}

TEST_CASE("the token is nowhere, even where words and names are kept")
{
    std::string const plain = "abcdefghijk";
    for (std::string const& text :
         {quoted_activity("\"type\":\"" + plain + "\""), quoted_activity("\"Context\":{\"" + plain + "\":1}"),
          quoted_activity("\"Context\":{\"echo\":\"X-Plex-Token=" + plain + "\"}"), "\"" + plain + "\"",
          "{\"my_" + plain + "_\":[\"" + plain + "\"]}"}) {
        INFO(text);
        anonymiser anonymise(plain);
        CHECK_FALSE(holds(anonymise(text).json, plain));
    }
    anonymiser anonymise("48");
    CHECK_FALSE(holds(anonymise(quoted_activity(R"("progress":48,"Context":{"librarySectionID":"48"})")).json, "48"));
}

TEST_CASE("of what is no JSON there is a word about it, and not a byte of it")
{
    anonymiser anonymise(token);
    auto const problem = [&](std::string const& text) {
        anonymised const result = anonymise(text);
        CHECK(result.json.empty());
        return std::string(result.problem);
    };
    CHECK(problem("") == "empty");
    CHECK(problem(R"({"title":"The Sopr)") == "truncated");
    CHECK(problem("<MediaContainer/>") == "no JSON");
    CHECK(problem("{\"a\":1} Sopranos") == "no JSON");
    CHECK(problem(std::string(40, '[')) == "too deep");
}

TEST_CASE("white space between the parts of a message is no part of it")
{
    CHECK(anonymous("{\n  \"size\" : [ 1 ,\t2 ],\r\n \"a\" : { } }") == R"({"size":[2,3],"a":{}})");
}
