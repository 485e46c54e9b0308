#include "chosen_seed.hpp"
#include "everything_said.hpp"
#include "shown_text.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <stdexcept>

// What a server says, wherever it says it, commands no terminal and forges no line of a log.

using namespace plex;
using namespace plex::test;

namespace {

std::string quoted(std::string const& text)
{
    return boost::json::serialize(boost::json::string(text.data(), text.size()));
}

/// Without what no HTTP parser lets pass in a header.
std::string for_header(std::string text)
{
    std::erase_if(text, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
    return text;
}

std::string http_reply(int status, std::string const& headers, std::string const& body)
{
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// One of the places where a server has a say.
std::string any_reply(hostile_texts& random)
{
    std::string const text = random.next();
    static constexpr int statuses[] = {200, 302, 400, 401, 403, 404, 429, 500, 503};
    int const status = statuses[random.below(9)];
    switch (random.below(8)) {
    case 0:
        return text;
    case 1:
        return "HTTP/1.1 " + std::to_string(status) + " " + text + "\r\nContent-Length: 0\r\n\r\n";
    case 2:
        return http_reply(status, "Location: " + for_header(text) + "\r\n", text);
    case 3:
        return http_reply(status,
                          "Retry-After: " + for_header(text) + "\r\nX-Plex-Activity: " + for_header(text) + "\r\n", "");
    case 4:
        return http_reply(status, "", "{\"errors\":[{\"message\":" + quoted(text) + "}]}");
    case 5:
        return http_reply(status, "", "<html><title>" + text + "</title>");
    case 6:
        return http_reply(status, "", "<Response title=\"" + text + "\" status=\"" + random.next() + "\"/>");
    default:
        return http_reply(status, "", text);
    }
}

struct hostile_scene : call_scene {
    hostile_scene()
    {
        settings.logger.level = log_level::debug;
        settings.logger.write = [this](log_level, std::string_view text) { said.line(text); };
        settings.request_timeout = settings.connect_timeout = 2s;
        settings.appear_timeout = 5ms;
    }
    void check()
    {
        for (std::string const& line : said.lines()) {
            std::string const why = unsafe_part(line);
            if (!why.empty()) {
                INFO(line);
                FAIL_CHECK(why);
            }
            CHECK(line.size() < 20'000); // nor is it flooded
        }
    }

    everything_said said;
};

} // namespace

TEST_CASE("whatever a server answers, each line of log and error is one safe line")
{
    std::uint32_t const seed = chosen_seed();
    INFO("PLEX_TEST_SEED=" << seed << " runs the same again");
    hostile_texts random(seed);
    std::size_t lines = 0;
    for (int round = 0; round != 150; ++round) {
        hostile_scene s;
        for (char const* const path : {"/activities", "/:/websockets", "/:/eventsource", "/x"})
            s.server.reply_raw(path, any_reply(random), false, fake_server::always);
        std::string const thrown = random.next();
        if (round % 10 == 0)
            s.settings.token_function = [&thrown]() -> asio::awaitable<std::string> {
                throw std::runtime_error(thrown);
                co_return std::string();
            };
        s.run([&s]() -> asio::awaitable<void> {
            plex::client& c = s.client();
            c.on_connection_change([&s](connection_status const& now) { s.said.status(now); });
            co_await s.said.outcome_of(c.get_server_activities());
            co_await s.said.outcome_of(c.cancel_server_activities("u"));
            request const asked("GET", "/x");
            co_await s.said.outcome_of(c.send(asked));
            co_await s.said.outcome_of(c.ready(50ms));
        });
        s.drop_client();
        lines += s.said.lines().size();
        s.check();
    }
    CHECK(lines > 1'500);
}

TEST_CASE("whatever an activity is called, messages that name it are one safe line")
{
    std::uint32_t const seed = chosen_seed();
    INFO("PLEX_TEST_SEED=" << seed << " runs the same again");
    hostile_texts random(seed);
    int named = 0;
    for (int round = 0; round != 4; ++round) {
        hostile_scene s;
        std::string const uuid = quoted("u" + random.next());
        std::string const type = quoted("t" + random.next());
        std::string const title = quoted(random.next());
        std::string const members = "\"uuid\":" + uuid + ",\"type\":" + type + ",\"title\":" + title +
                                    ",\"subtitle\":" + quoted(random.next()) + ",\"Context\":{\"k\":" + title + "}";
        s.server.reply_raw("/activities",
                           http_reply(200, "", "{\"MediaContainer\":{\"Activity\":[{" + members + "}]}}"), true,
                           fake_server::always);
        s.server.reply_raw("POST /x", http_reply(200, "X-Plex-Activity: " + for_header(random.next()) + "\r\n", ""),
                           true, fake_server::always);
        s.run([&]() -> asio::awaitable<void> {
            plex::client& c = s.client();
            c.on_connection_change([&s](connection_status const& now) { s.said.status(now); });
            co_await c.ready(10s);
            co_await s.said.outcome_of(c.wait_until_idle(filter(), 1s, 1ms));
            s.server.notify_raw(random.next());
            s.server.notify_raw("{\"ActivityNotification\":{\"event\":" + quoted(random.next()) + ",\"Activity\":{" +
                                members + "}}}");
            std::vector<operation> begun; // together, as each waits for one more list
            for (int i = 0; i != 10; ++i) {
                activity_request asked(request("POST", "/x"), filter().type(random.next()).context(random.next(), "x"));
                operation next = co_await c.start(asked, 10s);
                begun.push_back(std::move(next));
            }
            for (operation& each : begun) {
                co_await s.said.outcome_of(each.result(1ms));
                plex::outcome const over = co_await each.result(10s);
                s.said.line(over.message);
                named += contains(over.message, "running: t") ? 1 : 0;
            }
            s.server.close_listeners(1001, for_header(random.next()).substr(0, 100));
            std::function<bool()> const lost = [&c] { return c.connection().state == connection_state::interrupted; };
            co_await until(lost);
        });
        s.drop_client();
        s.check();
    }
    CHECK(named > 10);
}
