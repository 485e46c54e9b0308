#include "dashboard/board.hpp"

#include "catch.hpp"
#include "command/made_up.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace plex::dashboard;
namespace json = boost::json;
using plex::activity_event;
using plex::event_kind;

namespace {

board::time const noon{std::chrono::hours(500'000)};

activity_event happens(event_kind kind, std::string const& uuid, int progress = 0, std::string const& title = "Title")
{
    plex::test::fields f;
    f.uuid = uuid;
    f.type = "media.download";
    f.title = title;
    f.progress = progress;
    f.cancellable = true;
    activity_event e = plex::test::event(kind, f);
    e.at = noon;
    return e;
}

plex::connection_status is(plex::connection_state state)
{
    plex::connection_status s;
    s.state = state;
    return s;
}

/// What a browser makes of what it is told, as dashboard.js does.
struct browser {
    /// @param at_once whether it asks until there is nothing more
    bool look(board& b, bool at_once = true)
    {
        bool told = false;
        while (auto const text = b.news(at, noon)) {
            told = true;
            ++messages;
            longest = std::max(longest, text->size());
            take(json::parse(*text).as_object());
            if (!at_once)
                break;
        }
        return told;
    }
    void take(json::object const& message)
    {
        if (message.contains("anew")) {
            ++began;
            running.clear();
            servers.clear();
            ends.clear();
            can_cancel = message.at("can_cancel").as_bool();
            for (json::value const& each : message.at("servers").as_array())
                servers[each.as_int64()] = "";
        }
        for (json::value const& each : message.at("changes").as_array())
            change(each.as_object());
    }
    void change(json::object const& c)
    {
        std::string const is(c.at("is").as_string());
        auto const server = c.at("server").as_int64();
        if (is == "server") {
            servers.at(server) = c.at("state").as_string();
            return;
        }
        std::string const uuid = std::to_string(server) + '/' + std::string(c.at("uuid").as_string());
        if (is == "running")
            running[uuid] = c.at("progress").as_int64();
        else {
            running.erase(uuid);
            ends.push_back(uuid);
        }
    }

    bookmark at;
    std::map<std::int64_t, std::string> servers;
    std::map<std::string, std::int64_t> running;
    std::vector<std::string> ends;
    bool can_cancel = false;
    int began = 0;
    int messages = 0;
    std::size_t longest = 0;
};

using rows = std::map<std::string, std::int64_t>;
using texts = std::vector<std::string>;

} // namespace

TEST_CASE("a reader is told all there is, then what changes, and each end")
{
    board b(true);
    b.configured({"a", "b"});
    b.connection("b", is(plex::connection_state::reconciled), noon);
    b.event("a", happens(event_kind::started, "x", 1));
    browser one;
    CHECK(one.look(b));
    CHECK(one.can_cancel);
    CHECK(one.servers == std::map<std::int64_t, std::string>{{1, "idle"}, {2, "reconciled"}});
    CHECK(one.running == rows{{"1/x", 1}});
    CHECK_FALSE(one.look(b));

    b.event("b", happens(event_kind::started, "x", 7));
    b.event("a", happens(event_kind::updated, "x", 2));
    b.connection("a", is(plex::connection_state::interrupted), noon);
    CHECK(one.look(b));
    CHECK(one.running == rows{{"1/x", 2}, {"2/x", 7}});
    CHECK(one.servers.at(1) == "interrupted");
    b.event("a", happens(event_kind::ended, "x", 100));
    CHECK(one.look(b));
    CHECK(one.running == rows{{"2/x", 7}});
    CHECK(one.ends == texts{"1/x"});
    CHECK(one.began == 1);
}

TEST_CASE("a reader that looks rarely gets the latest of each activity and every end, in order")
{
    board b(false);
    b.configured({"a"});
    browser one;
    one.look(b);
    for (int i = 0; i < 1000; ++i)
        b.event("a", happens(i == 0 ? event_kind::started : event_kind::updated, "x", i / 10));
    b.event("a", happens(event_kind::started, "y"));
    b.event("a", happens(event_kind::ended, "y"));
    b.event("a", happens(event_kind::started, "y", 5)); // another life of it
    int const before = one.messages;
    CHECK(one.look(b));
    CHECK(one.messages == before + 1);
    CHECK(one.longest < 1000);
    CHECK(one.running == rows{{"1/x", 99}, {"1/y", 5}});
    CHECK(one.ends == texts{"1/y"});
}

TEST_CASE("however rarely a reader looks, it shows in the end what runs, and each end that is kept")
{
    std::uint32_t const seed = std::random_device()();
    INFO("seed " << seed);
    std::mt19937 random(seed);
    auto const below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    for (int round = 0; round < 20; ++round) {
        board b(true, 200 + below(2000));
        b.configured({"a", "b", "c"});
        std::vector<browser> browsers(4);
        rows truth;
        texts ended;
        for (int step = 0; step < 1500; ++step) {
            std::uint32_t const server = below(2);
            std::string const uuid = "u" + std::to_string(below(8));
            std::string const key = std::to_string(server + 1) + '/' + uuid;
            bool const runs = truth.count(key) != 0;
            int const progress = static_cast<int>(below(100));
            event_kind const kind = !runs           ? event_kind::started
                                    : below(4) == 0 ? event_kind::ended
                                                    : event_kind::updated;
            b.event(server == 0 ? "a" : "b", happens(kind, uuid, progress));
            if (kind == event_kind::ended) {
                truth.erase(key);
                ended.push_back(key);
            } else {
                truth[key] = progress;
            }
            for (std::size_t i = 0; i < browsers.size(); ++i)
                if (below(static_cast<std::uint32_t>(1 + i * 60)) == 0)
                    browsers[i].look(b, below(2) == 0);
        }
        for (browser& each : browsers) {
            each.look(b);
            CHECK(each.running == truth);
            CHECK(each.ends == ended); // fewer than are kept
            CHECK(each.began == 1);
        }
    }
}

TEST_CASE("ends are kept for an hour and 1,000 at most; who has missed one that is not kept any more begins anew")
{
    board b(true);
    b.configured({"a"});
    b.event("a", happens(event_kind::started, "x"));
    browser sleeps;
    browser wakes;
    sleeps.look(b);
    wakes.look(b);
    b.event("a", happens(event_kind::ended, "x"));
    for (std::size_t i = 1; i < board::most_ended; ++i) {
        b.event("a", happens(event_kind::started, "y"));
        b.event("a", happens(event_kind::ended, "y"));
    }
    wakes.look(b);
    CHECK(wakes.ends.size() == board::most_ended);
    b.event("a", happens(event_kind::started, "y"));
    b.event("a", happens(event_kind::ended, "y")); // the end of x is dropped for it
    wakes.look(b);
    CHECK(wakes.began == 1); // it had heard of that
    sleeps.look(b);
    CHECK(sleeps.began == 2);
    CHECK(sleeps.running.empty());
    CHECK(sleeps.ends.size() == board::most_ended);

    b.forget_old(noon + std::chrono::hours(1));
    browser before;
    before.look(b);
    CHECK(before.ends.size() == board::most_ended);
    b.forget_old(noon + std::chrono::hours(1) + std::chrono::milliseconds(1));
    browser after;
    after.look(b);
    CHECK(after.ends.empty());
    CHECK_FALSE(wakes.look(b)); // and it lets go of them by itself
}

TEST_CASE("what is told at once is bounded, and the rest follows")
{
    board b(true, 10'000);
    b.configured({"a"});
    for (int i = 0; i < 500; ++i)
        b.event("a", happens(event_kind::started, std::to_string(i), 1, std::string(4000, 'x')));
    browser one;
    one.look(b);
    CHECK(one.running.size() == 500);
    CHECK(one.began == 1);
    CHECK(one.messages > 10);
    CHECK(one.longest < 11'000);
}

TEST_CASE("readers that are equally far share one text")
{
    board b(true);
    b.configured({"a"});
    bookmark one;
    bookmark two;
    auto const first = b.news(one, noon);
    CHECK(b.news(two, noon) == first);
    b.event("a", happens(event_kind::started, "x"));
    auto const second = b.news(one, noon);
    CHECK(b.news(two, noon) == second);
    CHECK(second != first);
    CHECK(b.news(one, noon) == nullptr);
    CHECK(b.news(two, noon) == nullptr);
}

TEST_CASE("new settings make readers begin anew, and what stays keeps what is known of it")
{
    board b(false);
    b.configured({"a", "b"});
    b.event("a", happens(event_kind::started, "x"));
    b.event("b", happens(event_kind::started, "y"));
    browser one;
    one.look(b);
    CHECK_FALSE(one.can_cancel);
    b.configured({"a", "b"});
    CHECK_FALSE(one.look(b)); // nothing has changed
    b.configured({"b", "c"});
    b.set_can_cancel(true);
    one.look(b);
    CHECK(one.can_cancel);
    CHECK(one.began == 2);
    CHECK(one.servers.size() == 2);
    CHECK(one.running == rows{{"2/y", 0}});
    b.event("a", happens(event_kind::updated, "x")); // which is not configured any more
    CHECK_FALSE(one.look(b));
    CHECK(b.cancellable(2, "y") == "b");
    CHECK_FALSE(b.cancellable(2, "x"));
    CHECK_FALSE(b.cancellable(1, "x"));
}

TEST_CASE("hostile titles are valid JSON, short, and cannot turn the order of what stands beside them")
{
    board b(true);
    b.configured({"a\"</script>"});
    std::string const title =
        "\xe2\x80\xae</script><img src=x onerror=alert(1)>\"\\\n\x1b[2J" + std::string(9000, '\xff');
    b.event("a\"</script>", happens(event_kind::started, "u\"\n\xe2\x80\xa8", 1, title));
    bookmark at;
    std::string const text = *b.news(at, noon);
    for (char const c : text)
        CHECK(static_cast<unsigned char>(c) >= 0x20); // one line of an event stream
    CHECK(text.size() < 2000);
    json::value const v = json::parse(text);
    std::string const shown(v.at("changes").at(1).at("title").as_string());
    CHECK(shown.starts_with("</script><img src=x onerror=alert(1)>\"\\ [2J\xef\xbf\xbd"));
    CHECK(v.at("changes").at(1).at("uuid").as_string() == "u\"\n\xe2\x80\xa8"); // as a cancel has to name it
}
