#include "catch.hpp"

#include "counted_memory.hpp"
#include "hostile_server.hpp"
#include "integration/certificates.hpp"
#include "integration/run.hpp"
#include "sanitizers.hpp"

#include <plex/activities.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// A server that pours what it likes, for as long as it is listened to: a client with one subscriber stays below 32 MiB,
// with the bounds that it has by default.

using namespace plex;
using namespace plex::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t bound = 32u << 20;
constexpr bool sanitized = under_address_sanitizer;
// More than the bound, and it ends; less under a sanitizer, which counts in its own way.
constexpr std::size_t poured = (sanitized ? 4u : 36u) << 20;

constexpr std::string_view empty_list = R"({"MediaContainer":{"size":0}})";

std::string frame(unsigned char first, std::string_view payload)
{
    std::string bytes(1, static_cast<char>(first));
    if (payload.size() < 126) {
        bytes += static_cast<char>(payload.size());
    } else if (payload.size() < 65536) {
        bytes += {126, static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())};
    } else {
        bytes += '\x7f';
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes += static_cast<char>(payload.size() >> shift);
    }
    return bytes.append(payload);
}

std::string entry(std::string_view event, std::size_t number, std::string_view members = {})
{
    std::string const uuid = std::to_string(number);
    return R"({"event":")" + std::string(event) + R"(","uuid":")" + uuid + R"(","Activity":{"uuid":")" + uuid +
           R"(","type":"t")" + std::string(members) + "}}";
}

std::string notification(std::string const& entries)
{
    return R"({"NotificationContainer":{"type":"activity","ActivityNotification":[)" + entries + "]}}";
}

/// One array of as many of these as the size has room for.
std::string filled(std::string const& before, std::string const& after, std::size_t size,
                   std::function<std::string(std::size_t)> const& one)
{
    std::string text = before;
    for (std::size_t i = 0;; ++i) {
        std::string const next = one(i);
        if (text.size() + next.size() + 1 + after.size() > size)
            break;
        if (i != 0)
            text += ',';
        text += next;
    }
    return text + after;
}

std::string notification_of(std::size_t size, std::function<std::string(std::size_t)> const& one)
{
    return filled(R"({"NotificationContainer":{"ActivityNotification":[)", "]}}", size, one);
}

std::string list_of(std::size_t size, std::function<std::string(std::size_t)> const& one)
{
    return filled(R"({"MediaContainer":{"Activity":[)", "]}}", size, one);
}

/// Calls `piece(0)`, `piece(1)`, … and sends what they give, until enough was sent or nobody reads it.
void pour(hostile_connection const& to, std::function<std::string(std::size_t)> const& piece, std::size_t total)
{
    std::size_t sent = 0;
    for (std::size_t i = 0; sent < total;) {
        std::string bytes;
        while (bytes.size() < 32u << 10)
            bytes += piece(i++);
        sent += bytes.size();
        if (!to.send(bytes))
            return;
    }
}

/// Lists nothing, and opens a WebSocket on which that is poured.
hostile_server::script websocket_of(std::function<std::string(std::size_t)> piece, std::size_t total = poured)
{
    return [piece = std::move(piece), total](hostile_connection const& c) {
        if (!c.is_for("/:/websockets")) {
            c.answer(empty_list);
        } else {
            c.accept_websocket();
            pour(c, piece, total);
        }
    };
}

hostile_server::script stream_of(std::function<std::string(std::size_t)> piece)
{
    return [piece = std::move(piece)](hostile_connection const& c) {
        if (!c.is_for("/:/eventsource")) {
            c.answer(empty_list);
        } else {
            c.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            pour(c, piece, poured);
        }
    };
}

/// A quiet feed whose list that is.
hostile_server::script list_of_body(std::function<std::string()> body, int status = 200)
{
    return [body = std::move(body), status](hostile_connection const& c) {
        if (!c.is_for("/:/websockets")) {
            c.answer(body(), status);
        } else {
            c.accept_websocket();
            c.listen_on();
        }
    };
}

