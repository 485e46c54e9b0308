#include "calls_fixture.hpp"

// What a broken, hostile or misconfigured server sends ends in an error that says so: no crash, no hang, nothing kept.

using namespace plex;
using namespace plex::test;

namespace {

std::string with_length(std::string const& body, std::string const& type = "application/json")
{
    return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

std::string repeated(std::string const& text, int times)
{
    std::string all;
    for (int i = 0; i < times; ++i)
        all += text;
    return all;
}

/// Lists once from a server that answers with these bytes and closes; then once more, from the server as it should be.
error list_answered(std::string const& bytes, bool keep_open = false, std::size_t max_body = 8u << 20)
{
    call_scene s;
    s.settings.token = "sEcReT";
    s.settings.request_timeout = 5s;
    s.settings.max_body = max_body;
    s.server.reply_raw("/activities", bytes, keep_open);
    error failure;
    s.run([&]() -> asio::awaitable<void> {
        failure = co_await failure_of(s.client().get_server_activities());
        error const next = co_await failure_of(s.client().get_server_activities());
        CHECK(next.code() == error_code());
    });
    CHECK_FALSE(contains(failure.what(), "sEcReT"));
    if (failure.code()) {
        CHECK(contains(failure.what(), "listing the activities"));
        CHECK(contains(failure.what(), s.settings.url));
    }
    for (char const c : std::string_view(failure.what())) {
        bool const printable = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
        CHECK(printable);
    }
    return failure;
}

} // namespace

TEST_CASE("a body that is no list is a malformed reply")
{
    std::string const whole = R"({"MediaContainer":{"size":1,"Activity":[{"uuid":"a","type":"b"}]}})";
    std::vector<std::string> bodies = {
        "",
        " ",
        "null",
        "42",
        "\"text\"",
        "[]",
        "[1,2",
        "{",
        "}",
        "{\"MediaContainer\":",
        "{\"MediaContainer\":[]}",
        "{\"MediaContainer\":{}} trailing",

        "\xff\xfe\xfd",
        "not json",
        std::string("\0\0\0\0", 4),
        "<html><body>Plex</body></html>",
        "<?xml version=\"1.0\"?><MediaContainer size=\"1\"><Activity uuid=\"a\"/></MediaContainer>"};
    for (std::size_t size = 1; size < whole.size(); size += 7)
        bodies.push_back(whole.substr(0, size));
    for (std::string const& body : bodies) {
        INFO(body);
        error const failure = list_answered(with_length(body), true);
        INFO(failure.what());
        CHECK(failure.code() == errc::malformed_reply);
        CHECK_FALSE(is_retryable(failure.code()));
    }
}

TEST_CASE("of a body that is no list the beginning is in body_excerpt, and not in what()")
{
    error const failure = list_answered(with_length("a private title"));
    CHECK(failure.diagnostics().body_excerpt() == "a private title");
    CHECK_FALSE(contains(failure.what(), "private"));
}

TEST_CASE("an XML list says that it is XML")
{
    error const failure = list_answered(
        with_length("<?xml version=\"1.0\"?>\n<MediaContainer size=\"0\">\n</MediaContainer>\n", "text/xml"));
    CHECK(failure.code() == errc::malformed_reply);
    CHECK(contains(failure.what(), "XML"));
}

TEST_CASE("nesting without end is refused, or read over, and costs no stack")
{
    std::string const arrays = repeated("[", 10'000) + repeated("]", 10'000);
    std::string const objects = repeated("{\"a\":", 10'000) + "1" + repeated("}", 10'000);
    for (std::string const& deep : {arrays, objects}) {
        error const alone = list_answered(with_length(deep), true);
        CHECK(alone.code() == errc::malformed_reply);
        std::string const inside =
            R"({"MediaContainer":{"Activity":[{"uuid":"a","type":"t","Context":)" + deep + "}]}}";
        error const in_context = list_answered(with_length(inside), true);
        bool const known = in_context.code() == errc::malformed_reply || in_context.code() == error_code();
        CHECK(known);
        error const open = list_answered(with_length(repeated("[", 100'000)), true);
        CHECK(open.code() == errc::malformed_reply);
    }
}

TEST_CASE("fields of the wrong type cost no more than themselves")
{
    std::vector<std::string> const values = {
        "null",        "true", "17", "-1e999", "1e400",      "\"\"", "\"x\"",
        "\"\\ud800\"", "[]",   "{}", "[[]]",   "{\"a\":{}}", "1.5",  "99999999999999999999"};
    for (char const* field : {"type", "title", "subtitle", "progress", "cancellable", "userID", "Context", "Response"})
        for (std::string const& value : values) {
            std::string const body = std::string(R"({"MediaContainer":{"size":2,"Activity":[{"uuid":"a",")") + field +
                                     "\":" + value + R"(},{"uuid":"b","type":"t"}]}})";
            INFO(body);
            call_scene s;
            s.server.reply_raw("/activities", with_length(body), true);
            s.run([&]() -> asio::awaitable<void> {
                std::vector<activity> const list = co_await s.client().get_server_activities();
                REQUIRE(list.size() == 2);
                CHECK(list[0].uuid() == "a");
                CHECK(list[1].uuid() == "b");
            });
        }
}

TEST_CASE("an entry without a usable uuid is left out, the others stand")
{
    for (std::string const& uuid : {std::string("null"), std::string("17"), std::string("\"\""), std::string("[]"),
                                    "\"" + std::string(300, 'u') + "\""}) {
        std::string const body =
            R"({"MediaContainer":{"Activity":[{"uuid":)" + uuid + R"(,"type":"t"},{"uuid":"b","type":"t"},{}]}})";
        INFO(body);
        call_scene s;
        s.server.reply_raw("/activities", with_length(body), true);
        s.run([&]() -> asio::awaitable<void> {
            std::vector<activity> const list = co_await s.client().get_server_activities();
            REQUIRE(list.size() == 1);
            CHECK(list[0].uuid() == "b");
        });
    }
}

TEST_CASE("a body above the limit is refused, told in advance or not")
{
    std::string const list = R"({"MediaContainer":{"size":0}})";
    std::string const padded = std::string(5000, ' ') + list;
    error const announced = list_answered(with_length(padded), false, 4096);
    CHECK(announced.code() == errc::limit_exceeded);
    CHECK(contains(announced.what(), "max_body"));
    error const until_end = list_answered("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + padded, false, 4096);
    CHECK(until_end.code() == errc::limit_exceeded);
    error const in_chunks = list_answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" +
                                              std::string(5000, ' ') + "\r\n0\r\n\r\n",
                                          false, 4096);
    CHECK(in_chunks.code() == errc::limit_exceeded);
    error const claimed = list_answered("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx", true, 4096);
    CHECK(claimed.code() == errc::limit_exceeded);
    error const within = list_answered(with_length(padded), false, 8192);
    CHECK(within.code() == error_code());
}

TEST_CASE("a length that lies is found out, either way")
{
    std::string const list = R"({"MediaContainer":{"size":0}})";
    // Too long: the connection ends before the body does.
    error const too_long = list_answered("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + list);
    CHECK(too_long.code() == errc::connection_failed);
    CHECK(contains(too_long.what(), "receiving the reply"));
    // Too short: the body is cut, what follows is nobody's, and the connection is not used again.
    error const too_short = list_answered("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + list, true);
    CHECK(too_short.code() == errc::malformed_reply);
    for (char const* length : {"-1", "abc", "10, 20", "0x10", "99999999999999999999999", ""}) {
        INFO(length);
        error const failure =
            list_answered("HTTP/1.1 200 OK\r\nContent-Length: " + std::string(length) + "\r\n\r\n" + list);
        CHECK(failure.code() == errc::malformed_reply);
    }
    error const two = list_answered("HTTP/1.1 200 OK\r\nContent-Length: 29\r\nContent-Length: 3\r\n\r\n" + list);
    CHECK(two.code() == errc::malformed_reply);
    error const both = list_answered(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\n" + list + "\r\n0\r\n\r\n");
    bool const sane = both.code() == errc::malformed_reply || both.code() == error_code();
    CHECK(sane);
}

TEST_CASE("a chunked reply is read, a broken one is an error")
{
    std::string const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    error const good =
        list_answered(head + "1\r\n{\r\n1c;x=y\r\n\"MediaContainer\":{\"size\":0}}\r\n0\r\nX-A: b\r\n\r\n", true);
    CHECK(good.code() == error_code());
    error const no_number = list_answered(head + "zz\r\n{}\r\n0\r\n\r\n");
    CHECK(no_number.code() == errc::malformed_reply);
    error const no_end = list_answered(head + "1\r\n{}}}}}\r\n");
    CHECK(no_end.code() == errc::malformed_reply);
    error const cut = list_answered(head + "1d\r\n{\"Media");
    CHECK(cut.code() == errc::connection_failed);
    error const huge = list_answered(head + "fffffffffffffffff\r\n{}");
    bool const refused = huge.code() == errc::malformed_reply || huge.code() == errc::limit_exceeded;
    CHECK(refused);
}

TEST_CASE("a reply that stops anywhere is a lost connection")
{
    std::string const whole = with_length(R"({"MediaContainer":{"size":0}})");
    for (std::size_t size = 0; size < whole.size(); size += 5) {
        INFO(size);
        error const failure = list_answered(whole.substr(0, size));
        CHECK(failure.code() == errc::connection_failed);
        CHECK(is_retryable(failure.code()));
    }
}

TEST_CASE("a header without end is refused at its limit")
{
    for (std::string const& line : {"X: " + std::string(200'000, 'x'), repeated("X-A: b\r\n", 20'000)}) {
        error const failure = list_answered("HTTP/1.1 200 OK\r\n" + line, true);
        CHECK(failure.code() == errc::limit_exceeded);
        CHECK(contains(failure.what(), "max_header"));
    }
}

TEST_CASE("what is no HTTP is a malformed reply")
{
    for (std::string const& bytes :
         {std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("\x15\x03\x01\x00\x02\x02\x46", 7),
          std::string("HTTP/9.9 200 OK\r\n\r\n"), std::string("HTTP/1.1 abc OK\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nbroken header\r\n\r\n"), std::string("\r\n\r\n\r\n\r\n"),
          std::string(64, '\0')}) {
        INFO(bytes);
        error const failure = list_answered(bytes);
        INFO(failure.what());
        CHECK(failure.code() == errc::malformed_reply);
        CHECK(contains(failure.what(), "does not speak HTTP"));
    }
}

TEST_CASE("a reply is read however it is cut into pieces")
{
    std::string const answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "1d\r\n{\"MediaContainer\":{\"size\":0}}\r\n0\r\n\r\n";
    call_scene s;
    raw_server odd(s.io);
    s.settings.url = odd.url();
    s.run([&]() -> asio::awaitable<void> {
        std::optional<started> call;
        call.emplace(s.client().get_executor(), s.client().get_server_activities());
        co_await odd.accept();
        odd.socket().set_option(asio::ip::tcp::no_delay(true));
        for (int round = 0; round < 3; ++round) {
            if (round > 0)
                call.emplace(s.client().get_executor(), s.client().get_server_activities());
            std::string const head = co_await odd.read_head();
            CHECK(contains(head, "GET /activities"));
            for (char const c : answer) {
                co_await odd.write(std::string(1, c));
                co_await asio::post(s.client().get_executor(), asio::use_awaitable);
            }
            error const outcome = co_await call->result();
            CHECK(outcome.code() == error_code());
        }
    });
}

TEST_CASE("a server that pours interim replies is bounded by max_header")
{
    call_scene s;
    raw_server odd(s.io);
    s.settings.url = odd.url();
    s.run([&]() -> asio::awaitable<void> {
        started call(s.client().get_executor(), s.client().get_server_activities());
        co_await odd.accept();
        std::string interim;
        while (interim.size() < 70'000)
            interim += "HTTP/1.1 102 Processing\r\n\r\n";
        co_await odd.write(interim);
        error const failure = co_await call.result();
        CHECK(failure.code() == errc::limit_exceeded);
    });
}

TEST_CASE("a server that goes on with interim replies is bounded by the request's time")
{
    call_scene s;
    raw_server odd(s.io);
    s.settings.url = odd.url();
    s.settings.max_header = std::size_t{1} << 30;
    s.settings.request_timeout = 100ms;
    s.run([&]() -> asio::awaitable<void> {
        started call(s.client().get_executor(), s.client().get_server_activities());
        co_await odd.accept();
        while (!call.done()) {
            boost::system::error_code ec;
            std::string const interim = "HTTP/1.1 102 Processing\r\n\r\n";
            co_await odd.socket().async_write_some(asio::buffer(interim),
                                                   asio::redirect_error(asio::use_awaitable, ec));
            co_await asio::post(s.client().get_executor(), asio::use_awaitable);
        }
        error const late = co_await call.result();
        CHECK(late.code() == errc::timeout);
    });
}
