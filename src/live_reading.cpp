#include "live_feed.hpp"

#include "failure.hpp"
#include "net/random.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

// What an open feed brings, and the comparison with the list.
namespace plex::detail {

using net::steady_time;
using end = net::live_link::end;

namespace {

constexpr auto second_snapshot = std::chrono::seconds(5); // a server may register its listener after its reply
constexpr auto later_snapshots = std::chrono::minutes(5);
// One that is asked for comes when the last one's absences are settled, as a new one voids what is not (rule 2).
constexpr auto between_snapshots = std::chrono::milliseconds(2500);

// One for all feeds of a thread, as the buffer that they read into: it is in use while a message is taken alone.
protocol::decoder& thread_decoder()
{
    thread_local protocol::decoder decoder;
    return decoder;
}

error failure_of(calls const& c, net::live_link const& link, end why)
{
    undertaking const doing = {"following the activities", c.origin()};
    diagnostics::content content;
    content.message = doing.what + " at " + doing.origin;
    switch (why) {
    case end::silent:
        content.message += ": the server gave no sign for config::idle_limit";
        return error(errc::timeout, diagnostics(std::move(content)));
    case end::closed_by_peer:
        content.message += ": the server closed the feed";
        if (link.peer_code() != 0)
            content.message += " (code " + std::to_string(link.peer_code()) + ")";
        return error(errc::connection_failed, diagnostics(std::move(content)));
    case end::violation:
        content.message += ": what the server sent cannot be read (" + std::string(link.fault()) + ")";
        return error(errc::connection_failed, diagnostics(std::move(content)));
    case end::message_too_big:
        content.message += ": a message exceeds config::max_message";
        return error(errc::limit_exceeded, diagnostics(std::move(content)));
    default:
        if (link.failure() != asio::error::eof && link.failure() != asio::error::connection_reset)
            return network_error(doing, link.failure(), "reading the feed");
        content.message += ": the connection was lost";
        content.cause = link.failure();
        return error(errc::connection_failed, diagnostics(std::move(content)));
    }
}

} // namespace

asio::awaitable<void> live_feed::follow(std::shared_ptr<void> owner)
{
    std::shared_ptr<net::live_link> const link = link_;
    connected();
    snapshots_ = snapshot_schedule();
    snapshots_.connected = snapshots_.next = std::chrono::steady_clock::now();
    attend_snapshots(owner);
    if (plan_.upward_at())
        asio::co_spawn(scope_.executor(), look_upward(owner, connection_), asio::detached);
    end why = end::none;
    while (why == end::none && !ledger_.full()) {
        error_code const ec = co_await link->wait();
        why = read_once(*link, now_instant());
        if (why == end::none && ec)
            why = link->stream().expired() ? end::silent : end::lost;
    }
    if (why != end::none)
        co_await link->flushed(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    stopped_reading(*link, why);
}

void live_feed::stopped_reading(net::live_link const& link, end why)
{
    if (why == end::none)
        lose(ledger_full(), sync::setback::hopeless);
    else if (!lost_) // by what the list said
        lose(failure_of(calls_, link, why), sync::setback::transient);
}

end live_feed::read_once(net::live_link& link, sync::instant now)
{
    exclusive::visit const here(source_->inside);
    reading_at_ = now;
    std::uint64_t const frames = link.frames();
    end const why = link.read(now.steady, *this);
    if (link.frames() != frames)
        plan_.heard();
    if (!outgoing_.empty())
        tell(now);
    return why;
}

void live_feed::message(std::span<char> bytes)
{
    if (tap_)
        tap_->notification(std::string_view(bytes.data(), bytes.size()));
    protocol::decoder& decoder = thread_decoder();
    switch (decoder.notification(bytes)) {
    case protocol::decoded::activities:
        for (protocol::activity_update const& update : decoder.updates()) {
            ++counts_.events;
            ledger_.heard(update, reading_at_, outgoing_);
        }
        break;
    case protocol::decoded::other:
        ++counts_.skipped;
        break;
    case protocol::decoded::malformed:
        ++counts_.malformed;
        calls_.log(log_level::debug, [&] { return "a notification was skipped: " + std::string(decoder.problem()); });
        break;
    }
    counts_.malformed += decoder.malformed_entries();
    counts_.repaired_utf8 += decoder.repaired_utf8();
}

void live_feed::confirmed(std::uint32_t snapshot)
{
    ledger_.peer_confirmed(snapshot);
    something_changed();
}

void live_feed::retry(std::chrono::milliseconds asked)
{
    plan_.wait_at_least(asked);
}

error live_feed::ledger_full() const
{
    return error(errc::limit_exceeded, "following the activities at " + calls_.origin() +
                                           ": more runs than config::ledger_bytes has room for");
}

/// What is next to do about snapshots. By a timer, as a coroutine that slept between them would cost each quiet feed a
/// kilobyte.
void live_feed::attend_snapshots(std::shared_ptr<void> const& owner)
{
    while (wanted()) {
        sync::instant const now = now_instant();
        std::optional<steady_time> const settle_at = ledger_.next_settle();
        if (settle_at && now.steady >= *settle_at) {
            ledger_.settle(now, outgoing_);
            std::uint64_t const connection = connection_;
            tell(now);
            if (!is_current(connection)) // a callback may have stopped everything
                return;
            continue;
        }
        steady_time next = snapshots_.next;
        if (list_wanted_)
            next = std::min(next, last_snapshot_ ? *last_snapshot_ + between_snapshots : now.steady);
        if (now.steady < next)
            attend_snapshots_at(settle_at ? std::min(next, *settle_at) : next, owner);
        else
            asio::co_spawn(scope_.executor(), take_snapshot_now(owner, connection_), asio::detached);
        return;
    }
    if (closing_) // the goodbye goes on without us
        return;
    let_go_ = true;
    link_->close();
    change(connection_state::idle);
}

void live_feed::attend_snapshots_at(steady_time at, std::weak_ptr<void> owner)
{
    if (!snapshot_timer_)
        snapshot_timer_.emplace(scope_.executor());
    snapshot_timer_->expires_at(at);
    snapshot_timer_->async_wait([this, owner = std::move(owner), connection = connection_](error_code) {
        std::shared_ptr<void> const held = owner.lock();
        if (held && is_current(connection) && link_)
            attend_snapshots(held); // in time, or as something has changed
    });
}

void live_feed::something_changed() noexcept
{
    news_.wake_all();
    try {
        if (snapshot_timer_)
            snapshot_timer_->cancel();
    } catch (...) { // cancelling a timer does not fail in practice; it then runs off in time
    }
}

asio::awaitable<void> live_feed::take_snapshot_now(std::shared_ptr<void> owner, std::uint64_t connection)
{
    list_wanted_ = false;
    steady_time const begun = std::chrono::steady_clock::now();
    bool const closes_gap = !snapshots_.closed_gap && begun >= snapshots_.connected + second_snapshot;
    bool const good = co_await take_snapshot(connection, closes_gap);
    if (!is_current(connection) || !link_)
        co_return;
    steady_time const done = std::chrono::steady_clock::now();
    if (good) {
        snapshots_.delay.reset();
        snapshots_.closed_gap = snapshots_.closed_gap || closes_gap;
        snapshots_.next =
            snapshots_.closed_gap ? done + later_snapshots : std::max(snapshots_.connected + second_snapshot, done);
    } else {
        snapshots_.next = done + snapshots_.delay.draw(net::random_fraction());
        snapshots_.delay.raise();
    }
    attend_snapshots(owner);
}

asio::awaitable<bool> live_feed::take_snapshot(std::uint64_t connection, bool closes_gap)
{
    sync::instant const requested = now_instant();
    ledger_.snapshot_requested(requested, closes_gap);
    asio::awaitable<std::optional<error>> listing = list();
    std::optional<std::optional<error>> const listed = co_await while_wanted(std::move(listing));
    if (!is_current(connection) || !listed)
        co_return false;
    std::optional<error> const& failure = *listed;
    sync::instant const now = now_instant();
    if (failure) {
        ledger_.snapshot_failed();
        note(*failure);
        if (sync::setback_of(failure->diagnostics().http_status()) == sync::setback::barred) {
            lose(*failure, sync::setback::hopeless);
            link_->close();
        }
        co_return false;
    }
    ledger_.snapshot_arrived(decoder_list_.updates(), now, outgoing_);
    decoder_list_.release();
    snapshot_taken(requested.steady, now);
    if (!is_current(connection)) // a callback may have stopped everything
        co_return false;
    if (ledger_.full()) { // who reads the feed may wait long for its next byte
        lose(ledger_full(), sync::setback::hopeless);
        link_->close();
        co_return false;
    }
    if (std::optional<std::uint32_t> const snapshot = ledger_.awaiting_confirmation())
        link_->ask_confirmation(*snapshot);
    co_return true;
}

void live_feed::snapshot_taken(steady_time requested, sync::instant now)
{
    last_snapshot_ = now.steady;
    tell(now);
    bool const polled = status_.transport == transport::polling;
    tell_onlookers([&](onlooker& o) { o.listed(requested, polled, now.steady); });
    if (status_.state == connection_state::connected)
        change(connection_state::reconciled);
}

/// `GET /activities` into `decoder_list_`, or why not.
asio::awaitable<std::optional<error>> live_feed::list()
{
    std::optional<error> failure;
    std::exception_ptr thrown;
    try {
        co_await calls_.list_into(decoder_list_, tap_);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown)
        failure = error_of({"listing the activities", calls_.origin()}, thrown);
    co_return failure;
}

} // namespace plex::detail