struct flood {
    char const* what;
    transport over;
    hostile_server::script serve;
    /// The flood is the list: over when that was read, well or not.
    bool is_list = false;
};

struct flooded {
    std::size_t bytes = 0;    ///< at the most
    std::size_t resident = 0; ///< likewise
    std::uint64_t events = 0;
    error_code ended_with; ///< connection or feed
};

/// Of every server over TLS, which the client trusts.
tls_identity const& own_identity()
{
    static certificate const own("127.0.0.1", "IP:127.0.0.1");
    static tls_identity const identity{own.pem(), own.key_pem()};
    return identity;
}

/// One subscriber, from before the flood until it is over.
flooded listen_to(flood const& f, bool reads, bool over_tls)
{
    hostile_server const server(f.serve, over_tls ? &own_identity() : nullptr);
    most_held_bytes();
    std::size_t const before = held_bytes();
    std::size_t const resident_before = resident_bytes();
    asio::io_context io;
    config settings;
    settings.url = server.url();
    settings.transport = f.over;
    if (over_tls)
        settings.tls.ca_pem = own_identity().certificate;
    client c(io.get_executor(), settings);
    flooded result;
    auto is_over = [&] {
        connection_status const now = c.connection();
        if (f.is_list && (now.last_error || now.state == connection_state::reconciled))
            return true;
        return now.state == connection_state::interrupted || now.state == connection_state::ended;
    };
    auto body = [&]() -> asio::awaitable<void> {
        feed heard = c.subscribe();
        asio::steady_timer soon(io);
        while (!is_over()) {
            try {
                while (reads && heard.try_next())
                    ++result.events;
            } catch (error const& e) { // of this subscriber, who has left then, or of the feed
                result.ended_with = e.code();
                break;
            }
            soon.expires_after(200us);
            co_await soon.async_wait(asio::use_awaitable);
        }
        if (!result.ended_with)
            result.ended_with = c.connection().last_error;
    };
    run(io, c.get_executor(), body());
    result.bytes = most_held_bytes() - before;
    result.resident = std::max(most_resident_bytes(), resident_before) - resident_before;
    return result;
}

double mib(std::size_t bytes)
{
    return static_cast<double>(bytes) / (1u << 20);
}

/// The worst so far.
struct {
    std::size_t bytes = 0;
    std::size_t resident = 0;
} worst;

flooded check(flood const& f, bool reads, bool over_tls = false)
{
    flooded const r = listen_to(f, reads, over_tls);
    std::printf("%6.2f MiB (%6.2f resident)  %s, over %s%s, %s: %llu events taken, %s\n", mib(r.bytes), mib(r.resident),
                f.what, std::string(to_string(f.over)).c_str(), over_tls ? " and TLS" : "", reads ? "read" : "not read",
                static_cast<unsigned long long>(r.events), r.ended_with ? r.ended_with.message().c_str() : "no error");
    INFO(f.what << ", " << (over_tls ? "over TLS, " : "") << (reads ? "read" : "not read"));
    CHECK(r.bytes < bound);
    if (!sanitized) // whose memory is its own
        CHECK(r.resident < bound);
    worst.bytes = std::max(worst.bytes, r.bytes);
    worst.resident = std::max(worst.resident, r.resident);
    return r;
}

struct listening {
    flood to;
    bool reads;
};

/// Each of them, and those over TLS too that held the most, or were resident with the most.
void check_kind(std::vector<listening> const& kind)
{
    struct outcome {
        listening const* of;
        flooded r;
    };
    std::vector<outcome> all;
    for (listening const& one : kind)
        all.push_back({&one, check(one.to, one.reads)});
    std::vector<listening const*> chosen;
    for (auto const most : {&flooded::bytes, &flooded::resident}) {
        std::sort(all.begin(), all.end(), [&](outcome const& a, outcome const& b) { return a.r.*most > b.r.*most; });
        for (std::size_t i = 0; i != std::min<std::size_t>(2, all.size()); ++i)
            if (std::find(chosen.begin(), chosen.end(), all[i].of) == chosen.end())
                chosen.push_back(all[i].of);
    }
    for (listening const* one : chosen)
        check(one->to, one->reads, true);
    std::printf("%6.2f MiB (%6.2f resident)  the worst so far\n", mib(worst.bytes), mib(worst.resident));
}

