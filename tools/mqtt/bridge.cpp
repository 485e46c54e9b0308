#include "mqtt/bridge.hpp"

#include "services/config_file.hpp"
#include "services/log.hpp"

#include "protocol/utf8.hpp"

#include <plex/error.hpp>

#include <boost/asio/co_spawn.hpp>

#include <prometheus/gauge.h>

#include <chrono>
#include <exception>
#include <utility>

namespace plex::mqtt {

namespace asio = boost::asio;

namespace {

constexpr auto tells_progress_every = std::chrono::seconds(1);

} // namespace

bridge::bridge(asio::io_context& io, std::string config_path)
    : config_path_(std::move(config_path)), executor_(io.get_executor()),
      metrics_([this](std::string const& server) { return servers_.counters_of(server); }),
      connected_(metrics_.own_gauge("plex_mqtt_connected", "1 while the broker is connected.")),
      waiting_(
          metrics_.own_gauge("plex_mqtt_waiting_topics", "Topics whose last message the broker has not confirmed.")),
      servers_(executor_, {[this](std::string const& server, activity_event const& e) {
                               metrics_.event(server, e);
                               publish(home_->event(server, e));
                           },
                           [this](std::string const& server, connection_status const& now) {
                               metrics_.connection(server, now);
                               publish(home_->connection(server, now.state));
                           }}),
      next_tick_(executor_)
{
}

bridge::~bridge() = default;

void bridge::start()
{
    reload();
    broker_->connect();
    site_.emplace(executor_, settings_->status_listen, metrics_, [this] { return ails(); });
    tick();
}

void bridge::reload()
{
    service::config_file const file(config_path_);
    mqtt_settings settings = settings_of(file);
    if (settings_ &&
        (settings.broker != settings_->broker || settings.prefix != settings_->prefix ||
         settings.discovery_prefix != settings_->discovery_prefix || settings.can_cancel != settings_->can_cancel ||
         settings.status_listen != settings_->status_listen))
        throw service::config_error(config_path_ + ": mqtt: has changed, which takes a restart");
    if (!settings_) {
        topics_.emplace(settings.prefix, settings.discovery_prefix, PLEX_COMMAND_VERSION);
        home_.emplace(*topics_);
        std::vector<std::string> listens = topics_->running_of_all();
        listens.push_back(topics_->birth());
        if (settings.can_cancel)
            listens.push_back(topics_->cancel("+"));
        broker_ = std::make_unique<broker>(executor_, settings.broker, topics_->availability(), std::move(listens),
                                           broker::told{[this](std::string const& topic, std::string const& payload,
                                                               bool kept) { message_came(topic, payload, kept); },
                                                        [this](bool connected) { connected_.Set(connected ? 1 : 0); }});
        settings_ = std::move(settings);
    }
    servers_.watch(file.servers());
    std::vector<std::string> const names = service::names_of(file.servers());
    metrics_.configured(names);
    publish(home_->configured(names));
}

void bridge::publish(std::vector<message> all)
{
    for (message& m : all)
        broker_->publish(std::move(m));
}

void bridge::tick()
{
    publish(home_->progress());
    waiting_.Set(static_cast<double>(broker_->waiting()));
    next_tick_.expires_after(tells_progress_every);
    next_tick_.async_wait([this](error_code const& ec) {
        if (!ec)
            tick();
    });
}

void bridge::message_came(std::string const& topic, std::string const& payload, bool kept)
{
    if (kept)
        return home_->kept(topic, payload);
    if (topic == topics_->birth() && payload == "online") {
        service::log(log_level::info, "Home Assistant has started: all of it is published again");
        return broker_->publish_again();
    }
    if (!settings_->can_cancel)
        return;
    std::optional<std::string> const server = home_->server_of(topics_->cancelled_at(topic));
    if (server)
        asio::co_spawn(executor_, cancel(*server, payload), [](std::exception_ptr const&) {});
}

asio::awaitable<void> bridge::cancel(std::string server, std::string uuid)
{
    std::string const what =
        server + ": cancelling " + std::string(protocol::cut_utf8(protocol::terminal_safe(uuid), 64));
    plex::client* const client = servers_.client_of(server);
    if (!client)
        co_return;
    try {
        auto cancelling = client->cancel_server_activities(std::move(uuid)); // may outlive the client
        co_await std::move(cancelling);
        service::log(log_level::info, what + ": done, as a message has asked for");
    } catch (plex::error const& e) {
        service::log(log_level::warning, what + ": " + e.what());
    }
}

std::string bridge::ails() const
{
    return broker_->is_connected() ? metrics_.none_live() : "the broker " + settings_->broker.url + " is away";
}

std::string bridge::status() const
{
    service::metrics::totals const t = metrics_.count();
    return std::to_string(t.servers) + " servers, " + std::to_string(t.running) + " activities, the broker is " +
           (broker_->is_connected() ? "connected" : "away");
}

asio::awaitable<void> bridge::stop()
{
    next_tick_.cancel();
    if (site_)
        site_->stop();
    // Also for a server that the next configuration does not have.
    publish(home_->goodbye());
    co_await broker_->close();
    co_await servers_.close();
}

} // namespace plex::mqtt
