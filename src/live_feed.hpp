#pragma once

#include "calls.hpp"
#include "net/live_link.hpp"
#include "onlooker.hpp"
#include "protocol/decoder.hpp"
#include "subscriber.hpp"
#include "sync/backoff.hpp"
#include "sync/ledger.hpp"
#include "sync/reconnect_plan.hpp"
#include "wire_tap.hpp"

#include <plex/client.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <vector>

namespace plex::detail {

inline sync::instant now_instant()
{
    return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
}

/// The one live connection of a client and everybody who listens to it: bytes -> frames -> notifications -> ledger ->
/// mailboxes. It is open, or tried again, while somebody is interested.
///
/// live_feed.cpp: who listens. live_connection.cpp: opened, lost, tried again. live_reading.cpp: what is read, and the
/// comparison with the list. live_restart.cpp: where memory runs out.
class live_feed final : public net::stoppable, private net::link_listener, private net::readable_listener
{
public:
    live_feed(net::scope&, std::shared_ptr<home>, calls&, settings const&);
    ~live_feed();

    /// @param owner kept alive by the coroutines that this starts
    std::shared_ptr<subscriber> subscribe(std::shared_ptr<void> owner, filter, std::vector<activity> known,
                                          event_function, end_function);
    void unsubscribe(subscriber&) noexcept;

    /// @param o leaves by `disregard` or with the feed
    void watch(std::shared_ptr<void> owner, onlooker& o);
    void disregard(onlooker&) noexcept;
    /// A list is requested as soon as the last one is settled; who watches hears of it.
    void want_list() noexcept;

    asio::awaitable<void> ready(std::shared_ptr<void> owner, net::steady_time deadline);
    running_activities running() const;
    connection_status status() const;
    void on_change(std::function<void(connection_status const&)>);
    /// Null for none.
    void set_tap(wire_tap* tap) noexcept { tap_ = tap; }
    /// Adds what the feed has counted.
    void count(counters&) const;

    void stop() noexcept override;
    /// The execution context goes.
    void release() noexcept;
    /// Takes leave of the server, and waits for its answer.
    asio::awaitable<void> say_goodbye(net::steady_time deadline);

private:
    struct interest;
    struct lost { // how a connection ended, or an attempt at one
        error failure;
        sync::setback what = sync::setback::transient;
    };
    struct attempt; // at one
    struct lifeline;
    struct sideline;
    struct room { // of what is read and told at once; one for all feeds of a thread, as their receive buffer is
        std::vector<sync::mail> batch;
        std::vector<std::shared_ptr<subscriber>> round;
    };
    struct listed { // the list, in the decoder's `updates()`
        protocol::decoder list;
        std::optional<error> failure;
    };

    // who listens
    void open(std::shared_ptr<void> const& owner);
    bool wanted() const noexcept
    {
        return !scope_.stopped() && !closing_ && (!subscribers_.empty() || !onlookers_.empty() || interested_ != 0);
    }
    void disconnect_if_unwanted() noexcept;
    void retire(subscriber const& s) noexcept { counts_.conflated += s.box.conflated(); }
    static room& spare();
    void tell(sync::instant now); ///< everybody what is outgoing; where there is no memory it stays outgoing
    void tell_what_is_left(sync::instant now);
    template <class F>
    void tell_onlookers(F);
    void leave_onlookers(error const& why);
    void change(connection_state);
    void something_changed() noexcept; ///< for the connection's own coroutines and timers
    void note(error const&);

    // the connection
    void go_on(std::shared_ptr<void> const& owner, asio::awaitable<void> work);
    asio::awaitable<void> watched(std::shared_ptr<void> owner, std::uint64_t line, asio::awaitable<void> work);
    void broke_off(std::uint64_t line, std::shared_ptr<void> const& owner) noexcept;
    void broke_off_beside(std::uint64_t connection) noexcept;
    asio::awaitable<void> restart(std::shared_ptr<void> owner);
    void close_link() noexcept;
    asio::awaitable<void> run(std::shared_ptr<void> owner);
    asio::awaitable<void> run_again(std::shared_ptr<void> owner, net::live_link::end);
    asio::awaitable<void> open_link();
    asio::awaitable<bool> leave_connection();
    void lose(error, sync::setback);
    asio::awaitable<bool> recover();
    asio::awaitable<std::shared_ptr<net::live_link>> dial(transport);
    asio::awaitable<attempt> try_dial(transport);
    struct errand; // work that goes on while the connection is wanted
    class errand_end;
    asio::awaitable<void> watch_interest(std::shared_ptr<errand>);
    /// Empty when nobody wanted the connection any more before the work was done: it is cancelled.
    template <class T>
    asio::awaitable<std::optional<T>> while_wanted(asio::awaitable<T> work);
    asio::awaitable<void> poll();
    asio::awaitable<sync::reconnect_plan::list_answer> ask_list();
    asio::awaitable<void> pause(sync::reconnect_plan::duration);
    asio::awaitable<void> look_upward(std::shared_ptr<void> owner, std::uint64_t connection);
    void give_up(std::shared_ptr<error const>) noexcept;
    void connected();
    bool is_current(std::uint64_t connection) const noexcept { return connection_ == connection; }

