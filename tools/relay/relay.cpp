#include "relay/relay.hpp"

#include "relay/placement.hpp"
#include "services/log.hpp"

#include <plex/error.hpp>
#include <plex/request.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <random>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace plex::relay {

namespace asio = boost::asio;
using wall_clock = std::chrono::system_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);
constexpr auto opens_redis_in = 5s;
// First dials are spread: so many at once, so often.
constexpr std::size_t begins_at_once = 5;
constexpr auto begins_every = 100ms;

std::string own_id()
{
    return asio::ip::host_name() + "." + std::to_string(::getpid()) + "." + std::to_string(std::random_device()());
}

// Which machine answers for a name (docs/protocol.md 5).
std::string machine_of(reply const& r)
{
    boost::system::error_code bad;
    boost::json::value const v = boost::json::parse(r.body(), bad);
    boost::json::value const* const machine = bad ? nullptr : v.find_pointer("/MediaContainer/machineIdentifier", bad);
    return machine && machine->is_string() ? std::string(machine->get_string()) : std::string();
}

} // namespace

relay::relay(asio::io_context& io, std::string config_path, std::size_t followers)
    : config_path_(std::move(config_path)), followers_(followers), executor_(io.get_executor()), id_(own_id()),
      redis_(executor_,
             [this](std::string const& why) {
                 if (!stopping_)
                     service::log(log_level::warning, "Redis has gone: " + why);
                 redis_changed_.cancel();
             }),
      watched_(executor_, {[this](std::string const& server, activity_event const& e) {
                               if (auto const f = followed_.find(server); f != followed_.end()) {
                                   f->second->event(e);
                                   flush_soon(f->second);
                               }
                           },
                           [this](std::string const& server, connection_status const& now) {
                               auto const f = followed_.find(server);
                               if (f == followed_.end())
                                   return;
                               f->second->connection(now.state, clock::now());
                               if (f->second->wants_identity())
                                   asio::co_spawn(executor_, identify(f->second), [](std::exception_ptr const&) {});
                           }}),
      next_tick_(executor_), next_begin_(executor_), redis_changed_(executor_, asio::steady_timer::time_point::max())
{
}

relay::~relay() = default;

void relay::start()
{
    reload();
    service::log(log_level::info, "this relay is " + id_);
    asio::co_spawn(executor_, keep_redis(), [](std::exception_ptr const& failure) {
        if (failure)
            std::rethrow_exception(failure); // leaves run()
    });
    tick();
}

void relay::reload()
{
    service::config_file const file(config_path_);
    relay_settings settings = settings_of(file);
    if (store_ && (settings.redis.text() != settings_.redis.text() || settings.prefix != settings_.prefix ||
                   settings.max_length != settings_.max_length || settings.lease != settings_.lease))
        throw service::config_error(config_path_ + ": relay: only \"password_file\" may change without a restart");
    service::watched_servers(executor_, {}).watch(file.servers()); // throws for what no client can have
    configured_ = file.servers();
    settings_ = std::move(settings);
    if (!store_)
        store_.emplace(redis_, id_, settings_.prefix, settings_.max_length, settings_.lease);
    watch();
    place();
}

service::server_settings const* relay::configured(std::string_view name) const
{
    auto const found =
        std::find_if(configured_.begin(), configured_.end(), [&](auto const& each) { return each.name == name; });
    return found == configured_.end() ? nullptr : &*found;
}