void check(std::vector<flood> const& floods)
{
    std::vector<listening> kind;
    for (flood const& f : floods)
        for (bool const reads : {false, true})
            kind.push_back({f, reads});
    check_kind(kind);
}

constexpr unsigned char text = 0x81;

} // namespace

TEST_CASE("no flood of notifications takes more than 32 MiB")
{
    std::string const large(60'000, 'x');
    std::string const context = R"(,"Context":{"k":")" + large + "\"}";
    auto const one = [](char const* event, std::size_t i, std::string_view members = {}) {
        return frame(text, notification(entry(event, i, members)));
    };
    check({
        {"started, each of another uuid", transport::websocket,
         websocket_of([=](std::size_t i) { return one("started", i); })},
        {"started and ended, each of another uuid", transport::websocket,
         websocket_of([=](std::size_t i) { return one("started", i) + one("ended", i); })},
        {"ended, each of another uuid of 256 bytes", transport::websocket, websocket_of([](std::size_t i) {
             std::string const uuid = std::to_string(i) + std::string(246, 'u');
             return frame(text, notification(R"({"event":"ended","uuid":")" + uuid.substr(0, 256) +
                                             R"(","Activity":{"type":")" + std::string(256, 't') + "\"}}"));
         })},
        {"started with a large Context, each of another uuid", transport::websocket,
         websocket_of([=](std::size_t i) { return one("started", i, context); })},
        {"ended with a large Context, each of another uuid", transport::websocket,
         websocket_of([=](std::size_t i) { return one("ended", i, context); })},
        {"updated with a large Context, of one uuid", transport::websocket,
         websocket_of([=](std::size_t) { return one("updated", 1, context); })},
        {"messages of 1 MiB, of as many entries as go in", transport::websocket, websocket_of([](std::size_t) {
             static std::string const whole =
                 frame(text, notification_of(1u << 20, [](std::size_t i) { return entry("started", i); }));
             return whole;
         })},
        {"messages of 1 MiB, of entries that are next to nothing", transport::websocket, websocket_of([](std::size_t) {
             static std::string const whole =
                 frame(text, notification_of(1u << 20, [](std::size_t) { return R"({"event":"","uuid":"u"})"; }));
             return whole;
         })},
        {"messages of 1 MiB, of one large unknown member", transport::websocket, websocket_of([](std::size_t) {
             static std::string const whole =
                 frame(text, notification(entry("started", 1, ",\"x\":\"" + std::string(1'048'400, 'x') + "\"")));
             return whole;
         })},
        {"messages of 1 MiB that are no UTF-8", transport::websocket, websocket_of([](std::size_t) {
             static std::string const whole = frame(
                 text, notification(entry("started", 1, ",\"title\":\"" + std::string(1'048'400, '\xff') + "\"")));
             return whole;
         })},
        {"messages that are no JSON", transport::websocket,
         websocket_of([](std::size_t) { return frame(text, std::string(1000, '[')); })},
        {"messages of other types", transport::websocket, websocket_of([](std::size_t) {
             return frame(text, R"({"NotificationContainer":{"type":"playing","size":1}})");
         })},
    });
}

