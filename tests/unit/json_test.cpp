#include "catch.hpp"

#include <plex/json.hpp>

#include <boost/json/serialize.hpp>

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

} // namespace plex