asio::awaitable<bool> relay::open_redis()
{
    std::string why;
    try {
        redis_address const to = settings_.redis;
        co_await redis_.open(to, opens_redis_in);
        co_await store_->prepare();
        co_return true;
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
            longest = 100ms;
            service::log(log_level::info, "Redis at " + settings_.redis.text() + " takes what is written");
            tick();
            while (redis_.is_open() && !stopping_)
                co_await redis_changed_.async_wait(quietly);
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
    redis_.close_if_silent_for(std::max<clock::duration>(settings_.lease / 2, 1s));
    if (redis_.is_open()) {
        store_->say_alive([this](std::optional<std::vector<std::string>> relays) {
            if (!relays)
                return;
            relays_ = std::move(*relays);
            place();
        });
        for (auto const& [name, f] : followed_) {
            f->tick(clock::now(), wall_clock::now(), 1s);
            if (f->wants_identity())
                asio::co_spawn(executor_, identify(f), [](std::exception_ptr const&) {});
        }
    }
    if (std::exchange(told_refusal_, counts_.refusal) != counts_.refusal && !counts_.refusal.empty())
        service::log(log_level::error, "Redis refuses what is to be written: " + counts_.refusal);
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

void relay::place()
{
    clock::time_point const now = clock::now();
    std::vector<std::string> over;
    for (auto const& [name, f] : followed_)
        if (!configured(name))
            over.push_back(name);
    for (service::server_settings const& s : configured_) {
        std::vector<std::string> const its = followers_of(s.name, relays_, followers_);
        bool const ours = std::find(its.begin(), its.end(), id_) != its.end();
        auto const f = followed_.find(s.name);
        if (f == followed_.end()) {
            if (ours && std::find(to_begin_.begin(), to_begin_.end(), s.name) == to_begin_.end())
                to_begin_.push_back(s.name);
        } else if (ours || relays_.empty()) {
            f->second->unwanted_since.reset();
        } else if (!f->second->unwanted_since) {
            f->second->unwanted_since = now;
        } else if (!f->second->leads() || now - *f->second->unwanted_since > 2 * settings_.lease) {
            over.push_back(s.name);
        }
    }
    for (std::string const& name : over)
        end(name);
    if (!over.empty())
        watch();
    begin_some();
}

void relay::begin_some()
{
    if (to_begin_.empty() || next_begin_.expiry() > clock::now())
        return;
    next_begin_.expires_after(begins_every);
    next_begin_.async_wait([this](error_code const& ec) {
        if (!ec)
            begin_some();
    });
    for (std::size_t n = 0; n != begins_at_once && !to_begin_.empty(); ++n) {
        std::string name = std::move(to_begin_.front());
        to_begin_.pop_front();
        asio::co_spawn(executor_, begin(std::move(name), {}), [](std::exception_ptr const& failure) {
            if (failure)
                std::rethrow_exception(failure); // leaves run()
        });
    }
}

asio::awaitable<void> relay::begin(std::string name, std::string machine)
{
    store::written before;
    try {
        auto reading = store_->read(name);
        before = co_await std::move(reading);
    } catch (redis_error const&) {
        co_return; // the next `place` tries again
    }
    if (stopping_ || followed_.contains(name) || !configured(name))
        co_return;
    if (!machine.empty() && before.machine != machine)
        before = {std::move(machine), {}};
    followed_.emplace(name,
                      std::make_shared<followed_server>(name, *store_, counts_, std::move(before), wall_clock::now()));
    watch();
}

void relay::end(std::string const& name)
{
    auto const f = followed_.find(name);
    f->second->flush();
    f->second->release();
    followed_.erase(f);
}

void relay::watch()
{
    std::vector<service::server_settings> all;
    std::map<std::string, std::vector<activity>> known;
    for (auto const& [name, f] : followed_)
        if (service::server_settings const* const s = configured(name)) {
            all.push_back(*s);
            known.emplace(name, f->known());
        }
    watched_.watch(all, known);
}

asio::awaitable<void> relay::identify(server_ptr of)
{
    plex::client* const client = watched_.client_of(of->name());
    if (!client)
        co_return;
    std::string machine;
    try {
        request asking("GET", "/identity");
        auto sending = client->send(std::move(asking));
        reply const answered = co_await std::move(sending);
        machine = machine_of(answered);
    } catch (plex::error const&) {
        co_return; // the next tick asks again
    }
    auto const still = followed_.find(of->name());
    if (machine.empty() || still == followed_.end() || still->second != of)
        co_return;
    if (of->answers_as(machine))
        co_return flush_soon(of);
    service::log(log_level::warning, of->name() + ": another machine answers; what ran on the one before is dropped");
    end(of->name());
    watch(); // without it, so that the next feed knows nothing of the machine before
    auto beginning = begin(of->name(), machine);
    co_await std::move(beginning);
}

void relay::flush_soon(server_ptr const& f)
{
    if (!f->leads())
        return;
    if (to_flush_.empty())
        asio::post(executor_, [this] {
            for (server_ptr const& each : std::exchange(to_flush_, {}))
                each->flush();
        });
    to_flush_.push_back(f);
}

std::string relay::status() const
{
    auto const led = std::count_if(followed_.begin(), followed_.end(), [](auto const& f) { return f.second->leads(); });
    std::size_t waiting = 0;
    for (auto const& [name, f] : followed_)
        waiting += f->leads() ? f->waiting().waiting() : 0;
    return std::to_string(configured_.size()) + " servers, " + std::to_string(followed_.size()) + " followed, " +
           std::to_string(led) + " written by us, " + std::to_string(relays_.size()) + " relays, Redis " +
           (redis_.is_open() ? "connected, " : "away, ") + std::to_string(waiting) + " waiting";
}

asio::awaitable<void> relay::stop()
{
    stopping_ = true;
    next_tick_.cancel();
    next_begin_.cancel();
    co_await watched_.close();
    if (redis_.is_open()) {
        for (auto const& [name, f] : followed_) {
            f->flush();
            f->release();
        }
        store_->say_gone();
        std::vector<std::string> ping = {"PING"};
        try {
            co_await redis_.command(std::move(ping)); // all before it are answered
        } catch (redis_error const&) {
        }
    }
    redis_changed_.cancel();
    redis_.close("the service stops");
}

} // namespace plex::relay
