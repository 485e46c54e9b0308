#include "services/watched_servers.hpp"

#include "services/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace plex::service {

namespace asio = boost::asio;

struct watched_servers::watched {
    watched(asio::any_io_executor executor, server_settings s, plex::config c)
        : settings(std::move(s)), client(executor, std::move(c)), again(executor)
    {
    }

    void end() noexcept
    {
        gone = true;
        again.cancel();
    }

    void remember(activity_event const& e)
    {
        std::string uuid(e.activity.uuid());
        if (e.kind == event_kind::ended)
            running.erase(uuid);
        else
            running.insert_or_assign(std::move(uuid), e.activity);
    }

    std::vector<activity> known() const
    {
        std::vector<activity> all;
        all.reserve(running.size());
        for (auto const& [uuid, each] : running)
            all.push_back(each);
        return all;
    }

    static asio::awaitable<void> follow(std::shared_ptr<watched> self, std::shared_ptr<told const>, duration);

    server_settings settings;
    plex::client client;
    asio::steady_timer again;
    std::map<std::string, activity> running;
    bool gone = false;
};

namespace {

plex::config config_of(server_settings const& s)
{
    plex::config c = s.config();
    c.logger = logger_of(s.name);
    c.executor_is_strand = true;
    c.identity.version = PLEX_COMMAND_VERSION;
    return c;
}

// What is told beside `ended`, whose next try is ours.
connection_status refused(plex::error const& why, std::chrono::steady_clock::duration next_try)
{
    connection_status status;
    status.state = connection_state::ended;
    status.last_error = why.code();
    status.diagnostics = why.diagnostics();
    status.next_try = next_try;
    return status;
}

} // namespace

asio::awaitable<void> watched_servers::watched::follow(std::shared_ptr<watched> self, std::shared_ptr<told const> told,
                                                       duration retry_refused)
{
    std::string const& name = self->settings.name;
    co_await asio::post(self->again.get_executor(), asio::use_awaitable); // nothing is told within watch()
    self->client.on_connection_change([told, w = self.get()](connection_status const& now) {
        if (!w->gone && now.state != connection_state::ended)
            told->connection(w->settings.name, now);
    });
    while (!self->gone) {
        plex::feed feed = self->client.subscribe(self->settings.filter(), self->known());
        std::optional<plex::error> why;
        try {
            for (;;) {
                std::optional<activity_event> const event = co_await feed.next();
                if (!event || self->gone)
                    break;
                self->remember(*event);
                told->event(name, *event);
            }
        } catch (plex::error const& e) {
            why = e;
        }
        if (!why || self->gone)
            break;
        log(plex::log_level::error, name + ": " + why->what());
        told->connection(name, refused(*why, retry_refused));
        self->again.expires_after(retry_refused);
        co_await self->again.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

watched_servers::watched_servers(asio::any_io_executor executor, told functions, duration retry_refused)
    : executor_(std::move(executor)), told_(std::make_shared<told const>(std::move(functions))),
      retry_refused_(retry_refused)
{
}

watched_servers::~watched_servers()
{
    for (auto const& [name, each] : servers_) {
        each->end();
        each->client.stop();
    }
}

std::shared_ptr<watched_servers::watched> watched_servers::find(std::string_view server) const
{
    auto const found = servers_.find(server);
    return found == servers_.end() ? nullptr : found->second;
}

plex::client* watched_servers::client_of(std::string_view server) noexcept
{
    std::shared_ptr<watched> const found = find(server);
    return found ? &found->client : nullptr;
}

std::optional<counters> watched_servers::counters_of(std::string_view server) const
{
    std::shared_ptr<watched> const found = find(server);
    return found ? std::optional(found->client.counters()) : std::nullopt;
}

std::shared_ptr<watched_servers::watched> watched_servers::made_of(asio::any_io_executor const& executor,
                                                                   server_settings const& s)
{
    try {
        return std::make_shared<watched>(executor, s, config_of(s));
    } catch (plex::error const& e) {
        throw config_error(s.place + " (" + s.name + "): " + e.what());
    }
}

void watched_servers::check(asio::any_io_executor const& executor, std::vector<server_settings> const& all)
{
    for (server_settings const& each : all)
        made_of(executor, each);
}

void watched_servers::watch(std::vector<server_settings> const& wanted,
                            std::map<std::string, std::vector<activity>> const& known)
{
    decltype(servers_) next;
    std::vector<std::shared_ptr<watched>> made;
    for (server_settings const& settings : wanted) {
        std::shared_ptr<watched> const there = find(settings.name);
        if (there && there->settings == settings) {
            next.emplace(settings.name, there);
            continue;
        }
        made.push_back(made_of(executor_, settings));
        next.emplace(settings.name, made.back());
        if (there)
            made.back()->running = there->running;
        else if (auto const before = known.find(settings.name); before != known.end())
            for (activity const& a : before->second)
                made.back()->running.insert_or_assign(std::string(a.uuid()), a);
    }
    std::swap(servers_, next);
    for (auto const& [name, before] : next)
        if (find(name) != before) {
            before->end();
            asio::co_spawn(executor_, before->client.close(), [closing = before](std::exception_ptr const&) {});
        }
    for (auto const& each : made)
        asio::co_spawn(executor_, watched::follow(each, told_, retry_refused_), [](std::exception_ptr const& failure) {
            if (failure)
                std::rethrow_exception(failure); // leaves run()
        });
}

asio::awaitable<void> watched_servers::close()
{
    auto const left = std::make_shared<std::size_t>(servers_.size());
    auto const all_closed = std::make_shared<asio::steady_timer>(executor_, asio::steady_timer::time_point::max());
    for (auto const& [name, each] : servers_) {
        each->end();
        asio::co_spawn(executor_, each->client.close(), [closing = each, left, all_closed](std::exception_ptr const&) {
            if (--*left == 0)
                all_closed->cancel();
        });
    }
    if (*left != 0)
        co_await all_closed->async_wait(asio::as_tuple(asio::use_awaitable));
}

} // namespace plex::service
