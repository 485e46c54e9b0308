#include <plex/operation.hpp>

#include "client_state.hpp"
#include "onlooker.hpp"
#include "sync/patience.hpp"
#include "sync/pursuit.hpp"
#include "with_reason.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace plex {

namespace asio = boost::asio;

namespace detail {

namespace {

sync::pursuit_terms terms_of(activity_request const& asked, settings const& kept)
{
    sync::pursuit_terms terms;
    terms.wanted = asked.filter();
    terms.or_running = asked.accepts_running();
    terms.appear_timeout = kept.appear_timeout;
    terms.limits.conflate_after = kept.conflate_after;
    terms.limits.bytes = kept.mailbox_bytes;
    return terms;
}

} // namespace

/// An operation: a request, and the activity that it started.
struct followed final : onlooker {
    followed(std::shared_ptr<client_state> s, activity_request what)
        : client(std::move(s)), asked(std::move(what)), pursuit(terms_of(asked, client->kept))
    {
    }
    ~followed() { client->feed.disregard(*this); }

    void told(sync::mail const& m, time_point) override
    {
        if (pursuit.told(m))
            waiting.wake_all();
    }
    void listed(time_point requested, bool polled, time_point) override
    {
        pursuit.listed(requested, polled);
        waiting.wake_all();
    }
    void interrupted() override { pursuit.interrupted(); }
    void ended(error const& why) override
    {
        if (why.code() == errc::stopped)
            stopped = true; // as a feed: next() yields empty
        else
            failure = why;
        waiting.wake_all();
    }
    void stop() noexcept
    {
        stopped = true;
        client->feed.disregard(*this);
        waiting.wake_all();
    }

    undertaking doing() const { return {"following what a request started", client->calls.origin()}; }

    static operation handle(std::shared_ptr<followed> f) { return operation(std::move(f)); }
    static std::shared_ptr<followed> const& of(operation const& o) noexcept { return o.followed_; }

