#include "catch.hpp"
#include "child_process.hpp"
#include "chosen_seed.hpp"
#include "hex.hpp"

#include "protocol/base64.hpp"
#include "protocol/proxy.hpp"
#include "protocol/request_target.hpp"
#include "protocol/request_text.hpp"
#include "protocol/utf8.hpp"

#include <plex/error.hpp>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>

// Base URLs and proxies as node's URL (WHATWG's standard) and Python's urllib.parse (RFC 3986, leniently) read them,
// and what is sent because of them as Python's http.server reads it. What we let pass means the same to all three. We
// refuse more than they do: see `parse_base_url`. What we let pass and another refuses is in `refused_by_node` and
// `refused_by_python`.

namespace plex::test {
namespace {

namespace json = boost::json;

constexpr std::string_view secret = "S3CRET";

/// Random URLs, of which about half can be used.
class urls
{
public:
    explicit urls(std::uint32_t seed) : random_(seed) {}

    std::string base()
    {
        std::string const user_info = below(12) == 0 ? user() + "@" : "";
        return spoiled(scheme() + "://" + user_info + host() + port() + path() + query(12));
    }
    std::string proxy()
    {
        std::string const user_info = below(4) != 0 ? user() + "@" : "";
        std::string const behind = below(8) == 0 ? path() : below(4) == 0 ? "/" : "";
        return spoiled(scheme() + "://" + user_info + host() + port() + behind + query(30));
    }

private:
    std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
    template <std::size_t N>
    std::string one_of(std::array<char const*, N> const& all)
    {
        return all[below(N)];
    }
    std::string some(std::string_view alphabet, std::size_t most)
    {
        std::string out;
        for (std::size_t n = below(most + 1); n != 0; --n)
            out += alphabet[below(alphabet.size())];
        return out;
    }
    std::string number(unsigned below_this) { return std::to_string(below(below_this)); }

