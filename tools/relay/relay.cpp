#include "relay/relay.hpp"

#include "services/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <random>
#include <utility>

#include <unistd.h>

namespace plex::relay {

namespace asio = boost::asio;
using wall_clock = std::chrono::system_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr auto opens_redis_in = 5s;

std::string own_id()
{
    return asio::ip::host_name() + "." + std::to_string(::getpid()) + "." + std::to_string(std::random_device()());
}

} // namespace

relay::relay(asio::io_context& io, std::string config_path, std::size_t followers)
    : config_path_(std::move(config_path)), followers_(followers), executor_(io.get_executor()), id_(own_id()),
      redis_(executor_,
             [this](std::string const& why) {
                 redis_is_ready_ = false;
                 if (!stopping_)
                     service::log(log_level::warning, "Redis has gone: " + why);
                 redis_changed_.cancel();
             }),
      metrics_([this](std::string const& server) { return watched_.counters_of(server); }), own_metrics_(metrics_),
      watched_(executor_, {[this](std::string const& server, activity_event const& e) {
                               metrics_.event(server, e);
                               if (auto const f = followed_.find(server); f != followed_.end()) {
                                   f->second->event(e);
                                   flush_soon(f->second);
                               }
                           },
                           [this](std::string const& server, connection_status const& now) {
                               metrics_.connection(server, now);
                               auto const f = followed_.find(server);
                               if (f == followed_.end())
                                   return;
                               f->second->connection(now.state, clock::now());
                               if (f->second->wants_identity())
                                   ask_identity(f->second);
                           }}),
      next_tick_(executor_), next_begin_(executor_), next_figures_(executor_),
      redis_changed_(executor_, asio::steady_timer::time_point::max())
{
}

relay::~relay()
{
    stopping_ = true;
    redis_.close("the service stops"); // what waits for an answer is about members that go before it
}

void relay::start()
{
    reload();
    service::log(log_level::info, "this relay is " + id_);
    asio::co_spawn(executor_, keep_redis(), [](std::exception_ptr const& failure) {
        if (failure)
            std::rethrow_exception(failure); // leaves run()
    });
    site_.emplace(executor_, settings_.status_listen, metrics_, [this] { return ails(); });
    tick();
    tell_figures();
}

void relay::reload()
{
    service::config_file const file(config_path_);
    relay_settings settings = settings_of(file);
    redis_address same = settings.redis;
    same.password = settings_.redis.password;
    if (store_ && (same != settings_.redis || settings.prefix != settings_.prefix ||
                   settings.max_length != settings_.max_length || settings.lease != settings_.lease ||
                   settings.status_listen != settings_.status_listen))
        throw service::config_error(config_path_ + ": relay: only \"password_file\" may change without a restart");
    service::watched_servers::check(executor_, file.servers());
    configured_.clear();
    for (service::server_settings const& each : file.servers())
        configured_.emplace(each.name, each);
    settings_ = std::move(settings);
    if (!store_)
        store_.emplace(redis_, id_, settings_.prefix, settings_.max_length, settings_.lease);
    watch();
    place();
}

asio::awaitable<bool> relay::open_redis()
{
    std::string why;
    try {
        redis_address const to = settings_.redis;
        co_await redis_.open(to, opens_redis_in);
        co_await store_->prepare();
        redis_is_ready_ = redis_.is_open();
        co_return redis_is_ready_;
    } catch (redis_error const& e) {
        why = e.what();
    }
    redis_.close(why);
    service::log(log_level::error, why);
    co_return false;
}

