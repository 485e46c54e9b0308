#include "services/config_file.hpp"

#include "scratch.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

using namespace plex::service;
using plex::test::scratch;

namespace {

std::string complaint(std::string const& path)
{
    try {
        config_file const read(path);
    } catch (config_error const& e) {
        return e.what();
    }
    return "nothing";
}

std::string complaint(std::string const& content, mode_t mode)
{
    scratch const folder;
    std::string const path = folder.file("config.json", content, mode);
    std::string text = complaint(path);
    if (text != "nothing") {
        REQUIRE(text.starts_with(path + ": "));
        text = text.substr(path.size() + 2);
    }
    return text;
}

char broken(std::mt19937& random)
{
    std::string const of_json = R"({}[]":,\x)";
    return random() % 4 != 0 ? of_json[random() % of_json.size()] : static_cast<char>(random() % 256);
}

} // namespace

TEST_CASE("a server has a URL, and what else the file says of it")
{
    scratch const folder;
    folder.file("token", "first-token\n");
    folder.file("ca.pem", "PEM");
    setenv("PLEX_SERVICES_TEST", "second-token", 1);
    config_file const read(folder.file("config.json", R"({"servers": [
        {"name": "living room", "url": "https://a.example:32400", "token_file": "token", "ca_file": "ca.pem",
         "types": ["library.", "butler"], "context": {"librarySectionID": "3"}},
        {"url": "http://127.0.0.1:32400", "token_environment": "PLEX_SERVICES_TEST"},
        {"name": "third", "url": "http://b", "token": "third-token"},
        {"name": "open", "url": "http://c"}]})"));
    unsetenv("PLEX_SERVICES_TEST");
    std::vector<server_settings> const& s = read.servers();
    REQUIRE(s.size() == 4);
    CHECK(s[0].name == "living room");
    CHECK(s[0].config().url == "https://a.example:32400");
    CHECK(s[0].config().token == "first-token");
    CHECK(s[0].config().tls.ca_pem == "PEM");
    CHECK(s[0].filter().types() == std::vector<std::string>{"library.", "butler"});
    REQUIRE(s[0].filter().contexts().size() == 1);
    CHECK(s[0].filter().contexts()[0] == std::pair<std::string, std::string>("librarySectionID", "3"));
    CHECK(s[1].name == "127.0.0.1:32400");
    CHECK(s[1].token == "second-token");
    CHECK(s[2].token == "third-token");
    CHECK(s[3].token.empty());
    CHECK(s[3].filter().empty());
}

