#include "relay/relay.hpp"

#include "relay/placement.hpp"
#include "services/log.hpp"

#include <plex/error.hpp>
#include <plex/request.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

// Which servers this relay follows, from the first dial to the last.
namespace plex::relay {

namespace asio = boost::asio;
using wall_clock = std::chrono::system_clock;
using namespace std::chrono_literals;

namespace {

// First dials are spread: so many at once, so often.
constexpr std::size_t begins_at_once = 5;
constexpr auto begins_every = 100ms;

// Which machine answers for a name (docs/protocol.md 5).
std::string machine_of(reply const& r)
{
    boost::system::error_code bad;
    boost::json::value const v = boost::json::parse(r.body(), bad);
    boost::json::value const* const machine = bad ? nullptr : v.find_pointer("/MediaContainer/machineIdentifier", bad);
    return machine && machine->is_string() ? std::string(machine->get_string()) : std::string();
}

} // namespace

service::server_settings const* relay::configured(std::string_view name) const
{
    auto const found = configured_.find(name);
    return found == configured_.end() ? nullptr : &found->second;
}

void relay::place()
{
    clock::time_point const now = clock::now();
    std::vector<std::string> over;
    for (auto const& [name, f] : followed_)
        if (!configured(name))
            over.push_back(name);
    to_begin_.clear();
    for (auto const& [name, s] : configured_) {
        std::vector<std::string> const its = followers_of(name, relays_, followers_);
        bool const ours = std::find(its.begin(), its.end(), id_) != its.end();
        auto const f = followed_.find(name);
        if (f != followed_.end())
            f->second->others_follow = its.size() > (ours ? 1u : 0u);
        if (f == followed_.end()) {
            if (ours)
                to_begin_.push_back(name);
        } else if (ours || relays_.empty()) {
            f->second->unwanted_since.reset();
        } else if (!f->second->unwanted_since) {
            f->second->unwanted_since = now;
        } else if (!f->second->leads() || now - *f->second->unwanted_since > 2 * settings_.lease) {
            over.push_back(name);
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
    metrics_.configured(service::names_of(all));
}

void relay::ask_identity(server_ptr const& of)
{
    if (std::exchange(of->is_being_identified, true))
        return;
    asio::co_spawn(executor_, identify(of), [of](std::exception_ptr const& failure) {
        of->is_being_identified = false;
        if (failure)
            std::rethrow_exception(failure); // leaves run()
    });
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
        // The next tick asks again.
    }
    auto const still = followed_.find(of->name());
    if (machine.empty() || still == followed_.end() || still->second != of)
        co_return;
    if (of->answers_as(machine)) {
        flush_soon(of);
        co_return;
    }
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

} // namespace plex::relay