asio::awaitable<void> relay::keep_redis()
{
    std::minstd_rand random(std::random_device{}());
    asio::steady_timer pause(executor_);
    for (auto longest = 100ms; !stopping_;) {
        bool const opened = co_await open_redis();
        if (opened) {
            clock::time_point const since = clock::now();
            others_may_come_back_ = std::exchange(redis_was_ready_, true);
            service::log(log_level::info, "Redis at " + settings_.redis.text() + " takes what is written");
            tick();
            while (redis_is_ready_ && !stopping_)
                co_await redis_changed_.async_wait(quietly);
            if (clock::now() - since > 10s) // else it takes nothing, though it lets us in
                longest = 100ms;
        }
        pause.expires_after(std::chrono::milliseconds(random() % static_cast<unsigned>(longest.count())));
        longest = std::min(longest * 2, 5'000ms);
        if (!stopping_)
            co_await pause.async_wait(quietly);
    }
}

void relay::tick()
{
    if (stopping_)
        return;
    redis_.close_if_silent_for(std::clamp<clock::duration>(settings_.lease / 2, 1s, 10s));
    if (redis_is_ready_) {
        store_->say_alive([this](std::optional<std::vector<std::string>> relays, std::string const& why) {
            refusal_ = why;
            // After an outage we may be the first one back: the others come before their servers are taken for
            // nobody's.
            if (!relays || std::exchange(others_may_come_back_, false))
                return;
            relays_ = std::move(*relays);
            place();
        });
        for (auto const& [name, f] : followed_) {
            f->tick(clock::now(), wall_clock::now(), {1s, settings_.lease / 3 - beat() / 2, settings_.lease});
            if (f->wants_identity())
                ask_identity(f);
        }
    }
    if (figures().written == 0)
        counts_.refusal.clear(); // there is nothing of ours that Redis could refuse any more
    std::string const refusal = refusal_.empty() ? counts_.refusal : refusal_;
    if (std::exchange(told_refusal_, refusal) != refusal && !refusal.empty())
        service::log(log_level::error, "Redis refuses what is to be written: " + refusal);
    if (counts_.trimmed != told_trimmed_ && clock::now() - told_trimmed_at_ >= 1min) {
        service::log(log_level::info, "the stream is at its length: " +
                                          std::to_string(counts_.trimmed - told_trimmed_) + " old entries have gone");
        told_trimmed_ = counts_.trimmed;
        told_trimmed_at_ = clock::now();
    }
    next_tick_.expires_after(beat());
    next_tick_.async_wait([this](error_code const& ec) {
        if (!ec)
            tick();
    });
}

relay::clock::duration relay::beat() const
{
    return std::min<clock::duration>(settings_.lease / 3, 3s);
}

relay_metrics::figures relay::figures() const
{
    relay_metrics::figures now;
    now.redis_is_open = redis_is_ready_;
    now.relays = relays_.size();
    now.followed = followed_.size();
    now.counts = counts_;
    for (auto const& [name, f] : followed_) {
        if (!f->leads())
            continue;
        ++now.written;
        now.waiting += f->waiting().waiting();
    }
    return now;
}

void relay::tell_figures()
{
    own_metrics_.update(figures());
    next_figures_.expires_after(1s);
    next_figures_.async_wait([this](error_code const& ec) {
        if (!ec)
            tell_figures();
    });
}

std::string relay::ails() const
{
    if (!redis_is_ready_)
        return "Redis at " + settings_.redis.text() + " is away";
    if (!told_refusal_.empty())
        return "Redis refuses what is to be written: " + told_refusal_;
    return followed_.empty() ? std::string() : metrics_.none_live(); // the other relays may have taken all
}

std::string relay::status() const
{
    relay_metrics::figures const now = figures();
    return std::to_string(configured_.size()) + " servers, " + std::to_string(now.followed) + " followed, " +
           std::to_string(now.written) + " written by us, " + std::to_string(now.relays) + " relays, Redis " +
           (now.redis_is_open ? "connected, " : "away, ") + std::to_string(now.waiting) + " waiting";
}

asio::awaitable<void> relay::stop()
{
    stopping_ = true;
    next_tick_.cancel();
    next_begin_.cancel();
    next_figures_.cancel();
    if (site_)
        site_->stop();
    co_await watched_.close();
    asio::steady_timer pause(executor_);
    for (int tries = 0; tries != 20 && redis_is_ready_ && figures().waiting != 0; ++tries) {
        for (auto const& [name, f] : followed_)
            f->flush();
        pause.expires_after(100ms);
        co_await pause.async_wait(quietly);
    }
    if (redis_is_ready_) {
        for (auto const& [name, f] : followed_)
            f->release();
        store_->say_gone();
        std::vector<std::string> ping = {"PING"};
        asio::steady_timer deadline(executor_, 2s);
        deadline.async_wait([this](error_code const& ec) {
            if (!ec)
                redis_.close("no answer in time");
        });
        try {
            co_await redis_.command(std::move(ping)); // all before it are answered
        } catch (redis_error const&) {
        }
    }
    redis_changed_.cancel();
    redis_.close("the service stops");
}

} // namespace plex::relay
