#include "dashboard/access.hpp"

#include "catch.hpp"

#include <string>
#include <vector>

using namespace plex::dashboard;

TEST_CASE("a Host is ours when it is this machine's own name or a configured one, with any port")
{
    std::vector<std::string> const names{"plex.example", "192.168.1.2"};
    for (char const* const good : {"127.0.0.1", "127.0.0.1:8484", "localhost:1", "LocalHost", "[::1]", "[::1]:8484",
                                   "plex.example", "PLEX.example:443", "192.168.1.2:8484"})
        CHECK(host_is_ours(good, names));
    for (char const* const bad : {"",
                                  ":",
                                  ":80",
                                  "evil.example",
                                  "127.0.0.1.evil.example",
                                  "127.0.0.1:80.evil.example",
                                  "evil.example:8484",
                                  "localhost.",
                                  "127.0.0.1:",
                                  "127.0.0.1:x",
                                  "127.0.0.1:123456",
                                  "[::1",
                                  "::1",
                                  "[::1]x",
                                  "user@127.0.0.1",
                                  "127.0.0.1 ",
                                  "127.0.0.1,evil.example",
                                  "plex.example.evil",
                                  "xplex.example",
                                  "127.1"})
        CHECK_FALSE(host_is_ours(bad, names));
    CHECK_FALSE(host_is_ours("plex.example", {}));
}

TEST_CASE("an Origin is ours when it is the very host that was asked")
{
    CHECK(origin_is_ours("http://127.0.0.1:8484", "127.0.0.1:8484"));
    CHECK(origin_is_ours("https://Plex.example", "plex.example")); // a proxy before us speaks TLS
    for (char const* const bad :
         {"", "null", "http://", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8485",
          "http://127.0.0.1:8484/", "http://127.0.0.1:8484.evil.example", "ftp://127.0.0.1:8484", "127.0.0.1:8484"})
        CHECK_FALSE(origin_is_ours(bad, "127.0.0.1:8484"));
}

TEST_CASE("a secret is good when it is the whole one, and none is good where none is wanted")
{
    std::string const secret = "0123456789abcdef";
    CHECK(has_secret("Bearer " + secret, secret));
    CHECK(has_secret("bearer " + secret, secret));
    for (std::string const& bad : {std::string(), std::string("Bearer"), std::string("Bearer "), secret,
                                   "Basic " + secret, "Bearer " + secret + "0", "Bearer " + secret.substr(1),
                                   std::string("Bearer 0123456789abcdeF"), "Bearer  " + secret})
        CHECK_FALSE(has_secret(bad, secret));
    CHECK_FALSE(has_secret("Bearer ", ""));
    CHECK_FALSE(has_secret("", ""));
}
