#pragma once

#include "out_of_memory/failing_allocator.hpp"

#include <plex/testing/fake_server.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

namespace plex::test {

/// A fake server on a thread of its own, where memory does not run out.
class served_elsewhere
{
public:
    explicit served_elsewhere(testing::fake_server_options options = testing::fake_server_options())
        : server_(io_.get_executor(), std::move(options)), url_(server_.url()), thread_([this] { io_.run(); })
    {
    }
    ~served_elsewhere()
    {
        tell([](testing::fake_server& s) { s.stop(); });
        work_.reset();
        thread_.join();
    }

    std::string const& url() const { return url_; }
    boost::asio::io_context& io() { return io_; }
    /// Runs `f` there, and waits for it.
    template <class F>
    std::invoke_result_t<F&, testing::fake_server&> tell(F f)
    {
        testing::spared const mine;
        std::packaged_task<std::invoke_result_t<F&, testing::fake_server&>()> task([&] { return f(server_); });
        auto done = task.get_future();
        boost::asio::post(io_, std::move(task));
        return done.get();
    }
    /// Of its thread alone.
    testing::fake_server& server() { return server_; }

private:
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
    testing::fake_server server_;
    std::string const url_;
    std::thread thread_;
};

} // namespace plex::test
