#include "feed_fixture.hpp"

#include <plex/async.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <future>
#include <memory>

// A client on a pool of four threads, with its server on another one: feeds, callbacks, calls from foreign strands, and
// a connection that is dropped again and again. For the thread sanitizer. Catch2's macros belong to the main thread, so
// that others count.

using namespace plex;
using namespace plex::test;

namespace {

enum class ending { stop, close, destroy };

class pool_scene
{
public:
    pool_scene() : server_(servers_.get_executor())
    {
        config settings;
        settings.url = server_.url();
        settings.conflate_after = 16;
        client_ = std::make_unique<client>(pool_.get_executor(), settings);
    }
    ~pool_scene()
    {
        pool_.join();
        server_.stop();
        servers_.join();
    }

    void run(ending how)
    {
        asio::any_io_executor const home = client_->get_executor();
        std::vector<std::future<void>> all;
        for (int i = 0; i < 3; ++i)
            all.push_back(asio::co_spawn(home, read(), asio::use_future));
        for (int i = 0; i < 4; ++i)
            all.push_back(asio::co_spawn(asio::make_strand(pool_), call(), asio::use_future));
        all.push_back(asio::co_spawn(asio::make_strand(pool_), work(), asio::use_future));
        all.push_back(asio::co_spawn(home, end(how), asio::use_future));
        for (std::future<void>& one : all) {
            REQUIRE(one.wait_for(60s) == std::future_status::ready);
            one.get();
        }
        CHECK(events_ > 0);
        CHECK(called_back_ > 0);
        CHECK(lists_ > 0);
        CHECK(bad_ == 0);
    }

private:
    asio::awaitable<void> read()
    {
        feed f = client_->subscribe();
        subscription s = client_->subscribe(filter(), [this](activity_event const&) { ++called_back_; });
        while (std::optional<activity_event> const event = co_await f.next())
            ++events_;
        ++readers_gone_;
    }

    asio::awaitable<void> call()
    {
        while (!ending_) {
            auto listing = client_->get_server_activities();
            boost::system::result<std::vector<activity>, error> const list = co_await as_result(std::move(listing));
            if (list)
                ++lists_;
            else if (list.error().code() != errc::stopped)
                ++bad_;
        }
        ++callers_gone_;
    }

    asio::awaitable<void> work()
    {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        for (int i = 0; !ending_; ++i) {
            std::string const uuid = "u" + std::to_string(i);
            server_.start_activity(activity_named(uuid));
            server_.update_activity(uuid, i % 100);
            server_.end_activity(uuid);
            if (i % 200 == 150)
                server_.drop_listeners(i % 400 == 150 ? testing::abrupt::fin : testing::abrupt::rst);
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    /// On the client's executor, in the middle of all that.
    asio::awaitable<void> end(ending how)
    {
        asio::steady_timer timer(co_await asio::this_coro::executor);
        while (client_->counters().reconnects < 2 || lists_ == 0) {
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
        ending_ = true;
        while (callers_gone_ != 4) { // they hold the client by reference
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
        if (how == ending::stop)
            client_->stop();
        else if (how == ending::close)
            co_await client_->close(1s);
        else
            client_.reset();
        while (readers_gone_ != 3) {
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    asio::thread_pool servers_{1};
    testing::fake_server server_;
    asio::thread_pool pool_{4};
    std::unique_ptr<client> client_;
    std::atomic<std::size_t> events_{0}, called_back_{0}, lists_{0}, bad_{0};
    std::atomic<int> readers_gone_{0}, callers_gone_{0};
    std::atomic<bool> ending_{false};
};

} // namespace

TEST_CASE("on a pool of four threads feeds, callbacks and calls go on through lost connections, and end")
{
    for (ending const how : {ending::stop, ending::close, ending::destroy}) {
        CAPTURE(static_cast<int>(how));
        pool_scene s;
        s.run(how);
    }
}
