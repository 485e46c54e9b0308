#include "live_feed.hpp"

#include "failure.hpp"
#include "net/random.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

// The live feed's connection: opened, read, and compared with the list, until it is lost or nobody wants it.
namespace plex::detail {

using net::steady_time;

namespace {

constexpr auto second_snapshot = std::chrono::seconds(5); // a server may register its listener after its reply
constexpr auto later_snapshots = std::chrono::minutes(5);

double random_fraction()
{
    std::uint32_t bits = 0;
    net::fill_random(std::as_writable_bytes(std::span(&bits, 1)));
    return static_cast<double>(bits) / 4294967296.0;
}

undertaking following(calls const& c)
{
    return {"following the activities", c.origin()};
}

/// The ping after a snapshot carries its number; those for silence have no payload.
std::optional<std::uint32_t> snapshot_of(std::span<char const> pong)
{
    std::uint32_t number = 0;
    auto const [end, ec] = std::from_chars(pong.data(), pong.data() + pong.size(), number);
    return ec == std::errc() && end == pong.data() + pong.size() ? std::optional(number) : std::nullopt;
}

error ended(calls const& c, net::websocket_link const& link, net::websocket_link::end why)
{
    undertaking const doing = following(c);
    diagnostics::content content;
    content.message = doing.what + " at " + doing.origin;
    switch (why) {
    case net::websocket_link::end::silent:
        content.message += ": the server gave no sign for config::idle_limit";
        return error(errc::timeout, diagnostics(std::move(content)));
    case net::websocket_link::end::closed_by_peer:
        content.message += ": the server closed the feed (code " + std::to_string(link.peer_code()) + ")";
        return error(errc::connection_failed, diagnostics(std::move(content)));
    case net::websocket_link::end::violation:
        content.message += ": what the server sent is no WebSocket (" + std::string(link.fault()) + ")";
        return error(errc::connection_failed, diagnostics(std::move(content)));
    case net::websocket_link::end::message_too_big:
        content.message += ": a message exceeds config::max_message";
        return error(errc::limit_exceeded, diagnostics(std::move(content)));
    default:
        return network_error(doing, link.failure(), "reading the feed");
    }
}

} // namespace

asio::awaitable<void> live_feed::run(std::shared_ptr<void> owner)
{
    while (wanted()) {
        change(connection_state::connecting);
        error const failure = co_await one_connection(owner);
        link_.reset();
        snapshot_news_.wake_all();
        ledger_.disconnected();
        if (!wanted())
            break;
        status_.last_error = failure.code();
        status_.diagnostics = failure.diagnostics();
        running_ = false; // whoever hears of the failure may subscribe anew
        auto const all = std::exchange(subscribers_, {});
        change(connection_state::ended);
        for (auto const& s : all)
            s->end(failure);
        co_return;
    }
    running_ = false;
    change(scope_.stopped() ? connection_state::ended : connection_state::idle);
}

asio::awaitable<error> live_feed::one_connection(std::shared_ptr<void> owner)
{
    error failure;
    try {
        std::shared_ptr<net::websocket_link> const link = co_await connect();
        link_ = link;
        snapshot_failure_.reset();
        status_.transport = transport::websocket;
        change(connection_state::connected);
        asio::co_spawn(scope_.executor(), take_snapshots(owner, link), asio::detached);
        failure = co_await read(link);
        link->close();
        if (snapshot_failure_)
            failure = *snapshot_failure_;
    } catch (error const& e) {
        failure = e;
    } catch (boost::system::system_error const& e) {
        failure = network_error(following(calls_), e.code(), "connecting");
    } catch (std::exception const& e) { // of the user's token function
        failure = error(errc::unauthorized, std::string("getting the token: ") + e.what());
    }
    status_.transport = transport::automatic;
    co_return failure;
}

asio::awaitable<std::shared_ptr<net::websocket_link>> live_feed::connect()
{
    steady_time const deadline = std::chrono::steady_clock::now() + settings_.connect_timeout;
    opened_feed opened = co_await calls_.open_websocket(deadline);
    if (scope_.stopped() || !wanted())
        throw stopped_error(following(calls_));
    net::websocket_link::settings values;
    values.max_message = settings_.max_message;
    values.ping_after = settings_.ping_after;
    values.idle_limit = settings_.idle_limit;
    auto link =
        std::make_shared<net::websocket_link>(scope_, std::move(opened.stream), std::move(opened.beyond), values);
    link->start();
    co_return link;
}

asio::awaitable<error> live_feed::read(std::shared_ptr<net::websocket_link> link)
{
    for (;;) {
        error_code const ec = co_await link->wait();
        sync::instant const now = now_instant();
        net::websocket_link::end why = read_once(*link, now);
        if (why == net::websocket_link::end::none && ec)
            why = link->stream().expired() ? net::websocket_link::end::silent : net::websocket_link::end::lost;
        if (why != net::websocket_link::end::none) {
            co_await link->flushed(now.steady + std::chrono::seconds(1));
            error failure = ended(calls_, *link, why);
            co_return failure;
        }
        if (ledger_.full())
            co_return error(errc::limit_exceeded, "following the activities at " + calls_.origin() +
                                                      ": more runs than config::ledger_bytes has room for");
    }
}

net::websocket_link::end live_feed::read_once(net::websocket_link& link, sync::instant now)
{
    exclusive::visit const here(source_->inside);
    std::optional<std::uint32_t> confirmed;
    auto const on_item = [&](protocol::websocket_item const& item) {
        ++counts_.frames;
        if (item.what == protocol::websocket_event::message)
            heard(item.payload, now);
        else
            confirmed = snapshot_of(item.payload);
    };
    net::websocket_link::end const why = link.read(now.steady, on_item);
    if (confirmed) {
        ledger_.peer_confirmed(*confirmed);
        snapshot_news_.wake_all();
    }
    if (!outgoing_.empty()) {
        distribute();
        notify();
    }
    return why;
}

void live_feed::heard(std::span<char> message, sync::instant now)
{
    switch (decoder_.notification(message)) {
    case protocol::decoded::activities:
        for (protocol::activity_update const& update : decoder_.updates()) {
            ++counts_.events;
            ledger_.heard(update, now, outgoing_);
        }
        break;
    case protocol::decoded::other:
        ++counts_.skipped;
        break;
    case protocol::decoded::malformed:
        ++counts_.malformed;
        calls_.log(log_level::debug, [&] { return "a notification was skipped: " + std::string(decoder_.problem()); });
        break;
    }
    counts_.malformed += decoder_.malformed_entries();
    counts_.repaired_utf8 += decoder_.repaired_utf8();
}

asio::awaitable<void> live_feed::take_snapshots(std::shared_ptr<void> owner, std::shared_ptr<net::websocket_link> link)
{
    steady_time const connected = std::chrono::steady_clock::now();
    steady_time next = connected;
    unsigned taken = 0;
    sync::backoff delay;
    while (is_current(*link)) {
        sync::instant const now = now_instant();
        std::optional<steady_time> const settle_at = ledger_.next_settle();
        if (settle_at && now.steady >= *settle_at) {
            ledger_.settle(now, outgoing_);
            distribute();
            if (std::optional<steady_time> const settled = ledger_.settled())
                for (auto const& s : subscribers_)
                    s->box.settled(*settled, now);
            notify();
            continue;
        }
        if (now.steady < next) {
            steady_time const until = settle_at ? std::min(next, *settle_at) : next;
            co_await snapshot_news_.park(scope_.executor(), until);
            continue;
        }
        bool const good = co_await take_snapshot(link, taken == 1);
        if (!is_current(*link))
            break;
        steady_time const done = std::chrono::steady_clock::now();
        if (!good) {
            next = done + delay.next(random_fraction());
            continue;
        }
        delay.reset();
        ++taken;
        next = taken == 1 ? std::max(connected + second_snapshot, done) : done + later_snapshots;
    }
    (void)owner;
}

asio::awaitable<bool> live_feed::take_snapshot(std::shared_ptr<net::websocket_link> link, bool closes_gap)
{
    ledger_.snapshot_requested(now_instant(), closes_gap);
    std::optional<error> failure;
    try {
        co_await calls_.list_into(decoder_list_);
    } catch (error const& e) {
        failure = e;
    } catch (std::exception const& e) { // of the user's token function
        failure = error(errc::unauthorized, std::string("getting the token: ") + e.what());
    }
    if (!is_current(*link))
        co_return false;
    sync::instant const now = now_instant();
    if (failure) {
        ledger_.snapshot_failed();
        bool const first_contact = status_.state == connection_state::connected;
        if (first_contact || !is_retryable(failure->code())) {
            snapshot_failure_ = failure;
            link->close();
        }
        co_return false;
    }
    ledger_.snapshot_arrived(decoder_list_.updates(), now, outgoing_);
    last_snapshot_ = now.steady;
    distribute();
    notify();
    if (!is_current(*link)) // a callback may have stopped everything
        co_return false;
    if (std::optional<std::uint32_t> const snapshot = ledger_.awaiting_confirmation())
        link->send(protocol::opcode::ping, std::to_string(*snapshot));
    if (status_.state == connection_state::connected)
        change(connection_state::reconciled);
    co_return true;
}

} // namespace plex::detail
