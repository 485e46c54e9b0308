#include "live_feed.hpp"

#include "failure.hpp"
#include "net/event_stream_link.hpp"
#include "net/random.hpp"
#include "net/websocket_link.hpp"
#include "throw_from_run.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <string>
#include <utility>

// The live feed's connection: opened, followed until it is lost, and tried again, until nobody wants it.
namespace plex::detail {

using net::steady_time;
using step = sync::reconnect_plan::step;

namespace {

constexpr auto poll_while_busy = std::chrono::seconds(2);
constexpr auto poll_while_idle = std::chrono::seconds(10);

/// Of a failed `GET /activities`.
sync::setback setback_of_list(error const& failure)
{
    sync::setback const what = sync::setback_of(failure.diagnostics().http_status());
    return what == sync::setback::barred ? sync::setback::hopeless : what;
}

} // namespace

struct live_feed::attempt {
    std::shared_ptr<net::live_link> link; // or the failure
    error failure;
};

/// Cancels the work once nobody wants it. The feed may be gone where the errand is over.
asio::awaitable<void> live_feed::watch_interest(std::shared_ptr<errand> e)
{
    struct watching {
        explicit watching(errand& w) noexcept : of(w) { of.is_watched = true; }
        ~watching() { of.is_watched = false; }
        errand& of;
    } const here(*e);
    while (!e->over) {
        if (!wanted()) {
            e->unwanted = true;
            e->work.emit(asio::cancellation_type::terminal);
            co_return;
        }
        co_await news_.park(scope_.executor());
    }
}

void live_feed::close_link() noexcept
{
    if (std::shared_ptr<net::live_link> const link = std::exchange(link_, nullptr)) {
        counts_.frames += link->frames();
        link->close();
    }
}

/// Until there is a connection, or nobody wants one, or none is to be had. An open one is read and attended to without
/// a coroutine, whose frames would cost every quiet feed a kilobyte; what comes after it is `run_again`.
asio::awaitable<void> live_feed::run(std::shared_ptr<void> owner)
{
    while (wanted()) {
        change(connection_state::connecting);
        lost_.reset();
        let_go_ = broken_ = false;
        if (plan_.current() == transport::polling) {
            asio::co_spawn(scope_.executor(), look_upward(owner, connection_), asio::detached);
            co_await poll();
        } else {
            co_await open_link();
            if (link_ && wanted()) {
                follow(std::move(owner));
                co_return;
            }
        }
        bool const goes_on = co_await leave_connection();
        if (!goes_on)
            co_return;
    }
    promoted_.reset();
    running_ = false;
    change(scope_.stopped() ? connection_state::ended : connection_state::idle);
}

asio::awaitable<void> live_feed::run_again(std::shared_ptr<void> owner, net::live_link::end why)
{
    std::shared_ptr<net::live_link> const link = link_;
    if (why != net::live_link::end::none)
        co_await link->flushed(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    stopped_reading(*link, why);
    bool const goes_on = co_await leave_connection();
    if (goes_on)
        co_await run(std::move(owner));
}

/// And waits until it is time for another try, where one is wanted. False when the feed gives up.
asio::awaitable<bool> live_feed::leave_connection()
{
    ++connection_;
    close_link();
    broken_ = false;
    something_changed();
    status_news_.wake_all();
    ledger_.disconnected();
    tell_onlookers([](onlooker& o) { o.interrupted(); });
    status_.transport = transport::automatic;
    if (!wanted() || promoted_ || std::exchange(let_go_, false)) // wanted again before it was gone
        co_return true;
    bool const goes_on = co_await recover();
    co_return goes_on;
}

/// What the plan says to the loss, and the pause before the next try. False when it gives up.
asio::awaitable<bool> live_feed::recover()
{
    lost const why = lost_ ? *lost_ : lost();
    step next = plan_.failed(why.what, std::chrono::steady_clock::now());
    if (next == step::ask_list) {
        sync::reconnect_plan::list_answer const answer = co_await ask_list();
        next = plan_.list_answered(answer, std::chrono::steady_clock::now());
        if (!wanted())
            co_return true;
    }
    if (next == step::give_up) {
        std::shared_ptr<error const> failure = std::make_shared<error const>(why.failure);
        give_up(std::move(failure));
        co_return false;
    }
    if (next == step::at_once && !restarting_) {
        calls_.log(log_level::info, [&] {
            return why.failure.diagnostics().message() + ": going on with " + std::string(to_string(plan_.current()));
        });
        co_return true;
    }
    if (std::optional<std::chrono::seconds> const asked = why.failure.diagnostics().retry_after())
        plan_.wait_for(*asked);
    sync::reconnect_plan::duration const delay = plan_.delay(net::random_fraction());
    next_try_ = std::chrono::steady_clock::now() + delay;
    note(why.failure);
    change(connection_state::interrupted);
    co_await pause(delay);
    co_return true;
}

void live_feed::give_up(std::shared_ptr<error const> failure) noexcept
{
    note(*failure);
    running_ = false; // whoever hears of the failure may subscribe anew
    outgoing_.clear();
    leave_onlookers(*failure);
    auto const all = std::exchange(subscribers_, {});
    for (auto const& s : all)
        retire(*s);
    try {
        change(connection_state::ended);
    } catch (...) { // a logger's
        throw_from_run(scope_.executor(), std::current_exception());
    }
    for (auto const& s : all)
        s->end(failure);
}

/// Ends early when nobody wants the connection any more, and between two polls when somebody wants a list.
asio::awaitable<void> live_feed::pause(sync::reconnect_plan::duration delay)
{
    steady_time const until = std::chrono::steady_clock::now() + delay;
    bool const polling = status_.transport == transport::polling;
    while (wanted() && !promoted_ && !broken_ && !(polling && list_wanted_)) {
        net::woken const why = co_await news_.park(scope_.executor(), until);
        if (why != net::woken::by_wake)
            co_return;
    }
}

asio::awaitable<sync::reconnect_plan::list_answer> live_feed::ask_list()
{
    using answer = sync::reconnect_plan::list_answer;
    asio::awaitable<listed> listing = list();
    std::optional<listed> const got = co_await while_wanted(std::move(listing));
    if (got && !got->failure)
        co_return answer::good;
    bool const barred = got && setback_of_list(*got->failure) == sync::setback::hopeless;
    co_return barred ? answer::barred : answer::none;
}

/// Sets `link_`, or tells why not.
asio::awaitable<void> live_feed::open_link()
{
    link_ = std::exchange(promoted_, nullptr);
    if (link_)
        co_return;
    asio::awaitable<attempt> dialling = try_dial(plan_.current());
    std::optional<attempt> dialled = co_await while_wanted(std::move(dialling));
    if (!dialled)
        co_return;
    link_ = std::move(dialled->link);
    if (!link_)
        lose(dialled->failure, sync::setback_of(dialled->failure.diagnostics().http_status()));
}

void live_feed::lose(error why, sync::setback what)
{
    lost_ = std::make_unique<lost>(lost{std::move(why), what});
}

asio::awaitable<live_feed::attempt> live_feed::try_dial(transport over)
{
    attempt result;
    std::exception_ptr thrown;
    try {
        result.link = co_await dial(over);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown)
        result.failure = error_of({"following the activities", calls_.origin()}, thrown);
    co_return result;
}

asio::awaitable<std::shared_ptr<net::live_link>> live_feed::dial(transport over)
{
    steady_time const deadline = std::chrono::steady_clock::now() + settings_.connect_timeout;
    opened_feed opened = co_await calls_.open_feed(over, deadline);
    net::live_link::settings values;
    values.max_message = settings_.max_message;
    values.ping_after = settings_.ping_after;
    values.idle_limit = settings_.idle_limit;
    std::shared_ptr<net::live_link> result;
    if (over == transport::websocket) {
        result =
            std::make_shared<net::websocket_link>(scope_, std::move(opened.stream), std::move(opened.beyond), values);
    } else {
        result = std::make_shared<net::event_stream_link>(scope_, std::move(opened.stream), std::move(opened.events),
                                                          std::move(opened.beyond), values);
    }
    co_return result;
}

void live_feed::connected()
{
    if (opened_++ != 0)
        ++counts_.reconnects;
    plan_.opened(std::chrono::steady_clock::now());
    status_.transport = plan_.current();
    change(connection_state::connected);
}

/// Where nothing else gets through: states, not events (rule 9).
asio::awaitable<void> live_feed::poll()
{
    bool first = true;
    for (;;) {
        list_wanted_ = false;
        steady_time const requested = std::chrono::steady_clock::now();
        asio::awaitable<listed> listing = list();
        std::optional<listed> got = co_await while_wanted(std::move(listing));
        if (!got || !wanted() || promoted_ || broken_)
            co_return;
        if (std::optional<error> const& failure = got->failure) {
            lose(*failure, setback_of_list(*failure));
            co_return;
        }
        if (std::exchange(first, false))
            connected();
        plan_.heard();
        sync::instant const now = now_instant();
        ledger_.polled(got->list.updates(), requested, now, outgoing_);
        got->list.release();
        snapshot_taken(requested, now);
        if (ledger_.full()) {
            lose(ledger_full(), sync::setback::hopeless);
            co_return;
        }
        source_->room->resume_forgotten();
        co_await pause(ledger_.running() != 0 ? poll_while_busy : poll_while_idle);
        if (!wanted() || promoted_ || broken_)
            co_return;
    }
}

/// Tries the better transports now and then, while the present one goes on.
asio::awaitable<void> live_feed::look_upward(std::shared_ptr<void> owner, std::uint64_t connection)
{
    sideline mine{*this, connection};
    while (is_current(connection) && plan_.upward_at()) {
        steady_time const at = *plan_.upward_at();
        if (std::chrono::steady_clock::now() < at) {
            co_await news_.park(scope_.executor(), at);
            continue;
        }
        for (transport const better : {transport::websocket, transport::eventsource}) {
            if (better >= plan_.current())
                break;
            asio::awaitable<attempt> dialling = try_dial(better);
            std::optional<attempt> dialled = co_await while_wanted(std::move(dialling));
            mine.done = !is_current(connection) || !dialled;
            if (mine.done)
                co_return;
            if (dialled->link) {
                mine.done = true;
                plan_.went_up(better, std::chrono::steady_clock::now());
                promoted_ = std::move(dialled->link);
                if (link_)
                    link_->close();
                something_changed();
                co_return;
            }
        }
        plan_.stayed(std::chrono::steady_clock::now());
    }
    mine.done = true;
    (void)owner;
}

} // namespace plex::detail