TEST_CASE("no flood below the messages takes more than 32 MiB")
{
    std::string const large(60'000, 'x');
    check({
        {"a message of fragments without end", transport::websocket,
         websocket_of([=](std::size_t i) { return frame(i == 0 ? 0x01 : 0x00, large); })},
        {"a message of empty fragments without end", transport::websocket,
         websocket_of([](std::size_t i) { return frame(i == 0 ? 0x01 : 0x00, ""); }, 4u << 20)},
        {"a message of tiny fragments with pings between them", transport::websocket,
         websocket_of([](std::size_t i) { return frame(i == 0 ? 0x01 : 0x00, "[") + frame(0x89, "ping"); }, 4u << 20)},
        {"pings, of which nobody reads the answers", transport::websocket,
         websocket_of([](std::size_t) { return frame(0x89, std::string(125, 'p')); })},
        {"pongs that nobody asked for", transport::websocket,
         websocket_of([](std::size_t) { return frame(0x8a, std::string(125, 'p')); })},
    });
}

TEST_CASE("no flood of an event stream takes more than 32 MiB")
{
    std::string const large(30'000, 'x');
    auto const event = [](std::size_t i) {
        return "event: activity\ndata: {\"ActivityNotification\":" + entry("started", i) + "}\n\n";
    };
    check({
        {"events, each of another uuid", transport::eventsource, stream_of(event)},
        {"a line without end", transport::eventsource, stream_of([=](std::size_t) { return large; })},
        {"a comment without end", transport::eventsource, stream_of([=](std::size_t) { return ":" + large; })},
        {"comments", transport::eventsource, stream_of([=](std::size_t) { return ": " + large + "\n"; })},
        {"data lines without end", transport::eventsource,
         stream_of([=](std::size_t) { return "data: " + large + "\n"; })},
        {"empty data lines without end", transport::eventsource, stream_of([](std::size_t) { return "data\n"; })},
        {"a name of 1 MiB, an id of 1 MiB, data of 1 MiB", transport::eventsource, stream_of([](std::size_t) {
             std::string const most(1'048'570, 'x');
             return "event:" + most + "\nid:" + most + "\ndata:" + most + "\n\n";
         })},
    });
    std::string const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    auto const raw = [](std::string start, std::string more) {
        return [=](hostile_connection const& c) {
            if (!c.is_for("/:/eventsource")) {
                c.answer(empty_list);
            } else {
                c.send(start);
                pour(c, [&](std::size_t) { return more; }, poured);
            }
        };
    };
    check({
        {"a reply's header without end", transport::eventsource, raw(head, "X-Header: of a kilobyte\r\n")},
        {"a chunk's extension without end", transport::eventsource,
         raw(head + "Transfer-Encoding: chunked\r\n\r\n1;", large)},
        {"chunks of one byte", transport::eventsource, raw(head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n:\r\n")},
        {"a trailer without end", transport::eventsource,
         raw(head + "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X-Header: of a kilobyte\r\n")},
    });
}

TEST_CASE("no list together with a flood takes more than 32 MiB")
{
    auto const list = [] {
        return list_of(8u << 20, [](std::size_t i) {
            return i < 8'000 ? R"({"uuid":"l)" + std::to_string(i) + R"(","type":"t","title":")" +
                                   std::string(970, 'x') + "\"}"
                             : std::string(8u << 20, ' ');
        });
    };
    auto const both = [=](hostile_connection const& c) {
        if (!c.is_for("/:/websockets")) {
            c.answer(list());
            return;
        }
        c.accept_websocket();
        std::string const large(1'048'000, '\xe9');
        pour(
            c,
            [&](std::size_t i) {
                return frame(text, notification(entry("started", i, ",\"title\":\"" + std::string(4096, 'x') + "\""))) +
                       frame(text, notification(entry("updated", 1, ",\"x\":\"" + large + "\"")));
            },
            poured);
    };
    check({{"8,000 activities, and notifications of everything", transport::websocket, both}});
}

TEST_CASE("no list takes more than 32 MiB")
{
    constexpr std::size_t whole = 8u << 20;
    std::string const large(60'000, 'x');
    auto const activity = [](std::size_t i, std::string const& members) {
        return R"({"uuid":")" + std::to_string(i) + R"(","type":"t")" + members + "}";
    };
    auto const all_of = [=](std::string const& members) {
        auto const entry = [&](std::size_t i) { return i < 8'000 ? activity(i, members) : std::string(whole, ' '); };
        return list_of(whole, entry);
    };
    auto const all_over = [](std::vector<std::pair<char const*, std::function<std::string()>>> const& bodies) {
        std::vector<listening> kind;
        for (auto const& [what, body] : bodies)
            for (transport const over : {transport::websocket, transport::polling})
                kind.push_back({{what, over, list_of_body(body), true}, over == transport::polling});
        check_kind(kind);
    };
    auto const refused = [](std::function<std::string()> body) { return list_of_body(std::move(body), 500); };
    check({
        {"8 MiB of errors that a refusal lists", transport::polling, refused([] {
             std::string many = "{\"errors\":[1";
             while (many.size() < whole - 10)
                 many += ",1";
             return many + "]}";
         }),
         true},
        {"8 MiB of text with a refusal", transport::polling, refused([] { return std::string(whole, '\x01'); }), true},
        {"more than 8 MiB", transport::polling, refused([] { return std::string(2 * whole, ' '); }), true},
    });
    all_over({
        {"8 MiB of activities", [=] { return list_of(whole, [=](std::size_t i) { return activity(i, ""); }); }},
        {"8 MiB of one activity, time and again",
         [=] { return list_of(whole, [](std::size_t) { return R"({"uuid":"u"})"; }); }},
        {"8 MiB of entries that are none", [=] { return list_of(whole, [](std::size_t) { return "{}"; }); }},
        {"8 MiB of activities with a large Context",
         [=] {
             return list_of(whole, [=](std::size_t i) { return activity(i, R"(,"Context":{"k":")" + large + "\"}"); });
         }},
        {"8 MiB of activities with a large unknown member",
         [=] { return list_of(whole, [=](std::size_t i) { return activity(i, R"(,"x":")" + large + "\""); }); }},
        {"8 MiB of one title",
         [=] {
             return list_of(whole, [=](std::size_t i) {
                 return i == 0 ? activity(i, R"(,"title":")" + std::string(whole - 100, 'x') + "\"")
                               : std::string(100, ' ');
             });
         }},
        {"8 MiB of a title that is no UTF-8",
         [=] {
             return list_of(whole, [=](std::size_t i) {
                 return i == 0 ? activity(i, R"(,"title":")" + std::string(whole - 100, '\xff') + "\"")
                               : std::string(100, ' ');
             });
         }},
        {"8 MiB of activities whose titles are no UTF-8",
         [=] {
             return list_of(
                 whole, [=](std::size_t i) { return activity(i, R"(,"title":")" + std::string(100, '\xe9') + "\""); });
         }},
        {"8 MiB of an unknown member that is no UTF-8",
         [=] {
             return list_of(whole, [=](std::size_t i) {
                 return i == 0 ? activity(i, R"(,"x":")" + std::string(whole - 100, '\xff') + "\"")
                               : std::string(100, ' ');
             });
         }},
        {"8,000 activities of 1,000 bytes", [=] { return all_of(R"(,"title":")" + std::string(970, 'x') + "\""); }},
        {"8,000 activities with unknown members", [=] { return all_of(R"(,"x":")" + std::string(970, 'x') + "\""); }},
        {"8,000 activities with a Context that has to be written anew",
         [=] { return all_of(R"(,"Context":{ "k": ")" + std::string(960, 'x') + "\"}"); }},
        {"8,000 activities of which some is no UTF-8",
         [=] { return all_of(R"(,"x":")" + std::string(910, 'x') + std::string(60, '\xe9') + "\""); }},
        {"8,000 activities that are all escapes",
         [=] {
             std::string escapes;
             while (escapes.size() < 960)
                 escapes += "\\u20ac";
             return all_of(R"(,"title":")" + escapes + "\"");
         }},
        {"8 MiB of brackets", [=] { return std::string(whole, '['); }},
    });
}
