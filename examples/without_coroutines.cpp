// Lists what runs and scans a section, in a program without coroutines: by futures, then by callbacks.
//   example_without_coroutines [URL [TOKEN]]        section 3; without arguments: of a server inside this process
#include "server_or_fake.hpp"

#include <plex/activities.hpp>
#include <plex/async.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <functional>
#include <future>
#include <iostream>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Waits on this thread while another runs the client.
static void list_and_scan(plex::client& client, plex::operation& scan)
{
    plex::diagnostics why; // of what fails: a future has the error's code alone
    try {
        std::vector<plex::activity> const running =
            plex::async_get_server_activities(client, why, asio::use_future).get();
        for (plex::activity const& a : running)
            std::cout << "running: " << a.title() << '\n';
        scan = plex::async_start(client, plex::scan_section(3), 30s, why, asio::use_future).get();
        plex::outcome const over = plex::async_result(scan, 2h, why, asio::use_future).get();
        std::cout << "by futures: " << over.activity.title() << '\n';
    } catch (boost::system::system_error const& e) {
        std::cerr << why.message() << ": " << e.code().message() << '\n';
    }
}

/// Each callback runs on the client's executor. `done` is told whether the scan came to its end.
class scan_by_callbacks
{
public:
    scan_by_callbacks(plex::client& client, std::function<void(bool)> done) : client_(client), done_(std::move(done)) {}

    void start()
    {
        plex::async_start(client_, plex::scan_section(3), 30s, why_, [this](plex::error_code ec, plex::operation scan) {
            scan_ = std::move(scan);
            if (ec)
                finish(ec);
            else
                next();
        });
    }

private:
    void next()
    {
        plex::async_next(scan_, std::nullopt, why_,
                         [this](plex::error_code ec, std::optional<plex::activity_event> const& event) {
                             if (ec || !event)
                                 return finish(ec);
                             ++events_;
                             next();
                         });
    }
    void finish(plex::error_code ec)
    {
        plex::activity const seen = scan_.activity();
        if (ec)
            std::cerr << why_.message() << ": " << ec.message() << '\n';
        else
            std::cout << "by callbacks: " << seen.title() << ", " << events_ << " events\n";
        done_(!ec);
    }

    plex::client& client_;
    std::function<void(bool)> done_;
    plex::diagnostics why_;
    plex::operation scan_;
    int events_ = 0;
};

int main(int argc, char* argv[])
{
    asio::io_context io;
    example::server_or_fake server(io, argc, argv);
    plex::client client(io.get_executor(), server.settings());

    plex::operation scan; // belongs where the client runs, so it outlives the thread
    auto work = asio::make_work_guard(io);
    std::thread runs([&] { io.run(); });
    list_and_scan(client, scan);
    io.stop();
    runs.join();

    bool worked = false;
    scan_by_callbacks again(client, [&](bool ended) {
        worked = ended;
        client.stop(); // with nothing left to wait for, run() returns
        server.stop();
    });
    again.start();
    work.reset();
    io.restart();
    io.run();
    return worked ? 0 : 1;
}
