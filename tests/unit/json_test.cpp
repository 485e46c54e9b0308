#include "catch.hpp"

#include <plex/json.hpp>

#include <boost/json/serialize.hpp>

#include <string>

namespace plex {

TEST_CASE("attributes become a JSON object with all their members", "[json]")
{
    auto const object =
        to_json(attributes(R"({"key":"/library/metadata/513","refreshed":false,"n":[1,{"x":null}]})", false));
    CHECK(object.at("key").as_string() == "/library/metadata/513");
    CHECK_FALSE(object.at("refreshed").as_bool());
    CHECK(boost::json::serialize(object.at("n")) == R"([1,{"x":null}])");
}

TEST_CASE("attributes that are not there become an empty object", "[json]")
{
    CHECK(to_json(attributes()).empty());
    CHECK(to_json(attributes("", true)).empty());
    CHECK(to_json(attributes("[1]", false)).empty());
    CHECK(to_json(attributes("{\"a\":", false)).empty());
}

TEST_CASE("of a text that is no object there is no member", "[json]")
{
    for (char const* text : {"", "[1]", "{\"a\":", "\"a\"", "7"})
        CHECK_FALSE(attributes(text, false).text("a"));
    CHECK(attributes(R"({"a":1,"a":"last"})", false).text("a") == "last");
}

TEST_CASE("an activity's text gives an equal activity, unknown fields and all", "[json]")
{
    std::string const text =
        R"({"uuid":"a\"b","type":"library.update.section","title":"Scanning é\u0001","subtitle":"x","cancellable":true,)"
        R"("progress":42,"userID":7,"Context":{"librarySectionID":"3","deep":[[{}]]},"Response":{"ok":1},"novel":{"n":[1]},"b":2})";
    std::optional<activity> const a = activity_from_json_text(text);
    REQUIRE(a);
    CHECK(a->uuid() == "a\"b");
    CHECK(a->type() == "library.update.section");
    CHECK(a->title() == "Scanning é\x01");
    CHECK(a->subtitle() == "x");
    CHECK(a->cancellable());
    CHECK(a->progress() == 42);
    CHECK(a->user_id() == 7);
    CHECK(a->context().text("librarySectionID") == "3");
    CHECK(a->response().text("ok") == "1");
    CHECK(a->extra().text("b") == "2");
    CHECK(to_json_text(*a) == text);
}

TEST_CASE("an activity of which little is known keeps what is not known", "[json]")
{
    std::optional<activity> const a = activity_from_json_text(R"({"uuid":"u"})");
    REQUIRE(a);
    CHECK_FALSE(a->progress());
    CHECK_FALSE(a->user_id());
    CHECK(a->context().empty());
    std::string const text = to_json_text(*a);
    CHECK(text == R"({"uuid":"u","type":"","title":"","subtitle":"","cancellable":false})");
    std::optional<activity> const again = activity_from_json_text(text);
    REQUIRE(again);
    CHECK(to_json_text(*again) == text);
}

TEST_CASE("a text that is no single activity gives none", "[json]")
{
    for (char const* text : {"", "{}", "7", "null", R"({"type":"t"})", R"({"uuid":"u")", R"({"uuid":"u"},{"uuid":"v"})",
                             R"({"uuid":"u"},{"type":"t"})", R"([{"uuid":"u"}])"}) {
        CAPTURE(text);
        CHECK_FALSE(activity_from_json_text(text));
    }
}

} // namespace plex