    std::string scheme()
    {
        if (below(20) == 0)
            return one_of(std::array{"ftp", "ws", "", "http:", "httpss", "file"});
        return one_of(std::array{"http", "http", "https", "HTTP", "hTTps"});
    }
    std::string host()
    {
        switch (below(8)) {
        case 0: { // of a Plex certificate
            std::string const digits = "0123456789abcdef";
            std::string name = number(256) + "-" + number(256) + "-" + number(256) + "-" + number(256) + ".";
            for (int i = 0; i != 32; ++i)
                name += digits[below(16)];
            return name + (below(4) == 0 ? ".Plex.Direct" : ".plex.direct");
        }
        case 1:
            return number(300) + "." + number(260) + "." + number(260) + "." + number(260) + (below(6) == 0 ? "." : "");
        case 2:
            return one_of(std::array{"127.1", "0x7f.0.0.1", "017.0.0.1", "2130706433", "1.2.3.04", "plex.1", "1.plex",
                                     "plex.0x", "a.0X1", "1.2.3.4.5", "0xplex", "1e3", "..", ".", "plex.", "-"});
        case 3: {
            std::string text = "[";
            for (std::size_t n = 1 + below(8); n != 0; --n)
                text += some("0123456789abcdefABCDEF", 4) + (n == 1 ? "" : ":");
            if (below(4) == 0)
                text += ":" + number(256) + "." + number(256) + "." + number(256) + "." + number(300);
            return text + (below(10) == 0 ? "%25eth0]" : "]");
        }
        case 4:
            return "[" +
                   one_of(std::array{"::", "::1", "1::", "2001:DB8::7", "::ffff:1.2.3.4", "fe80::1%25lo", "v1.x",
                                     "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "0:0::0:0", "1::2::3"}) +
                   "]";
        case 5:
            return one_of(
                std::array{"xn--nxasmq6b", "xn--a", "XN--", "plex.xn--99999", "ab--c", "a_b", "plex.example"});
        case 6:
            return some("abcXYZ019-._~!$&'()*+,;=", 12);
        default:
            return "plex" + some("abcxyz-", 6) + (below(2) == 0 ? ".example" : "");
        }
    }
    std::string port()
    {
        switch (below(6)) {
        case 0:
            return "";
        case 1:
            return ":" +
                   one_of(std::array{"", "0", "80", "443", "00080", "65535", "65536", "99999", "+1", "1a", "1:2"});
        default:
            return ":" + number(66'000);
        }
    }
    std::string path()
    {
        std::string out;
        for (std::size_t n = below(4); n != 0; --n) {
            out += "/";
            out += below(6) == 0
                       ? one_of(std::array{"", ".", "..", "%2e", "%2E.", "a%2fb", "%zz", "X-Plex-Token=", "@h"})
                       : some("abcXYZ019-._~!$&'()*+,;=:@", 6);
        }
        return out + (below(4) == 0 ? "/" : "");
    }
    std::string query(std::size_t seldom)
    {
        return below(seldom) == 0 ? one_of(std::array{"?X-Plex-Token=S3CRET", "#S3CRET", "?", "#"}) : std::string();
    }
    std::string user()
    {
        std::string out = some("abcXYZ019-._~!$&'()*+,;=", 6);
        if (below(8) == 0)
            out +=
                one_of(std::array{"%40", "%3A", "%0d%0a", "%00", "%zz", "%", "@", "\\", "/", " ", "\xc3\xa4", "%ff"});
        if (below(8) != 0)
            out += ":" + std::string(secret) + some(":@%&+", 2);
        return out;
    }
    /// With a character more, less or another one, now and then.
    std::string spoiled(std::string url)
    {
        static constexpr std::string_view nasty("\t\r\n\0 \x7f\\@:/?#[]%|^<>{}\"`.x1", 27);
        while (below(4) == 0 && !url.empty()) {
            std::size_t const at = below(url.size());
            std::size_t const how = below(4);
            if (how != 3)
                url.erase(at, how == 0 ? 1 : 0);
            if (how == 1)
                url.insert(at, 1, nasty[below(nasty.size())]);
            else if (how == 2)
                url[at] = nasty[below(nasty.size())];
            else if (how == 3)
                url.insert(at, "\xc3\xa9");
        }
        return url;
    }

    std::mt19937 random_;
};

/// What we make of a URL: what the others are to read, and what is sent because of it.
struct reading {
    bool accepted = false;
    protocol::base_url url;   // of a proxy, too
    std::string credentials;  // of a proxy: user:password
    std::string request;      // what goes to the server or the proxy, and
    std::string request_line; // its beginning
};

reading read_base(std::string const& text)
{
    reading r;
    r.url = protocol::parse_base_url(text);
    r.request = protocol::request_bytes(r.url, "", "", request("GET", "/activities"));
    r.request_line = "GET " + r.url.path + "/activities";
    r.accepted = true;
    return r;
}

reading read_proxy(std::string const& text)
{
    static protocol::base_url const server = protocol::parse_base_url("https://plex.example:32400");
    reading r;
    protocol::proxy const by = protocol::parse_proxy(text);
    r.url.host = by.host;
    r.url.port = by.port;
    r.request = protocol::tunnel_bytes(server, by);
    r.request_line = "CONNECT plex.example:32400";
    r.credentials = by.authorization;
    r.accepted = true;
    return r;
}

std::string text_of(json::value const& v)
{
    return std::string(v.as_string().data(), v.as_string().size());
}

/// An address in one form of many.
std::string same_form(std::string const& host)
{
    in6_addr address{};
    char form[INET6_ADDRSTRLEN];
    if (host.find(':') == std::string::npos || ::inet_pton(AF_INET6, host.c_str(), &address) != 1)
        return host;
    return ::inet_ntop(AF_INET6, &address, form, sizeof form);
}

std::string without_slashes_behind(std::string path)
{
    while (path.ends_with('/'))
        path.pop_back();
    return path;
}

/// node looks into names of other scripts, which are a resolver's business.
bool refused_by_node(std::string const& host)
{
    return host.starts_with("xn--") || host.find(".xn--") != std::string::npos;
}

/// Python looks for an IPv6 address in brackets before it looks for the user.
bool refused_by_python(std::string_view url)
{
    std::string_view const user_info = url.substr(0, url.rfind('@') + 1);
    return user_info.find_first_of("[]") != std::string_view::npos;
}

void check_same(reading const& ours, json::array const& theirs)
{
    CHECK(text_of(theirs[0]) == (ours.url.tls ? "https" : "http"));
    CHECK(same_form(text_of(theirs[1])) == same_form(ours.url.host));
    CHECK(theirs[2].to_number<int>() == ours.url.port);
    CHECK(without_slashes_behind(text_of(theirs[3])) == ours.url.path);
    // None at all is an empty user with an empty password to the others.
    std::string const credentials = from_hex(text_of(theirs[4])) + ":" + from_hex(text_of(theirs[5]));
    CHECK(
        (ours.credentials.empty() ? credentials == ":" : ours.credentials == "Basic " + protocol::base64(credentials)));
}

void check_one_request(reading const& ours, json::array const& theirs)
{
    CHECK(text_of(theirs[0]) + " " + text_of(theirs[1]) == ours.request_line);
    CHECK(text_of(theirs[3]).empty()); // nothing behind it
    std::vector<std::string> names;
    for (json::value const& header : theirs[2].as_array()) {
        names.push_back(text_of(header.as_array()[0]));
        std::string const value = text_of(header.as_array()[1]);
        if (names.back() == "Host")
            CHECK(value == (ours.request_line.starts_with("GET") ? ours.url.host_header() : "plex.example:32400"));
        else if (names.back() == "Proxy-Authorization")
            CHECK(value == ours.credentials);
    }
    std::vector<std::string> const of_a_tunnel = {"Host", "Proxy-Authorization"};
    if (ours.request_line.starts_with("GET"))
        CHECK(names == std::vector<std::string>{"Host", "Accept"});
    else
        CHECK(names == std::vector<std::string>(of_a_tunnel.begin(), of_a_tunnel.end() - ours.credentials.empty()));
}

std::vector<json::value> said_by(std::string const& program, std::string const& script, std::string const& file)
{
    std::vector<json::value> said;
    for (std::string const& line :
         lines_of(find_program(program) + " " PLEX_TEST_DATA "/../integration/" + script + " '" + file + "'"))
        said.push_back(json::parse(line));
    return said;
}

void compare(std::function<std::string(urls&)> const& make, reading (*read)(std::string const&))
{
    std::uint32_t const seed = chosen_seed();
    INFO("PLEX_TEST_SEED=" << seed << " runs the same again");
    urls random(seed);
    std::size_t const count = std::getenv("PLEX_TEST_LONG") ? 200'000 : 5'000;
    std::vector<std::string> texts;
    std::vector<reading> ours;
    json::array to_others;
    std::size_t accepted = 0;
    for (std::size_t i = 0; i != count; ++i) {
        texts.push_back(make(random));
        INFO(texts.back());
        reading r;
        try {
            r = read(texts.back());
        } catch (error const& e) {
            REQUIRE(e.code() == errc::invalid_argument);
            REQUIRE(std::string_view(e.what()).find(secret) == std::string_view::npos);
        }
        accepted += r.accepted ? 1 : 0;
        to_others.push_back(json::array{json::string(to_hex(texts.back())), json::string(to_hex(r.request))});
        ours.push_back(std::move(r));
    }
    CHECK(accepted > count / 5);
    CHECK(accepted < count * 4 / 5); // else it was not hostile enough

    temporary_folder const folder;
    std::string const file = folder / "urls.json";
    std::ofstream(file) << json::serialize(to_others);
    std::vector<json::value> const node = said_by("node", "url_reader.js", file);
    std::vector<json::value> const python = said_by("python3", "url_reader.py", file);
    REQUIRE(node.size() == count);
    REQUIRE(python.size() == count);
    for (std::size_t i = 0; i != count; ++i) {
        if (!ours[i].accepted || !protocol::valid_utf8(texts[i])) // the others know text alone
            continue;
        INFO(texts[i] << "\n  node: " << node[i] << "\n  python: " << python[i]);
        if (node[i].is_array()) {
            check_same(ours[i], node[i].as_array());
            if (read == read_base)
                CHECK(node[i].as_array()[6].as_int64() == (!ours[i].url.host_is_ip                           ? 0
                                                           : ours[i].url.host.find(':') == std::string::npos ? 4
                                                                                                             : 6));
        } else {
            CHECK(refused_by_node(ours[i].url.host));
        }
        json::array const& of_python = python[i].as_array();
        if (of_python[0].is_array())
            check_same(ours[i], of_python[0].as_array());
        else
            CHECK(refused_by_python(texts[i]));
        REQUIRE(of_python[1].is_array());
        check_one_request(ours[i], of_python[1].as_array());
    }
}

} // namespace

TEST_CASE("a base URL that is accepted means to node and Python what it means to us; one that is not is not repeated")
{
    compare([](urls& random) { return random.base(); }, read_base);
}

TEST_CASE("a proxy that is accepted means to node and Python what it means to us; one that is not is not repeated")
{
    compare([](urls& random) { return random.proxy(); }, read_proxy);
}

} // namespace plex::test
