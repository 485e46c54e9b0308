// A recorded session, played to whoever listens.
#include "testing/recorded_line.hpp"
#include "testing/server_state.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace plex::testing {
namespace {

using sort = recorded_line::sort;
using transport = recorded_line::transport;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Lines played before other handlers may run, where the times let many come at once.
constexpr std::size_t lines_at_once = 64;
constexpr steady_clock::duration look_again = std::chrono::milliseconds(1);
/// A list shows less than what the feed has told so shortly before: it may be older (protocol.md, rule 12).
constexpr milliseconds grace{2000};
/// Listeners that have not asked for the list by then are not going to.
constexpr steady_clock::duration time_to_list = std::chrono::seconds(1);
constexpr int turns_to_arrive = 20;

class player
{
public:
    player(std::shared_ptr<server_state> state, recording session, double speed)
        : state_(std::move(state)), session_(std::move(session)), speed_(speed)
    {
    }

    asio::awaitable<void> run()
    {
        asio::any_io_executor const executor = co_await asio::this_coro::executor;
        asio::steady_timer timer(executor);
        began_ = steady_clock::now();
        show_next_list(0);
        for (std::size_t i = 0; i != session_.size() && !state_->is_stopped(); ++i) {
            recorded_line const& line = session_.lines()[i];
            steady_clock::time_point const due = due_at(line);
            while (steady_clock::now() < due && !state_->is_stopped()) {
                timer.expires_at(std::min(due, steady_clock::now() + std::chrono::milliseconds(20)));
                co_await timer.async_wait(asio::use_awaitable);
            }
            if (i % lines_at_once == lines_at_once - 1)
                co_await asio::post(executor, asio::use_awaitable);
            if (line.what == sort::connected && !connected_) {
                asio::awaitable<void> listening = someone_listens(executor);
                co_await std::move(listening);
                began_ = steady_clock::now();
                origin_ = line.at;
                connected_ = true;
            } else if (line.what == sort::interrupted && connected_) {
                connected_ = false;
                lists_before_ = lists_told();
                state_->drop_listeners(abrupt::fin);
                show_next_list(i + 1);
            } else if (line.what == sort::list && i != shown_) {
                show(line, line.over == transport::polling && connected_);
            } else if (line.what == sort::notification) {
                tell(line);
            } else if (line.what == sort::malformed) {
                tell_malformed(line);
            }
        }
    }

private:
    steady_clock::time_point due_at(recorded_line const& line) const
    {
        // Before there is a connection, and while it is lost, nothing is due: the listener sets the time.
        if (!connected_ || !(speed_ > 0))
            return steady_clock::time_point::min();
        std::chrono::duration<double> const after = std::chrono::duration<double>(line.at - origin_) / speed_;
        return began_ + std::chrono::duration_cast<steady_clock::duration>(after);
    }

    std::size_t lists_told() const
    {
        std::lock_guard const lock(state_->mutex);
        return state_->lists_told;
    }