    // what is read
    void follow(std::shared_ptr<void> owner);
    void read_on(std::shared_ptr<void> const& owner);
    void read_further(error_code, std::shared_ptr<void> const& owner);
    void readable(error_code, std::shared_ptr<void> owner) override;
    void stopped_reading(net::live_link const&, net::live_link::end);
    net::live_link::end read_once(net::live_link&, sync::instant now);
    void message(std::span<char>) override;
    void other_event() override { ++counts_.skipped; }
    void confirmed(std::uint32_t snapshot) override;
    void retry(std::chrono::milliseconds) override;
    void attend(std::shared_ptr<void> const& owner);
    void attend_at(net::steady_time, std::shared_ptr<void> const& owner);
    asio::awaitable<void> take_snapshot_now(std::shared_ptr<void> owner, std::uint64_t connection);
    asio::awaitable<bool> take_snapshot(std::uint64_t connection, bool closes_gap);
    asio::awaitable<listed> list();
    void snapshot_taken(net::steady_time requested, sync::instant now);
    error ledger_full() const;

    net::scope& scope_;
    calls& calls_;
    settings const& settings_;
    std::shared_ptr<subscription_source> source_;
    std::vector<std::shared_ptr<subscriber>> subscribers_;
    boost::intrusive::list<onlooker, boost::intrusive::constant_time_size<false>> onlookers_;
    std::size_t interested_ = 0; // beside these: who waits for `ready`
    bool running_ = false;
    bool closing_ = false; // saying goodbye
    bool let_go_ = false;  // the connection was closed because nobody wanted it
    bool broken_ = false;  // what went on beside it has run out of memory
    bool restarting_ = false;
    std::uint64_t line_ = 0; // which coroutine keeps it going, or did last

    sync::ledger ledger_;
    sync::reconnect_plan plan_;
    std::vector<sync::mail> outgoing_;
    std::shared_ptr<net::live_link> link_;     // null between connections, and while polling
    std::shared_ptr<net::live_link> promoted_; // over a better transport, to take the place of the present one
    std::uint64_t connection_ = 0;             // which one it is, or will be
    std::uint64_t opened_ = 0;                 // how many there were
    std::unique_ptr<lost> lost_;               // why there is none
    sync::instant reading_at_;

    struct snapshot_schedule {
        net::steady_time connected;
        net::steady_time next;
        bool is_asked = false; // one is on its way
        bool closed_gap = false;
        sync::backoff delay;
    };
    snapshot_schedule snapshots_;                 // of this connection
    std::optional<asio::steady_timer> attention_; // to the connection; the execution context takes it with it
    net::steady_time attends_at_ = net::wait_list::no_deadline; // the timer's, while it runs

    net::wait_list news_; // for the connection's own coroutines
    net::wait_list status_news_;
    connection_status status_;
    net::steady_time next_try_;
    bool was_reconciled_ = false; // since it was opened for whoever listens now
    std::uint64_t failures_ = 0;
    // Shared with the call that is under way, as it may be replaced meanwhile.
    std::shared_ptr<std::function<void(connection_status const&)>> on_change_;
    counters counts_;
    wire_tap* tap_ = nullptr;
    std::optional<net::steady_time> last_snapshot_;
    bool list_wanted_ = false;
};

/// In the frame of a coroutine that goes on beside the one that keeps the feed going (`lifeline`), for one connection:
/// should it end before its work is done, the connection ends with it.
struct live_feed::sideline {
    ~sideline()
    {
        if (!done)
            feed.broke_off_beside(connection);
    }
    live_feed& feed;
    std::uint64_t connection;
    bool done = false;
};

template <class F>
void live_feed::tell_onlookers(F tell)
{
    for (auto next = onlookers_.begin(); next != onlookers_.end();) {
        onlooker& o = *next++;
        try {
            tell(o);
        } catch (std::bad_alloc const&) { // it does not know what it has missed
            o.unlink();
            o.ended(*out_of_memory());
        }
    }
}

/// Shared by who does it and who watches whether it is still wanted, as either may go first.
struct live_feed::errand {
    asio::cancellation_signal work;
    asio::cancellation_signal watch;
    bool is_watched = false;
    bool unwanted = false;
    bool over = false;
};

/// Goes with the work. Where Asio destroys that, whoever waits for it is destroyed only later, and the signal would
/// reach for what it waited on.
class live_feed::errand_end
{
public:
    explicit errand_end(std::shared_ptr<errand> e) noexcept : of_(std::move(e)) {}
    errand_end(errand_end&&) noexcept = default;
    ~errand_end()
    {
        if (of_)
            of_->over = true;
    }

private:
    std::shared_ptr<errand> of_;
};

// What ends the work ends the wait for it, also what it throws, and also where Asio destroys it for want of memory:
// whoever waits is destroyed with it then. Asio's own parallel groups would wait for the watch.
template <class T>
asio::awaitable<std::optional<T>> live_feed::while_wanted(asio::awaitable<T> work)
{
    using use_type = asio::use_awaitable_t<>;
    use_type const use;
    auto const e = std::make_shared<errand>();
    struct leave {
        ~leave()
        {
            e.over = true;
            if (e.is_watched)
                e.watch.emit(asio::cancellation_type::terminal);
        }
        errand& e;
    } const left{*e};
    // The signals have to outlive what they cancel: the handlers hold them.
    asio::co_spawn(scope_.executor(), watch_interest(e),
                   asio::bind_cancellation_slot(e->watch.slot(), [e](std::exception_ptr) {}));
    std::optional<T> result;
    if (e->unwanted)
        co_return result;
    auto initiation = [this, &e, &work](auto handler) {
        auto done = [e, ended = errand_end(e), handler = std::move(handler)](
                        std::exception_ptr thrown, T value) mutable { std::move(handler)(thrown, std::move(value)); };
        asio::co_spawn(scope_.executor(), std::move(work),
                       asio::bind_cancellation_slot(e->work.slot(), std::move(done)));
    };
    T done = co_await asio::async_initiate<use_type const, void(std::exception_ptr, T)>(initiation, use);
    if (!e->unwanted)
        result.emplace(std::move(done));
    co_return result;
}

} // namespace plex::detail