TEST_CASE("what is wrong with the file is told with file, place and remedy")
{
    auto const of = [](std::string const& content) { return complaint(content, 0600); };
    CHECK(of(R"({"servers": [{"url": "http://a"}]})") == "nothing");
    CHECK(of("") == "line 1, column 1: this is no JSON (incomplete JSON): strings and names in double quotes, no comma "
                    "after the last member");
    CHECK(of("{\n  \"servers\": [],\n}").starts_with("line 3, column 1: this is no JSON ("));
    CHECK(of("{} {}").starts_with("line 1, column "));
    CHECK(of("[]") == "has to be an object: {…}");
    CHECK(of("{}").starts_with("names no servers: \"servers\": [{"));
    CHECK(of(R"({"servers": []})").starts_with("servers: has none: [{"));
    CHECK(of(R"({"servers": {}})") == "servers: has to be an array: […]");
    CHECK(of(R"({"server": []})") == "server: is not known here; known are servers, dashboard, relay, mqtt");
    CHECK(of(R"({"servers": [{"url": "http://a"}, 7]})") == "servers[1]: has to be an object: {…}");
    CHECK(of(R"({"servers": [{"name": "a"}]})") == "servers[0]: has no \"url\": \"http://host:32400\"");
    CHECK(of(R"({"servers": [{"url": 7}]})") == "servers[0].url: has to be a string that is not empty: \"…\"");
    CHECK(of(R"({"servers": [{"url": "http://a", "tokn": "x"}]})")
              .starts_with("servers[0].tokn: is not known here; known are name, url, token, "));
    CHECK(of(R"({"servers": [{"url": "http://a"}, {"url": "http://a"}]})") ==
          "servers[1]: has the same name as servers[0]: give one of them another \"name\"");
    CHECK(of(R"({"servers": [{"url": "http://a", "token": "x", "token_file": "y"}]})") ==
          "servers[0]: has more than one of \"token\", \"token_file\" and \"token_environment\": keep one");
    CHECK(of(R"({"servers": [{"url": "http://a", "token_environment": "PLEX_SURELY_UNSET"}]})") ==
          "servers[0].token_environment: names a variable that the environment does not have: export it, or give a "
          "\"token_file\"");
    CHECK(of(R"({"servers": [{"url": "http://a", "types": ["library.", ""]}]})") ==
          "servers[0].types[1]: has to be a string that is not empty: \"…\"");
    CHECK(of(R"({"servers": [{"url": "http://a", "token_file": "nowhere"}]})").find("servers[0].token_file: ") == 0);
    CHECK(of(R"({"servers": [{"url": "http://a", "ca_file": "nowhere"}]})").find("servers[0].ca_file: ") == 0);
    CHECK(complaint("/surely/nowhere.json") == "/surely/nowhere.json: cannot be opened: No such file or directory");
    CHECK(complaint("/tmp").starts_with("/tmp: cannot be read: "));
}

TEST_CASE("a token is not taken from a file that others may read, and no value of the file is repeated")
{
    std::string const content = R"({"servers": [{"url": "http://a", "token": "xyzzy-S3CRET"}]})";
    CHECK(complaint(content, 0600) == "nothing");
    CHECK(complaint(content, 0640) ==
          "servers[0].token: stands in a file that others may read: chmod 600 that, or give a "
          "\"token_file\"");
    CHECK(complaint(content, 0604).starts_with("servers[0].token: stands in a file that others may read"));
    CHECK(complaint(R"({"servers": [{"url": "http://a"}]})", 0644) == "nothing");

    scratch const folder;
    folder.file("token", "xyzzy-S3CRET", 0644);
    std::string const open =
        complaint(folder.file("c.json", R"({"servers": [{"url": "http://a", "token_file": "token"}]})"));
    CHECK(open.find("token is open to others: chmod 600 it") != open.npos);

    std::string const secret = "xyzzy-S3CRET";
    for (char const* const bad :
         {R"({"servers": [{"url": ["SECRET"]}]})", R"({"servers": [{"url": "http://a", "types": "SECRET"}]})",
          R"({"servers": [{"url": "http://a", "token_environment": "SECRET"}]})", R"({"servers": "SECRET"})",
          R"({"servers": [{"url": "http://SECRET@a", "token": "x", "token_file": "SECRET"}]})",
          R"({"servers": [{"url": "http://a", "token": "SECRET",}]})", R"("SECRET")"}) {
        std::string text = bad;
        text.replace(text.find("SECRET"), 6, secret);
        std::string const said = complaint(text, 0600);
        CHECK(said != "nothing");
        CHECK(said.find(secret) == said.npos);
    }
}

TEST_CASE("whatever is in the file, it is read or refused in one safe line")
{
    std::uint32_t const seed = std::random_device()();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    std::string const good = R"({"servers": [{"name": "a\u001b[2J", "url": "http://a", "context": {"k": "v"}}], )"
                             R"("dashboard": {"listen": "127.0.0.1:1"}})";
    scratch const folder;
    for (int i = 0; i < 300; ++i) {
        std::string text = good;
        for (int changes = 1 + static_cast<int>(random() % 4); changes > 0; --changes)
            text[random() % text.size()] = broken(random);
        std::string const said = complaint(folder.file("c.json", text));
        for (char const c : said)
            CHECK((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
    }
}

TEST_CASE("an address to listen on has a port, and an IPv6 one brackets")
{
    auto const of = [](std::string const& text) {
        return listen_address(*config_value("f", "{\"listen\": \"" + text + "\"}").find("listen"));
    };
    CHECK(of("127.0.0.1:8484").address().to_string() == "127.0.0.1");
    CHECK(of("127.0.0.1:8484").port() == 8484);
    CHECK(of("[::1]:0").address().to_string() == "::1");
    for (char const* const bad : {"8484", "127.0.0.1", "localhost:8484", "::1:8484", "[127.0.0.1]:1",
                                  "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1x", "[]:1"}) {
        INFO(bad);
        CHECK_THROWS_WITH(of(bad), "f: listen: has to be an address and a port: \"127.0.0.1:8484\" or \"[::1]:8484\"");
    }
}

TEST_CASE("settings are equal wherever they stand, and not when anything else differs")
{
    scratch const folder;
    folder.file("token", "one");
    auto const read = [&](std::string const& servers) {
        return config_file(folder.file("c.json", "{\"servers\": [" + servers + "]}")).servers();
    };
    std::string const one = R"({"name": "n", "url": "http://a", "token_file": "token"})";
    server_settings const s = read(one)[0];
    CHECK(s == read(R"({"name": "other", "url": "http://b"}, )" + one)[1]);
    CHECK_FALSE(s == read(R"({"name": "n", "url": "http://b", "token_file": "token"})")[0]);
    CHECK_FALSE(s == read(R"({"name": "n", "url": "http://a", "token_file": "token", "types": ["a"]})")[0]);
    folder.file("token", "two");
    CHECK_FALSE(s == read(one)[0]);
}
