#include "dashboard/dashboard.hpp"

#include "dashboard/dashboard_settings.hpp"
#include "services/config_file.hpp"
#include "services/log.hpp"

#include <plex/error.hpp>

#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

namespace plex::dashboard {

namespace asio = boost::asio;

namespace {

constexpr auto frame = std::chrono::milliseconds(100);
constexpr auto tidies_every = std::chrono::minutes(1);

std::string text_of(asio::ip::tcp::endpoint const& at)
{
    std::ostringstream out;
    out << at;
    return out.str();
}

} // namespace

dashboard::dashboard(asio::io_context& io, std::string config_path)
    : config_path_(std::move(config_path)), executor_(io.get_executor()), board_(false),
      metrics_([this](std::string const& server) { return servers_.counters_of(server); }),
      site_(board_, metrics_,
            [this](std::string server, std::string uuid) { return cancel(std::move(server), std::move(uuid)); }),
      servers_(executor_, {[this](std::string const& server, activity_event const& e) {
                               board_.event(server, e);
                               metrics_.event(server, e);
                               changed();
                           },
                           [this](std::string const& server, connection_status const& now) {
                               board_.connection(server, now, std::chrono::system_clock::now());
                               metrics_.connection(server, now);
                               changed();
                           }}),
      next_frame_(executor_), next_tidying_(executor_)
{
}

void dashboard::start()
{
    reload();
    auto const answer = [this](service::http_request asked) { return site_.answer(std::move(asked)); };
    try {
        http_.emplace(executor_, *listens_, service::http_limits(), answer);
    } catch (boost::system::system_error const& e) {
        throw std::runtime_error("cannot listen on " + text_of(*listens_) + ": " + e.code().message() +
                                 ": give another address as \"listen\" of \"dashboard\" in " + config_path_);
    }
    asio::ip::tcp::endpoint const at = http_->local_endpoint();
    service::log(plex::log_level::info, "the page is http://" + text_of(at) + "/");
    if (!at.address().is_loopback())
        service::log(plex::log_level::warning, "whoever reaches " + text_of(at) +
                                                   " reads the titles of all that runs: put a proxy that asks for a "
                                                   "password before it, or listen on 127.0.0.1");
    tidy();
}

void dashboard::reload()
{
    service::config_file const file(config_path_);
    dashboard_settings settings = settings_of(file);
    if (listens_ && *listens_ != settings.listen)
        throw service::config_error(config_path_ + ": dashboard.listen: has changed, which takes a restart");
    servers_.watch(file.servers()); // what it is told comes after this function
    listens_ = settings.listen;
    board_.configured(service::names_of(file.servers()));
    metrics_.configured(service::names_of(file.servers()));
    site_.admit(std::move(settings.hosts), std::move(settings.cancel_token));
    changed();
}

std::string dashboard::status() const
{
    return std::to_string(metrics_.count().servers) + " servers, " + std::to_string(http_ ? http_->readers() : 0) +
           " browsers";
}

asio::awaitable<void> dashboard::stop()
{
    next_frame_.cancel();
    next_tidying_.cancel();
    http_->stop();
    co_await servers_.close();
}

void dashboard::changed()
{
    if (std::exchange(frame_is_due_, true))
        return;
    // At once, unless there was a frame a moment ago.
    next_frame_.async_wait([this](error_code const& ec) {
        if (ec)
            return;
        frame_is_due_ = false;
        if (http_)
            http_->wake_readers();
        next_frame_.expires_after(frame);
    });
}

void dashboard::tidy()
{
    board_.forget_old(std::chrono::system_clock::now());
    next_tidying_.expires_after(tidies_every);
    next_tidying_.async_wait([this](error_code const& ec) {
        if (!ec)
            tidy();
    });
}

asio::awaitable<void> dashboard::cancel(std::string server, std::string uuid)
{
    plex::client* const client = servers_.client_of(server);
    if (!client)
        throw plex::error(errc::stopped, "cancelling an activity of " + server + ": it is not configured any more");
    auto cancelling = client->cancel_server_activities(std::move(uuid)); // may outlive the client
    co_await std::move(cancelling);
}

} // namespace plex::dashboard
