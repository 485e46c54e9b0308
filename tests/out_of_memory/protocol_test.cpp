#include "failing_allocator.hpp"

#include "unit/decoding.hpp"

#include "protocol/event_stream_framer.hpp"
#include "protocol/json_text.hpp"
#include "protocol/proxy.hpp"
#include "protocol/request_target.hpp"
#include "protocol/request_text.hpp"
#include "protocol/server_reply.hpp"
#include "protocol/utf8.hpp"
#include "protocol/websocket_framer.hpp"
#include "protocol/websocket_handshake.hpp"

#include <plex/error.hpp>

#include <array>

namespace plex::testing {
namespace {

using namespace protocol;

std::string const long_text(300, 'x');

// In memory that a message may be read from.
struct message_bytes {
    explicit message_bytes(std::string text) : bytes(std::move(text)), size(bytes.size()) { bytes.append(16, '\0'); }
    std::span<char> span() { return {bytes.data(), size}; }
    std::string bytes;
    std::size_t size;
};

// Everything for which a decoder takes memory: entries, bad bytes, white space, escapes, unknown members.
std::string const entries =
    R"({"event":"ended","uuid":"a","Activity":{"type":"t","new":[1, 2],"Context":{"k":"\u0031"}}},)"
    R"({"event":"updated","uuid":"b","Activity":{"type":"t","title":")" +
    std::string("caf\xe9 \\ud800") + long_text + R"(","Response": { "a" : 1 }, "more":"\n"}})";
std::string const full = R"({"NotificationContainer":{"type":"activity","ActivityNotification":[)" + entries + "]}}";
std::string const list = R"({"MediaContainer":{"Activity":[{"uuid":"a","x":1},{"uuid":"b","title":"caf)" +
                         std::string("\xe9") + R"(","Context": { "k":"\n"}}]}})";

} // namespace

TEST_CASE("a decoder that ran out of memory reads the next message as ever")
{
    std::vector<std::string> expected;
    {
        decoder d;
        message_bytes text(full);
        d.notification(text.span());
        for (auto const& u : d.updates())
            expected.push_back(describe(u));
        REQUIRE(expected.size() == 2);
    }
    auto const check = [&](decoder& d) {
        message_bytes again(full);
        must(d.notification(again.span()) == decoded::activities);
        std::vector<std::string> got;
        for (auto const& u : d.updates())
            got.push_back(describe(u));
        must(got == expected);
        must(d.malformed_entries() == 0);
        must(d.repaired_utf8() == 2);
    };
    at_every_allocation([&](shortage& s) {
        decoder d;
        message_bytes text(full);
        s.survives([&] { d.notification(text.span()); });
        check(d);
    });
    at_every_allocation([&](shortage& s) {
        decoder d;
        message_bytes text(list);
        s.survives([&] { d.list(text.span()); });
        check(d);
    });
    at_every_allocation([&](shortage& s) {
        decoder d;
        auto body = std::make_unique<char[]>(list.size() + 16);
        std::copy(list.begin(), list.end(), body.get());
        std::span<char> const text(body.get(), list.size());
        s.survives([&] { d.take_list(std::move(body), text); });
        check(d);
    });
    at_every_allocation([&](shortage& s) { // what a large one took is given back on the way
        decoder d;
        message_bytes large(R"({"MediaContainer":{"x":")" + std::string(70'000, 'x') + "\"}}");
        d.list(large.span());
        message_bytes text(full);
        s.survives([&] { d.notification(text.span()); });
        message_bytes again(full);
        must(d.notification(again.span()) == decoded::activities);
    });
    at_every_allocation([](shortage& s) { s.survives([] { decoder{}; }); });
}

TEST_CASE("a WebSocket framer that ran out of memory refuses the message and all that follows")
{
    std::string const part(200, 'p');
    std::string const frames = std::string("\x01\x7e\0\xc8", 4) + part + std::string("\x89\x02hi", 4) +
                               std::string("\x80\x7e\0\xc8", 4) + part + "\x81\x03" + "end";
    std::string const expected = "2 hi\n1 " + part + part + "\n1 end\n";
    at_every_allocation([&](shortage& s) {
        websocket_framer framer(1000);
        std::string got;
        got.reserve(1000);
        bool failed = false;
        for (std::size_t from = 0; from < frames.size() && !failed; from += 150) {
            message_bytes piece(frames.substr(from, 150));
            framer.feed(piece.span());
            must(s.survives([&] {
                for (;;) {
                    auto const item = framer.next();
                    failed = item.what == websocket_event::message_too_big;
                    if (item.what == websocket_event::need_more || failed)
                        break;
                    got += static_cast<char>('0' + static_cast<int>(item.what));
                    got.append(" ").append(item.payload.data(), item.payload.size()).append("\n");
                }
            }));
        }
        must((failed ? expected.starts_with(got) : got == expected));
        must(framer.memory() == 0);
        if (failed)
            must(framer.fault() == "there is no memory for a message");
    });
    at_every_allocation([&](shortage& s) {
        std::string out = "before";
        bool const done = s.survives([&] { append_frame(out, opcode::text, long_text, {1, 2, 3, 4}); });
        must(out.size() == 6 + (done ? 8 + long_text.size() : out.size() - 6));
        must(out.starts_with("before"));
    });
    at_every_allocation([&](shortage& s) { s.survives([&] { close_payload(1001, long_text); }); });
}

