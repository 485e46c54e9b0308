#include "demo_server.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace plex::command {

namespace asio = boost::asio;
using plex::testing::fake_activity;

namespace {

plex::testing::fake_server_options server_options(std::string token)
{
    plex::testing::fake_server_options o;
    o.token = std::move(token);
    o.call_duration = std::chrono::seconds(5);
    o.refresh_plays_recording = true;
    o.cancel_delay = std::chrono::milliseconds(300);
    return o;
}

} // namespace

demo_server::demo_server(asio::any_io_executor executor, std::string token)
    : server_(std::move(executor), server_options(std::move(token)))
{
}

void demo_server::start_others()
{
    fake_activity refresh("library.refresh.items", "Refreshing", "Checking files");
    refresh.context_json = R"({"accessible":true,"exists":true,"key":"/library/metadata/513"})";
    refresh_ = server_.start_activity(refresh);

    fake_activity credits("media.generate.credits", "Detecting Credits", "Show E S01 E21");
    credits.progress = -1;
    credits_ = server_.start_activity(credits);

    fake_activity guide("provider.epg.load", "Refreshing EPG", "Downloaded 12 airings");
    guide.progress = 5;
    guide_ = server_.start_activity(guide);

    fake_activity download("media.download", "Converting", "Café au Soleil (1997)");
    download.progress = 3;
    download.cancellable = true;
    download.context_json = R"({"key":"/library/metadata/77","librarySectionID":"3"})";
    download_ = server_.start_activity(download);
}

bool demo_server::runs(std::string const& uuid) const
{
    std::vector<fake_activity> const all = server_.running();
    return std::any_of(all.begin(), all.end(), [&](fake_activity const& a) { return a.uuid == uuid; });
}

asio::awaitable<void> demo_server::play_others()
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (int step = 1; step <= 20; ++step) {
        timer.expires_after(std::chrono::milliseconds(250));
        co_await timer.async_wait(asio::use_awaitable);
        // Whoever is connected may have ended any of them.
        if (runs(refresh_)) {
            if (step == 4)
                server_.update_activity(refresh_, 33, "Refreshing local metadata");
            else if (step == 8)
                server_.update_activity(
                    refresh_, 66, "Refreshing media analysis",
                    R"({"accessible":true,"exists":true,"key":"/library/metadata/513","refreshed":false})");
            else if (step == 12)
                server_.end_activity(refresh_);
        }
        if (step == 16 && runs(credits_))
            server_.end_activity(credits_, -1);
        if (runs(guide_)) {
            if (step < 18)
                server_.update_activity(guide_, 5 + 5 * step, "Downloaded " + std::to_string(17 * step) + " airings");
            else
                server_.end_activity(guide_);
        }
        if (runs(download_)) {
            if (step < 20)
                server_.update_activity(download_, 3 + 4 * step);
            else
                server_.end_activity(download_);
        }
    }
}

} // namespace plex::command
