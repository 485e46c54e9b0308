#include <plex/testing/fake_server.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <unistd.h>

// Plex servers that play scans, and say what they played: what a relay wrote is judged by that.
//
//     fleet COUNT SEED UPDATES-A-SECOND
//
// The first line of output has the servers' URLs, one after another. Then each life has a line when it has ended:
//     SERVER UUID STARTED ENDED      the server's number, and wall clock times in milliseconds
// A line on the standard input, or its end, lets what runs end and begins nothing more; then the program ends, once its
// input has.

namespace asio = boost::asio;
using plex::testing::fake_activity;
using plex::testing::fake_server;

namespace {

std::int64_t now()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

class fleet
{
public:
    fleet(asio::io_context& io, std::size_t count, unsigned seed, int rate) : rate_(rate)
    {
        for (std::size_t i = 0; i != count; ++i) {
            plex::testing::fake_server_options o;
            o.keep_records = false;
            o.other_notifications = false;
            servers_.push_back(std::make_unique<fake_server>(io.get_executor(), o));
            std::printf(i == 0 ? "%s" : " %s", servers_.back()->url().c_str());
        }
        std::printf("\n");
        std::fflush(stdout);
        for (std::size_t i = 0; i != count; ++i)
            asio::co_spawn(io, play(i, seed + static_cast<unsigned>(i)), [](std::exception_ptr const& failure) {
                if (failure)
                    std::rethrow_exception(failure);
            });
    }

    void end() { ending_ = true; }

private:
    // Scans of a tenth of a second to four seconds, and as much pause.
    asio::awaitable<void> play(std::size_t number, unsigned seed)
    {
        std::mt19937 random(seed);
        auto const below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
        fake_server& server = *servers_[number];
        asio::steady_timer timer(co_await asio::this_coro::executor);
        while (!ending_) {
            timer.expires_after(std::chrono::milliseconds(below(2'000)));
            co_await timer.async_wait(asio::use_awaitable);
            fake_activity scan("library.update.section", "Scanning Movies");
            scan.context_json = R"({"librarySectionID":"3"})";
            std::int64_t const started = now();
            std::string const uuid = server.start_activity(scan);
            int const updates = 1 + below(4) * below(rate_);
            for (int i = 0; i != updates; ++i) {
                timer.expires_after(std::chrono::microseconds(1'000'000 / rate_));
                co_await timer.async_wait(asio::use_awaitable);
                server.update_activity(uuid, 100.0 * i / updates, "Film " + std::to_string(i));
            }
            server.end_activity(uuid);
            std::printf("%zu %s %lld %lld\n", number, uuid.c_str(), static_cast<long long>(started),
                        static_cast<long long>(now()));
            std::fflush(stdout);
        }
    }

    std::vector<std::unique_ptr<fake_server>> servers_;
    int rate_;
    bool ending_ = false;
};

// Of the standard input: when a line comes, and then when it ends.
asio::awaitable<void> obey(fleet& servers)
{
    asio::posix::stream_descriptor in(co_await asio::this_coro::executor, ::dup(STDIN_FILENO));
    std::string line;
    auto input = asio::dynamic_buffer(line);
    co_await asio::async_read_until(in, input, '\n', asio::as_tuple(asio::use_awaitable));
    servers.end();
    char more = 0;
    for (std::size_t got = 1; got != 0;) {
        auto const [ec, size] =
            co_await in.async_read_some(asio::buffer(&more, 1), asio::as_tuple(asio::use_awaitable));
        got = ec ? 0 : size;
    }
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4)
        return 2;
    asio::io_context io(1);
    {
        fleet servers(io, std::stoul(argv[1]), static_cast<unsigned>(std::stoul(argv[2])), std::stoi(argv[3]));
        asio::co_spawn(io, obey(servers), [&](std::exception_ptr const&) { io.stop(); });
        io.run();
    }
    return 0;
}