TEST_CASE("an event-stream framer that ran out of memory refuses the event and all that follows")
{
    std::string const stream = "id: " + long_text + "\nevent: " + long_text + "\ndata: one\ndata: " + long_text +
                               "\n\nevent: activity\ndata: {}\n\n";
    std::string const expected = long_text + " " + "one\n" + long_text + "\nactivity {}\n";
    for (std::size_t const cut : {stream.size(), std::size_t{100}, std::size_t{400}, std::size_t{700}}) {
        at_every_allocation([&](shortage& s) {
            event_stream_framer framer(2000);
            std::string got;
            got.reserve(2000);
            bool failed = false;
            auto const read = [&](std::string_view text) {
                message_bytes piece{std::string(text)};
                framer.feed(piece.span());
                auto const all = [&] {
                    for (;;) {
                        auto const item = framer.next();
                        failed = failed || item.what == event_stream::too_big;
                        if (item.what == event_stream::need_more || failed)
                            break;
                        got.append(item.name).append(" ");
                        got.append(item.data.data(), item.data.size()).append("\n");
                    }
                };
                must(s.survives(all));
            };
            read(stream.substr(0, cut));
            if (!failed)
                read(stream.substr(cut));
            must((failed ? expected.starts_with(got) : got == expected));
            if (failed) {
                must(framer.fault() == "there is no memory for what came");
                must(framer.memory() == 0);
            }
        });
    }
}

TEST_CASE("texts that memory is short for are not made, and leave nothing behind")
{
    std::string const object = R"({"a":{"b":[1,"\u00e9)" + long_text + R"("]},"c":")" + long_text + R"(\n"})";
    std::string const bad = long_text + "\xff\x1b[\xe2\x80" + long_text;
    auto const made = [](auto make) { at_every_allocation([&](shortage& s) { s.survives([&] { make(); }); }); };
    made([&] { member_text(object, "a"); });
    made([&] { member_text(object, "c"); });
    made([&] {
        std::string out;
        append_json_string(out, long_text + "\n");
    });
    made([&] {
        std::string out;
        std::size_t repaired = 0;
        unescape("\\u00e9\\n" + long_text, out, repaired);
    });
    made([&] {
        std::string out;
        repair_utf8(bad, out);
    });
    made([&] { terminal_safe(bad); });
    made([&] { parse_base_url("https://a-host-with-a-long-name.example:32400/a/long/base/path/of/a/proxy"); });
    made([&] {
        base_url base;
        base.host = std::string(50, 's');
        base.port = 32400;
        tunnel_bytes(base, parse_proxy("http://a-user:pass%20word@a-proxy-with-a-long-name.example:3128"));
    });
    made([&] {
        base_url base;
        base.host = std::string(50, 'h');
        base.port = 32400;
        base.origin();
    });
    made([&] { activity_target(std::string(100, 'u')); });
    made([&] { feed_target("/:/websockets/notifications", "activity,timeline,status"); });
    made([&] { check_target("/a/path/that/is/decoded/as/it/has/%41/in/it"); });
    identity who;
    who.client_identifier = long_text;
    who.version = "1.2.3";
    base_url const base = parse_base_url("http://host.example:32400/plex");
    std::string const identity = identity_headers(who);
    request const asked = request("POST", "/a").header("X-A", long_text).body(long_text, "text/plain");
    made([&] { identity_headers(who); });
    made([&] { request_bytes(base, identity, "token", asked); });
    made([&] { plain_request_bytes(base, common_headers(base, identity, "token"), request("GET", "/activities")); });
    std::array<std::uint8_t, 16> const random{};
    made([&] { upgrade_bytes(base, identity, "token", "/:/websockets/notifications", make_key(random)); });
    made([&] { accept_for("dGhlIHNhbXBsZSBub25jZQ=="); });
    made([&] {
        try {
            check_token("two words");
        } catch (error const& e) {
            must(e.code() == errc::invalid_argument);
        }
    });
}

TEST_CASE("a reply is described as long as there is memory for it")
{
    std::string const errors = R"({"errors":[{"code":1000,"message":")" + long_text + R"(","status":400},{"code":1}]})";
    std::string const page = "<html><head><title>" + long_text + "</title></head></html>";
    std::string const response =
        R"(<Response code="503" title="Maintenance of the whole server" status="is running"/>)";
    for (std::string const& body : {errors, page, response})
        at_every_allocation([&](shortage& s) {
            diagnostics::content said;
            bool const done = s.survives([&] { said = describe_reply(400, body); });
            must(said.body_excerpt.empty() == !done);
        });
    at_every_allocation([](shortage& s) { s.survives([] { redirect_target(std::string(100, 'r')); }); });
    at_every_allocation([](shortage& s) {
        std::optional<std::chrono::seconds> wait;
        bool const done = s.survives(
            [&] { wait = retry_after("Fri, 27 Nov 2026 08:00:00 GMT", std::chrono::system_clock::time_point()); });
        must(wait.has_value() == done);
    });
}

} // namespace plex::testing
