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

void live_feed::follow(std::shared_ptr<void> owner)
{
    connected();
    snapshots_ = snapshot_schedule();
    snapshots_.connected = snapshots_.next = std::chrono::steady_clock::now();
    attend(owner);
    if (plan_.upward_at())
        asio::co_spawn(scope_.executor(), look_upward(owner, connection_), asio::detached);
    read_on(owner);
}

void live_feed::read_on(std::shared_ptr<void> const& owner)
{
    if (link_->has_more())
        read_further(error_code(), owner);
    else
        link_->stream().notify_readable(owner, *this);
}

void live_feed::readable(error_code ec, std::shared_ptr<void> owner)
{
    std::uint64_t const line = line_;
    try {
        read_further(ec, owner);
    } catch (std::bad_alloc const&) {
        broke_off(line, owner);
    }
}

void live_feed::read_further(error_code ec, std::shared_ptr<void> const& owner)
{
    end why = end::none;
    do
        why = read_once(*link_, now_instant());
    while (why == end::none && link_->has_more() && !ledger_.full());
    if (why == end::none && ec)
        why = link_->is_silent() ? end::silent : end::lost;
    if (why == end::none && !ledger_.full())
        read_on(owner);
    else
        go_on(owner, run_again(owner, why));
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
    if (outgoing_.capacity() == 0)
        outgoing_.swap(spare().batch);
    std::uint64_t const frames = link.frames();
    end const why = link.read(now.steady, *this);
    if (link.frames() != frames)
        plan_.heard();
    if (!outgoing_.empty())
        tell(now);
    else
        outgoing_.swap(spare().batch);
    return why;
}

void live_feed::message(std::span<char> bytes)
{
    if (tap_)
        tap_->notification(std::string_view(bytes.data(), bytes.size()));
    protocol::decoder& decoder = protocol::decoder::of_this_thread();
    switch (decoder.notification(bytes, settings_.max_depth)) {
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

/// What is next to do beside reading: absences, lists, and a quiet peer. By one timer, as each one more, or a coroutine
/// that slept, would cost every quiet feed a part of a kilobyte.
void live_feed::attend(std::shared_ptr<void> const& owner)
{
    source_->room->resume_forgotten();
    tell_what_is_left(now_instant());
    while (wanted()) {
        sync::instant const now = now_instant();
        std::optional<steady_time> const settle_at = ledger_.next_settle();
        if (settle_at && now.steady >= *settle_at) {
            ledger_.settle(now, outgoing_);
            tell(now); // a callback may have stopped everything
            continue;
        }
        steady_time next = link_->attend(now.steady);
        if (settle_at)
            next = std::min(next, *settle_at);
        if (!snapshots_.is_asked) {
            steady_time snapshot_at = snapshots_.next;
            if (list_wanted_)
                snapshot_at = std::min(snapshot_at, last_snapshot_ ? *last_snapshot_ + between_snapshots : now.steady);
            snapshots_.is_asked = now.steady >= snapshot_at;
            if (snapshots_.is_asked)
                asio::co_spawn(scope_.executor(), take_snapshot_now(owner, connection_), asio::detached);
            else
                next = std::min(next, snapshot_at);
        }
        attend_at(next, owner);
        return;
    }
    if (closing_) // the goodbye goes on without us
        return;
    let_go_ = true;
    link_->close();
    change(connection_state::idle);
}

void live_feed::attend_at(steady_time at, std::shared_ptr<void> const& owner)
{
    if (attends_at_ <= at) // one wait at a time, which looks again at what is due
        return;
    if (!attention_)
        attention_.emplace(scope_.executor());
    if (std::exchange(attends_at_, at) != net::wait_list::no_deadline) {
        attention_->cancel(); // whose handler begins the shorter one
        return;
    }
    attention_->expires_at(at);
    auto attend_then = [this, weak = std::weak_ptr(owner)](error_code) {
        std::shared_ptr<void> const held = weak.lock();
        if (!held)
            return;
        attends_at_ = net::wait_list::no_deadline;
        std::uint64_t const connection = connection_;
        try {
            if (link_)
                attend(held); // in time, or as something has changed
        } catch (std::bad_alloc const&) {
            broke_off_beside(connection);
        }
    };
    try {
        attention_->async_wait(std::move(attend_then));
    } catch (...) {
        attends_at_ = net::wait_list::no_deadline;
        throw;
    }
}

void live_feed::something_changed() noexcept
{
    news_.wake_all();
    try {
        if (attention_)
            attention_->cancel();
    } catch (...) { // cancelling a timer does not fail in practice; it then runs off in time
    }
}

asio::awaitable<void> live_feed::take_snapshot_now(std::shared_ptr<void> owner, std::uint64_t connection)
{
    sideline mine{*this, connection};
    list_wanted_ = false;
    steady_time const begun = std::chrono::steady_clock::now();
    bool const closes_gap = !snapshots_.closed_gap && begun >= snapshots_.connected + second_snapshot;
    bool const good = co_await take_snapshot(connection, closes_gap);
    mine.done = !is_current(connection) || !link_;
    if (mine.done)
        co_return;
    steady_time const done = std::chrono::steady_clock::now();
    snapshots_.is_asked = false;
    if (good) {
        snapshots_.delay.reset();
        snapshots_.closed_gap = snapshots_.closed_gap || closes_gap;
        snapshots_.next =
            snapshots_.closed_gap ? done + later_snapshots : std::max(snapshots_.connected + second_snapshot, done);
    } else {
        snapshots_.next = done + snapshots_.delay.draw(net::random_fraction());
        snapshots_.delay.raise();
    }
    attend(owner);
    mine.done = true;
}

asio::awaitable<bool> live_feed::take_snapshot(std::uint64_t connection, bool closes_gap)
{
    sync::instant const requested = now_instant();
    ledger_.snapshot_requested(requested, closes_gap);
    asio::awaitable<listed> listing = list();
    std::optional<listed> got = co_await while_wanted(std::move(listing));
    if (!is_current(connection) || !got)
        co_return false;
    sync::instant const now = now_instant();
    if (std::optional<error> const& failure = got->failure) {
        ledger_.snapshot_failed();
        note(*failure);
        if (sync::setback_of(failure->diagnostics().http_status()) == sync::setback::barred) {
            lose(*failure, sync::setback::hopeless);
            link_->close();
        }
        co_return false;
    }
    ledger_.snapshot_arrived(got->list.updates(), now, outgoing_);
    got->list.release();
    snapshot_taken(requested.steady, now);
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

/// `GET /activities`, or why not. With a decoder of its own, as its result is looked at later, and no feed is to hold
/// one between two lists.
asio::awaitable<live_feed::listed> live_feed::list()
{
    listed result;
    std::exception_ptr thrown;
    try {
        co_await calls_.list_into(result.list, tap_);
    } catch (...) {
        thrown = std::current_exception();
    }
    if (thrown)
        result.failure = error_of({"listing the activities", calls_.origin()}, thrown);
    co_return result;
}

} // namespace plex::detail
