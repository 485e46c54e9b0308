#include "catch.hpp"

#include "decoding.hpp"

namespace plex::testing {
namespace {

using protocol::decoded;
using lines = std::vector<std::string>;

std::string only_update(decoding& d, std::string_view message)
{
    d.notification(message);
    return d.updates.size() == 1 ? d.updates[0] : "not one but " + std::to_string(d.updates.size());
}

// The one update of an activity with these members, after what all have.
std::string members(std::string_view json)
{
    decoding d;
    auto const line = only_update(d, with_members(json));
    std::string_view const start = "updated u type=t";
    return line.starts_with(start) ? line.substr(start.size()) : line;
}

} // namespace

TEST_CASE("both envelopes may hold one activity or an array of them", "[decoder]")
{
    std::string const one = R"({"event":"ended","uuid":"a","Activity":{"type":"t"}})";
    std::string const other = R"({"event":"started","uuid":"b","Activity":{"type":"t"}})";
    std::string const both = "[" + one + "," + other + "]";
    decoding d;
    lines const expected_one = {"ended a type=t"};
    lines const expected_both = {"ended a type=t", "started b type=t"};
    CHECK(d.notification(R"({"NotificationContainer":{"ActivityNotification":)" + one + "}}").updates == expected_one);
    CHECK(d.notification(R"({"NotificationContainer":{"ActivityNotification":)" + both + "}}").updates ==
          expected_both);
    CHECK(d.notification(R"({"ActivityNotification":)" + one + "}").updates == expected_one);
    CHECK(d.notification(R"({"ActivityNotification":)" + both + "}").updates == expected_both);

    CHECK(d.list(R"({"MediaContainer":{"Activity":{"uuid":"a","type":"t"}}})").updates == lines{"updated a type=t"});
    CHECK(d.list(R"({"MediaContainer":{"Activity":[{"uuid":"a","type":"t"},{"type":"t","uuid":"b"}]}})").updates ==
          lines{"updated a type=t", "updated b type=t"});
}

TEST_CASE("members are read in any order and with any white space", "[decoder]")
{
    decoding d;
    CHECK(only_update(d, " {\t\"NotificationContainer\" : {\r\n\"ActivityNotification\" : [ { \"Activity\" : "
                         "{ \"Context\" : { \"b\" : [ 1 , 2 ] , \"a\" : { } } , \"progress\" : 5 , \"type\" : \"t\" } "
                         ", \"uuid\" : \"u\" , \"event\" : \"ended\" } ] , \"size\" : 1 , \"type\" : \"activity\" } } "
                         "\n") == "ended u type=t progress=5 context={\"b\":[1,2],\"a\":{}}");
}

TEST_CASE("white space in any one place changes nothing", "[decoder]")
{
    decoding d;
    auto const expected = only_update(d, full_message);
    bool in_string = false;
    for (std::size_t at = 0; at != full_message.size(); ++at) {
        in_string = in_string != (full_message[at] == '"');
        if (in_string || std::string_view("{}[],:\"").find(full_message[at]) == std::string_view::npos)
            continue;
        for (std::size_t const place : {at, at + 1}) {
            std::string spaced = full_message;
            if (full_message[at] != '"' || place == at + 1)
                spaced.insert(place, "\r\n\t ");
            CAPTURE(spaced);
            CHECK(only_update(d, spaced) == expected);
        }
    }
}

TEST_CASE("what makes a notification one about activities is its key, not its type", "[decoder]")
{
    decoding d;
    CHECK(d.notification(R"({"NotificationContainer":{"type":"activity","size":0}})").result == decoded::other);
    CHECK(d.notification(R"({"NotificationContainer":{"type":"playing","ActivityNotification":[]}})").result ==
          decoded::activities);
    CHECK(d.notification("{}").result == decoded::other);
    CHECK(d.notification(R"({"NotificationContainer":[{"ActivityNotification":[]}]})").result == decoded::other);
    CHECK(d.notification(R"({"NotificationContainer":{"other":{"ActivityNotification":[]}}})").result ==
          decoded::other);
    CHECK(d.notification(R"({"MediaContainer":{"Activity":[{"uuid":"u"}]}})").result == decoded::other);
    // After the container has ended its name opens nothing.
    CHECK(d.notification(R"({"NotificationContainer":{},"x":{"ActivityNotification":{"event":"ended","uuid":"u"}}})")
              .result == decoded::other);
}

TEST_CASE("a name counts only in its place", "[decoder]")
{
    CHECK(members(R"("Context":{"uuid":"x","title":"x","progress":1,"Context":{"event":"x"}},"title":"real")") ==
          R"( title=real context={"uuid":"x","title":"x","progress":1,"Context":{"event":"x"}})");
    CHECK(members(R"("event":"x","Activity":{"title":"x"})") == R"( extra={"event":"x","Activity":{"title":"x"}})");
    decoding d;
    CHECK(only_update(d, in_notification(R"({"title":"x","event":"ended","uuid":"u"})")) ==
          R"(ended u type= extra={"title":"x"})");
}

TEST_CASE("the notification's uuid wins over the activity's own, in either order", "[decoder]")
{
    decoding d;
    CHECK(only_update(d, in_notification(R"({"event":"ended","uuid":"out","Activity":{"uuid":"in"}})")) ==
          "ended out type=");
    CHECK(only_update(d, in_notification(R"({"event":"ended","Activity":{"uuid":"in"},"uuid":"out"})")) ==
          "ended out type=");
    CHECK(only_update(d, in_notification(R"({"event":"ended","Activity":{"uuid":"in"}})")) == "ended in type=");
    CHECK(only_update(d, in_notification(R"({"event":"ended","uuid":"","Activity":{"uuid":"in"}})")) ==
          "ended in type=");
    CHECK(only_update(d, in_notification(R"({"event":"ended","uuid":null,"Activity":{"uuid":"in"}})")) ==
          "ended in type=");
    CHECK(only_update(d, in_notification(R"({"event":"ended","uuid":7,"Activity":{"uuid":"in"}})")) ==
          R"(ended in type= extra={"uuid":7})");
}

TEST_CASE("an entry that cannot be told apart is left out and counted, the others stand", "[decoder]")
{
    auto const bad =
        GENERATE(as<std::string>(), R"({"event":"ended"})", R"({"event":"ended","uuid":""})",
                 R"({"event":"ended","uuid":7,"Activity":{"uuid":{}}})", R"({"uuid":"u"})", R"({"event":7,"uuid":"u"})",
                 R"({"event":null,"uuid":"u"})", "{}", "[]", "[{}]", "null", "7", "\"x\"", "true", "1.5");
    CAPTURE(bad);
    decoding d;
    std::string const good = R"({"event":"ended","uuid":"good"})";
    d.notification(in_notification(bad + "," + good));
    CHECK(d.result == decoded::activities);
    CHECK(d.updates == lines{"ended good type="});
    CHECK(d.decoder.malformed_entries() == 1);
    d.notification(in_notification(good + "," + bad));
    CHECK(d.updates == lines{"ended good type="});
    CHECK(d.decoder.malformed_entries() == 1);
    d.notification(in_notification(good));
    CHECK(d.decoder.malformed_entries() == 0);
}

TEST_CASE("entries that are neither an object nor an array are one malformed entry, or no list; null is none",
          "[decoder]")
{
    decoding d;
    for (auto const* value : {"7", "\"x\"", "true", "-2.5"}) {
        d.notification(std::string(R"({"ActivityNotification":)") + value + "}");
        CHECK(d.result == decoded::activities);
        CHECK(d.decoder.malformed_entries() == 1);
        d.list(std::string(R"({"MediaContainer":{"Activity":)") + value + "}}");
        CHECK(d.result == decoded::malformed);
        CHECK(d.decoder.problem() == "JSON whose Activity is no list");
    }
    d.notification(R"({"ActivityNotification":null})");
    CHECK(d.result == decoded::activities);
    CHECK(d.decoder.malformed_entries() == 0);
}

TEST_CASE("scalars are read in each shape that servers have sent", "[decoder]")
{
    CHECK(members(R"("progress":42)") == " progress=42");
    CHECK(members(R"("progress":"42")") == " progress=42");
    CHECK(members(R"("progress":42.9)") == " progress=42");
    CHECK(members(R"("progress":"27.5")") == " progress=27");
    CHECK(members(R"("progress":-1)") == " progress=-1");
    CHECK(members(R"("progress":-0.9)") == " progress=0");
    CHECK(members(R"("progress":"-1.5")") == " progress=-1");
    CHECK(members(R"("progress":1e2)") == " progress=100");
    CHECK(members(R"("userID":"1")") == " user=1");
    CHECK(members(R"("userID":9007199254740993)") == " user=9007199254740993");
    CHECK(members(R"("userID":"9007199254740993")") == " user=9007199254740993");
    CHECK(members(R"("userID":1.0)") == " user=1");
    for (auto const* yes : {"true", "1", "\"1\"", "\"true\"", "1.0"})
        CHECK(members(std::string(R"("cancellable":)") + yes) == " cancellable=1");
    for (auto const* no : {"false", "0", "\"0\"", "\"false\"", "-0"})
        CHECK(members(std::string(R"("cancellable":)") + no) == " cancellable=0");
}

TEST_CASE("a field of an unreadable shape is absent and kept as it came", "[decoder]")
{
    auto const json = GENERATE(
        as<std::string>(), R"("progress":"abc")", R"("progress":"")", R"("progress":" 5")", R"("progress":"5%")",
        R"("progress":"0x10")", R"("progress":"nan")", R"("progress":"inf")", R"("progress":1e300)",
        R"("progress":1e999)", R"("progress":true)", R"("progress":[5])", R"("progress":2147483648)",
        R"("progress":18446744073709551615)", R"("userID":1.5)", R"("userID":"x")", R"("userID":18446744073709551615)",
        R"("userID":1e19)", R"("userID":false)", R"("userID":{"a":1})", R"("cancellable":2)", R"("cancellable":"yes")",
        R"("cancellable":"")", R"("cancellable":{})", R"("title":7)", R"("title":{"a":["b",null]})", R"("title":true)",
        R"("subtitle":[])", R"("subtitle":1.50)", R"("Context":"x")", R"("Context":[{"a":1}])", R"("Context":7)",
        R"("Response":"x")", R"("Response":[1,2])", R"("Response":false)", R"("uuid":7)");
    CAPTURE(json);
    CHECK(members(json) == " extra={" + json + "}");
}

TEST_CASE("null says that a known field is absent", "[decoder]")
{
    for (auto const* name : {"uuid", "title", "subtitle", "progress", "cancellable", "userID", "Context", "Response"})
        CHECK(members(std::string("\"") + name + "\":null").empty());
    decoding d;
    CHECK(only_update(d, in_notification(R"({"event":"ended","uuid":"u","Activity":null})")) == "ended u type=");
    CHECK(only_update(d, in_notification(R"({"event":"ended","uuid":"u","Activity":{"type":null}})")) ==
          "ended u type=");
}

TEST_CASE("unknown fields of the entry and the activity are kept whole, numbers as they were written", "[decoder]")
{
    decoding d;
    CHECK(only_update(
              d, in_notification(
                     R"({"new":[1,{"a":null}],"event":"ended","uuid":"u","Activity":{"userStopped":true,"n":1.0e-2,)"
                     R"("big":123456789012345678901234567890,"none":null,"o":{"k":[ ]},"s":"x"},"last":-0})")) ==
          R"(ended u type= extra={"new":[1,{"a":null}],"userStopped":true,"n":1.0e-2,)"
          R"("big":123456789012345678901234567890,"none":null,"o":{"k":[]},"s":"x","last":-0})");
    CHECK(only_update(d, in_notification(R"({"event":"ended","uuid":"u","Activity":"scan"})")) ==
          R"(ended u type= extra={"Activity":"scan"})");
    d.list(R"({"MediaContainer":{"Activity":[{"uuid":"u","event":"ended","x":1},{"uuid":"v"}]}})");
    CHECK(d.updates == lines{R"(updated u type= extra={"event":"ended","x":1})", "updated v type="});
}

TEST_CASE("an event of an unknown name is an update that keeps the name", "[decoder]")
{
    decoding d;
    CHECK(only_update(d, in_notification(R"({"event":"paused","uuid":"u","Activity":{"type":"t"}})")) ==
          R"(updated u type=t extra={"event":"paused"})");
    CHECK(only_update(d, in_notification(R"({"event":"","uuid":"u"})")) == R"(updated u type= extra={"event":""})");
    CHECK(only_update(d, in_notification(R"({"event":"updated","uuid":"u"})")) == "updated u type=");
}

TEST_CASE("of members of one name the last counts", "[decoder]")
{
    CHECK(members(R"("title":"a","title":"b","progress":1,"progress":2)") == " title=b progress=2");
    CHECK(members(R"("Context":{"a":1},"Context":{"b":2})") == R"( context={"b":2})");
}

TEST_CASE("escapes are read in values and names, and written anew in kept JSON", "[decoder]")
{
    CHECK(members(R"("title":"a\"b\\c\/d\u00e9\ud83d\ude00")") == " title=a\"b\\c/d\xc3\xa9\xf0\x9f\x98\x80");
    CHECK(members(R"("ti\u0074le":"x","\u0070rogress":3)") == " title=x progress=3");
    CHECK(members(R"("Context":{"k\n\u0001":"\u001b\/\t\"\u00e9"})") ==
          " context={\"k\\n\\u0001\":\"\\u001b/\\t\\\"\xc3\xa9\"}");
    CHECK(members(R"("ne\"w":"\\","pl\u0061in":"\b\f\r")") == R"( extra={"ne\"w":"\\","plain":"\b\f\r"})");
    // Longer than the parser's own buffer for text with escapes, so it comes in parts.
    std::string const text(10'000, 'x');
    CHECK(members("\"Context\":{\"k\":\"\\n" + text + "\"}") == " context={\"k\":\"\\n" + text + "\"}");
    CHECK(members("\"\\u006e" + text + "\":\"" + text + "\\n\"") == " extra={\"n" + text + "\":\"" + text + "\\n\"}");
}

TEST_CASE("control and direction characters of a title stay in the value", "[decoder]")
{
    CHECK(members(R"("title":"\u001b[2J\u202egnp.exe\u0000")") == " title=\x1b[2J\xe2\x80\xae"
                                                                  "gnp.exe" +
                                                                      std::string(1, '\0'));
    CHECK(members("\"title\":\"\xe2\x80\xaex\"") == " title=\xe2\x80\xaex");
}

TEST_CASE("a name is known by all of it, however it is spelled", "[decoder]")
{
    CHECK(members(R"("title\":":"x","title\":\"y":"z","Title":1,"titl":2,"titles":3)") ==
          R"( extra={"title\":":"x","title\":\"y":"z","Title":1,"titl":2,"titles":3})");
    CHECK(members("\"title\\u0000\":4,\"\":5,\"\xef\xbf\xbdtitle\":6") ==
          " extra={\"title\\u0000\":4,\"\":5,\"\xef\xbf\xbdtitle\":6}");
}

TEST_CASE("a message of another type is checked no further, but for our key and its end", "[decoder]")
{
    decoding d;
    auto const result = [&d](std::string_view rest) {
        return d.notification(R"({"NotificationContainer":{"type":"playing",)" + std::string(rest)).result;
    };
    CHECK(result(R"("size":1,"PlaySessionStateNotification":[{"state":"playing"}]}})") == decoded::other);
    CHECK(result(R"("x":nonsense}})") == decoded::other);
    CHECK(result("\"x\":\"\xff\"}}") == decoded::other);
    CHECK(d.decoder.repaired_utf8() == 0);
    CHECK(result(R"("x":nonsense})") == decoded::malformed);
    CHECK(result(R"("x":nonsense,"ActivityNotification":[]}})") == decoded::malformed);
    CHECK(result(R"("x":[],"ActivityNotification":[{"event":"ended","uuid":"u"}]}})") == decoded::activities);
    CHECK(d.updates == lines{"ended u type="});
    CHECK(d.notification(R"({"NotificationContainer":{"type":"activity","x":nonsense}})").result == decoded::malformed);
    CHECK(d.notification(R"({"NotificationContainer":{"type":"activity.","x":1}})").result == decoded::other);
}

TEST_CASE("what a list says stands without its body when the decoder was given it", "[decoder]")
{
    protocol::decoder d;
    CHECK(take_list(d, R"({"MediaContainer":{"Activity":[{"uuid":"a","title":"x\ny"}]}})") == decoded::activities);
    REQUIRE(d.updates().size() == 1);
    CHECK(describe(d.updates()[0]) == "updated a type= title=x\ny");
    for (char const* const body : {"", "{}", "  ", "<xml/>"})
        CHECK(take_list(d, body) == decoded::malformed);
    CHECK(take_list(d, R"({"MediaContainer":{}})") == decoded::activities);
    CHECK(take_list(d, R"({"MediaContainer":{"Activity":{"uuid":"a"}}})") == decoded::activities);
    d.release();
    CHECK(d.updates().empty());
}

TEST_CASE("a list needs its container, and only that", "[decoder]")
{
    decoding d;
    CHECK(d.list(R"({"MediaContainer":{}})").result == decoded::activities);
    CHECK(d.list(R"({"MediaContainer":{"size":3,"Activity":null}})").result == decoded::activities);
    CHECK(d.list(R"({"MediaContainer":{"size":9,"Activity":[]}})").updates.empty());
    for (auto const* body : {"{}", R"({"MediaContainer":[]})", R"({"MediaContainer":null})", R"({"Activity":[]})",
                             R"({"x":{"MediaContainer":{}}})"}) {
        CHECK(d.list(body).result == decoded::malformed);
        CHECK(d.decoder.problem() == "JSON without a MediaContainer object");
    }
    CHECK(d.list(R"({"NotificationContainer":{"ActivityNotification":[]}})").result == decoded::malformed);
}

} // namespace plex::testing
