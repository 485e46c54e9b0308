#include "catch.hpp"
#include "refusal.hpp"

#include "protocol/base64.hpp"
#include "protocol/proxy.hpp"

using namespace plex;
using namespace plex::protocol;
using plex::testing::refusal;

TEST_CASE("base64 pads what is no multiple of three")
{
    // RFC 4648, 10
    CHECK(base64("") == "");
    CHECK(base64("f") == "Zg==");
    CHECK(base64("fo") == "Zm8=");
    CHECK(base64("foo") == "Zm9v");
    CHECK(base64("foobar") == "Zm9vYmFy");
    CHECK(base64("\xff\xfe\xfb") == "//77");
}

TEST_CASE("a proxy's URL is taken apart, its user and password decoded")
{
    proxy const plain = parse_proxy("http://Proxy.example:3128");
    CHECK(plain.host == "proxy.example");
    CHECK(plain.port == 3128);
    CHECK(plain.authorization == "");

    proxy const six = parse_proxy("http://[::1]:8080/");
    CHECK(six.host == "::1");
    CHECK(six.port == 8080);

    // RFC 7617, 2
    CHECK(parse_proxy("http://Aladdin:open%20sesame@p:1").authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(parse_proxy("http://me@p:1").authorization == "Basic " + base64("me:"));
    CHECK(parse_proxy("http://me:a:b%40c@p:1").authorization == "Basic " + base64("me:a:b@c"));
    CHECK(parse_proxy("http://me:a@b@p:1").host == "p"); // an '@' that is not encoded belongs to the password
}

TEST_CASE("a proxy's URL that cannot be used is refused, and nothing of it is repeated")
{
    for (char const* url :
         {"", "proxy:3128", "secret@proxy", "https://secret@proxy:3128", "http://secret@", "http://secret@proxy:0",
          "http://secret@proxy:99999", "http://secret@proxy/path", "http://secret@proxy?x", "http://a%3asecret:b@proxy",
          "http://secret%0d%0aX:b@proxy", "http://secret:%00@proxy", "socks5://secret@proxy:1", "http://se\rcret@proxy",
          "http://proxy/secret@other", "http://pr oxy/secret", "http://proxy\\secret@other", "http://secret@127.1"}) {
        INFO(url);
        std::string const why = refusal([&] { parse_proxy(url); });
        CHECK(why.find("config::proxy") != std::string::npos);
        CHECK(why.find("secret") == std::string::npos);
    }
}

TEST_CASE("a tunnel is asked for with the server's host and port, also the scheme's own, and with the credentials")
{
    CHECK(tunnel_bytes(parse_base_url("https://plex.example/base"), parse_proxy("http://p:1")) ==
          "CONNECT plex.example:443 HTTP/1.1\r\nHost: plex.example:443\r\n\r\n");
    CHECK(tunnel_bytes(parse_base_url("http://[::1]:32400"), parse_proxy("http://a:b@p:1")) ==
          "CONNECT [::1]:32400 HTTP/1.1\r\nHost: [::1]:32400\r\nProxy-Authorization: Basic YTpi\r\n\r\n");
}