    /// Until somebody hears what is told, and has asked for the list: what is told from then on comes as it came to
    /// the listener that was recorded.
    asio::awaitable<void> someone_listens(asio::any_io_executor executor)
    {
        asio::steady_timer timer(executor);
        steady_clock::time_point listed_by = steady_clock::time_point::max();
        for (;;) {
            {
                std::lock_guard const lock(state_->mutex);
                bool const heard = std::any_of(state_->listeners.begin(), state_->listeners.end(),
                                               [](auto const& l) { return l->registered && l->ready; });
                if (state_->stopped || (heard && state_->lists_told != lists_before_))
                    break;
                if (heard && listed_by == steady_clock::time_point::max())
                    listed_by = steady_clock::now() + time_to_list;
            }
            if (steady_clock::now() >= listed_by)
                co_return;
            timer.expires_after(look_again);
            co_await timer.async_wait(asio::use_awaitable);
        }
        // The list is on its way, on another connection than what is told: it shall be there first. Turns of the event
        // loop rather than a time, which on a busy machine may be over before anybody has run.
        for (int turn = 0; turn != turns_to_arrive; ++turn) {
            timer.expires_after(look_again);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    /// What the connection that comes has been shown first is there before it comes.
    void show_next_list(std::size_t from)
    {
        bool opened = false;
        for (std::size_t i = from; i != session_.size(); ++i) {
            recorded_line const& line = session_.lines()[i];
            if (line.what == sort::interrupted && opened)
                return;
            opened = opened || line.what == sort::connected;
            if (line.what == sort::list) {
                shown_ = i;
                heard_at_.clear();
                show(line, false);
                return;
            }
        }
    }

    bool heard_lately(std::string const& uuid, milliseconds at) const
    {
        auto const found = heard_at_.find(uuid);
        return found != heard_at_.end() && at - found->second < grace;
    }

    /// @param aloud listeners hear of what has changed: polling saw nothing else
    void show(recorded_line const& list, bool aloud)
    {
        std::lock_guard const lock(state_->mutex);
        std::vector<fake_activity> const before = state_->running;
        for (fake_activity const& known : before) {
            bool const listed = std::any_of(list.activities.begin(), list.activities.end(),
                                            [&](fake_activity const& a) { return a.uuid == known.uuid; });
            if (!listed && !heard_lately(known.uuid, list.at))
                change("ended", known, aloud);
        }
        for (fake_activity const& listed : list.activities) {
            if (heard_lately(listed.uuid, list.at))
                continue;
            auto const known = std::find_if(before.begin(), before.end(),
                                            [&](fake_activity const& a) { return a.uuid == listed.uuid; });
            if (known == before.end())
                change("started", listed, aloud);
            else if (activity_notification("", *known) != activity_notification("", listed))
                change("updated", listed, aloud);
        }
    }

    void tell(recorded_line const& line)
    {
        auto item = std::make_shared<feed_item>(feed_item::kind::notification);
        item->type = line.type;
        item->set_envelopes(websocket_text(line), event_stream_text(line));
        std::lock_guard const lock(state_->mutex);
        for (std::size_t i = 0; i != line.activities.size(); ++i) {
            heard_at_[line.activities[i].uuid] = line.at;
            change(line.events[i], line.activities[i], false);
            state_->record_locked(line.events[i].c_str(), line.activities[i]);
        }
        state_->publish_locked(std::move(item));
    }

    void tell_malformed(recorded_line const& line)
    {
        std::string const noise(line.bytes, '?');
        auto item = std::make_shared<feed_item>(feed_item::kind::notification);
        item->type = "activity";
        item->set_envelopes(noise, "event: activity\ndata: " + noise + "\n\n");
        state_->publish(std::move(item));
    }

    static std::string websocket_text(recorded_line const& line)
    {
        if (line.over == transport::websocket || line.objects.empty())
            return line.text;
        feed_item item(feed_item::kind::notification);
        item.type = line.type;
        item.key = line.objects.front().first;
        item.text = line.objects.front().second;
        return item.websocket_text();
    }

    static std::string event_stream_text(recorded_line const& line)
    {
        if (line.over == transport::eventsource || line.objects.empty())
            return "event: " + line.type + "\ndata: " + line.text + "\n\n";
        std::string text;
        for (auto const& [key, object] : line.objects) {
            feed_item item(feed_item::kind::notification);
            item.type = line.type;
            item.key = key;
            item.text = object;
            text += item.event_stream_text();
        }
        return text;
    }

    /// The list follows what is told. The mutex is held.
    void change(std::string_view event, fake_activity activity, bool aloud)
    {
        auto const known = state_->find_locked(activity.uuid);
        if (event == "ended") {
            if (known != state_->running.end())
                state_->running.erase(known);
        } else if (known == state_->running.end()) {
            state_->running.push_back(activity);
        } else {
            if (activity.context_json.empty())
                activity.context_json = known->context_json;
            *known = activity;
        }
        if (aloud)
            state_->tell_locked(std::string(event).c_str(), activity);
    }

    std::shared_ptr<server_state> const state_;
    recording const session_;
    double const speed_;
    steady_clock::time_point began_;
    milliseconds origin_{0}; // the recorded time that `began_` was
    bool connected_ = false;
    std::size_t lists_before_ = 0;
    std::size_t shown_ = static_cast<std::size_t>(-1); // the list that was shown before its time
    std::map<std::string, milliseconds> heard_at_;     // recorded times
};

} // namespace

asio::awaitable<void> play_session(std::shared_ptr<server_state> state, recording session, double speed)
{
    player played(std::move(state), std::move(session), speed);
    co_await played.run();
}

} // namespace plex::testing
