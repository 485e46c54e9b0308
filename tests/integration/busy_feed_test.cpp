#include "feed_fixture.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <thread>

// A server that sends without end to a feed whose thread others have need of.

using namespace plex;
using namespace plex::test;

TEST_CASE("a feed that always has more to read leaves the thread to others meanwhile")
{
    for (transport const over : {transport::websocket, transport::eventsource}) {
        CAPTURE(to_string(over));
        // The server has a thread of its own, so that its bytes come whether the client's thread is free or not.
        asio::io_context theirs;
        testing::fake_server server(theirs.get_executor());
        auto work = asio::make_work_guard(theirs);
        std::thread serving([&] { theirs.run(); });

        asio::io_context io;
        config settings;
        settings.url = server.url();
        settings.transport = over;
        client c(io.get_executor(), settings);
        constexpr int messages = 500;
        std::uint64_t before = 0;
        std::size_t turns = 0; // of somebody else, of which each saw more read than the last
        std::uint64_t seen = 0;
        bool over_now = false;
        std::function<void()> turn = [&] {
            std::uint64_t const read = c.counters().frames;
            if (read != std::exchange(seen, read))
                ++turns;
            if (!over_now)
                asio::post(c.get_executor(), turn);
        };
        auto body = [&]() -> asio::awaitable<void> {
            feed f = c.subscribe();
            co_await c.ready(10s);
            before = c.counters().frames;
            asio::post(c.get_executor(), turn);
            testing::fake_activity large = activity_named("a");
            large.title = std::string(20'000, 'x');
            for (int i = 0; i != messages; ++i)
                server.announce("updated", large);
            std::function<bool()> const all_read = [&] { return c.counters().frames >= before + messages; };
            co_await come_true(all_read);
            over_now = true;
        };
        test::run(io, c.get_executor(), body());
        c.stop();
        server.stop();
        work.reset();
        serving.join();
        CHECK(turns > 20); // a read is of 128 KiB at most: six messages
    }
}