    std::shared_ptr<client_state> const client;
    activity_request const asked;
    sync::pursuit pursuit;
    sync::patience patience;
    reply answer;
    net::wait_list waiting;
    std::optional<error> failure;
    bool stopped = false;
    bool taking = false; // a next() is pending
};

namespace {

/// Until something may have changed. @throws error when the time is over
asio::awaitable<void> wait_for_news(std::shared_ptr<followed> f, net::steady_time until)
{
    sync::patience::step const step =
        f->patience.next(std::chrono::steady_clock::now(), until, f->pursuit.list_wanted_at());
    if (step.give_up)
        throw network_error(f->doing(), asio::error::timed_out, "waiting for " + f->pursuit.awaited());
    if (step.ask_for_list)
        f->client->feed.want_list();
    net::woken const why = co_await f->waiting.park(f->client->scope.executor(), step.wake_at);
    if (why == net::woken::by_cancellation)
        throw network_error(f->doing(), asio::error::operation_aborted, "waiting for " + f->pursuit.awaited());
}

asio::awaitable<std::optional<activity_event>> next_event(std::shared_ptr<followed> f,
                                                          std::optional<client::duration> deadline)
{
    net::steady_time const until = time_limit(deadline);
    if (f->taking)
        throw error(errc::operation_in_progress, "waiting for an event of an operation whose next event is awaited");
    f->taking = true;
    struct leave {
        ~leave() { f.taking = false; }
        followed& f;
    } const left{*f};
    for (;;) {
        if (f->stopped)
            co_return std::nullopt;
        std::optional<activity_event> event = f->pursuit.take();
        if (event)
            co_return event;
        if (f->pursuit.overflowed())
            throw error(errc::subscriber_overflow,
                        "taking an operation's events: they came faster than they were taken");
        if (f->pursuit.result())
            co_return std::nullopt;
        if (f->failure)
            throw error(*f->failure);
        auto const before = co_await asio::this_coro::cancellation_state;
        bool const was_cancelled = before.cancelled() != asio::cancellation_type::none;
        co_await wait_for_news(f, until);
        // Of a wait that was cancelled nothing is taken, as in a feed: an event that came with it is for the next one.
        auto const after = co_await asio::this_coro::cancellation_state;
        if (!was_cancelled && after.cancelled() != asio::cancellation_type::none)
            throw network_error(f->doing(), asio::error::operation_aborted, "waiting for " + f->pursuit.awaited());
    }
}

asio::awaitable<outcome> outcome_of(std::shared_ptr<followed> f, std::optional<client::duration> deadline)
{
    net::steady_time const until = time_limit(deadline);
    for (;;) {
        if (f->pursuit.result())
            co_return *f->pursuit.result();
        if (f->stopped)
            throw stopped_error(f->doing());
        if (f->failure)
            throw error(*f->failure);
        co_await wait_for_news(f, until);
    }
}

/// The uuid to cancel by; empty when there is nothing to cancel any more.
asio::awaitable<std::string> uuid_to_cancel(std::shared_ptr<followed> f, std::optional<client::duration> deadline)
{
    net::steady_time const until = time_limit(deadline);
    for (;;) {
        std::string uuid(f->pursuit.found().uuid());
        if (f->pursuit.result() || !uuid.empty())
            co_return f->pursuit.result() ? std::string() : uuid;
        if (f->stopped)
            throw stopped_error(f->doing());
        if (f->failure)
            throw error(*f->failure);
        co_await wait_for_news(f, until);
    }
}

asio::awaitable<void> ask_to_end(std::shared_ptr<followed> f, std::optional<client::duration> deadline)
{
    std::optional<error> failure;
    try {
        if (f->asked.cancel()) {
            if (f->pursuit.result())
                co_return;
            request asked = *f->asked.cancel();
            co_await f->client->calls.demand("cancelling what a request started", std::move(asked));
        } else {
            std::string uuid = co_await uuid_to_cancel(f, deadline);
            if (!uuid.empty())
                co_await detail::cancel(f->client, std::move(uuid));
        }
    } catch (error const& e) {
        // 404: it has ended already (protocol.md, rule 15).
        if (e.code() != errc::activity_not_found && e.code() != errc::not_found)
            failure = e;
    }
    if (failure)
        throw error(*failure);
}

template <class F>
auto at_home(std::shared_ptr<followed> const& f, F work) -> decltype(work())
{
    return run_at(f->client->at, with_reason(f->doing(), work()));
}

asio::awaitable<std::optional<activity_event>> nothing()
{
    co_return std::nullopt;
}

template <class T>
asio::awaitable<T> never_started()
{
    throw error(errc::stopped, "awaiting an operation that was never started");
    co_return T();
}

} // namespace

asio::awaitable<operation> start(std::shared_ptr<client_state> s, activity_request asked,
                                 std::optional<client::duration> deadline)
{
    auto const f = std::make_shared<followed>(s, std::move(asked));
    s->calls.check(f->asked.request()); // at once, not when the feed is ready
    // From now on it is told what runs, so that it knows what is new.
    s->feed.watch(s, *f);
    net::steady_time const until = time_limit(deadline);
    co_await s->feed.ready(s, until);
    request what = f->asked.request();
    std::function<void()> const sending = [&f] { f->pursuit.sending(); };
    f->answer = co_await s->calls.demand("starting an activity", std::move(what), until, &sending);
    f->pursuit.replied(std::string(f->answer.activity_uuid()), std::chrono::steady_clock::now());
    co_return followed::handle(f);
}

std::shared_ptr<followed> const& followed_by(operation const& o)
{
    return followed::of(o);
}

std::shared_ptr<home> home_of(std::shared_ptr<followed> const& f)
{
    return f ? f->client->at : nullptr;
}

// From wherever it is awaited to the client's executor.

asio::awaitable<std::optional<activity_event>> next(std::shared_ptr<followed> f,
                                                    std::optional<client::duration> deadline)
{
    return f ? at_home(f, [&] { return next_event(f, deadline); }) : nothing();
}

asio::awaitable<outcome> result(std::shared_ptr<followed> f, std::optional<client::duration> deadline)
{
    return f ? at_home(f, [&] { return outcome_of(f, deadline); }) : never_started<outcome>();
}

asio::awaitable<void> cancel(std::shared_ptr<followed> f, std::optional<client::duration> deadline)
{
    return f ? at_home(f, [&] { return ask_to_end(f, deadline); }) : never_started<void>();
}

} // namespace detail

operation& operation::operator=(operation&& other) noexcept
{
    std::swap(followed_, other.followed_);
    return *this;
}

operation::~operation()
{
    stop();
}

asio::awaitable<std::optional<activity_event>> operation::next(std::optional<duration> deadline)
{
    return detail::next(followed_, deadline);
}

asio::awaitable<outcome> operation::result(std::optional<duration> deadline)
{
    return detail::result(followed_, deadline);
}

asio::awaitable<void> operation::cancel(std::optional<duration> deadline)
{
    return detail::cancel(followed_, deadline);
}

void operation::stop() noexcept
{
    if (followed_)
        followed_->stop();
}

reply const& operation::reply() const noexcept
{
    static plex::reply const none;
    return followed_ ? followed_->answer : none;
}

activity operation::activity() const
{
    return followed_ ? followed_->pursuit.found() : plex::activity();
}

} // namespace plex
