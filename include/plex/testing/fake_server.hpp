#pragma once
/// \file
/// An embeddable Plex server, for tests, demonstrations and benchmarks: real sockets on the caller's executor,
/// the behaviour described in docs/protocol.md, and a script of the faults that real servers and networks show.

#include <plex/abi.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plex::testing {

struct server_state;
class recording;

/// One activity as the fake server shows it. The uuid is random unless it is set.
struct fake_activity {
    /// A `library.refresh.items` called "Refreshing", with a random uuid.
    fake_activity();
    /// @param activity_type `library.update.section`
    /// @param activity_title what `activity::title()` will be
    /// @param sub what `activity::subtitle()` will be
    explicit fake_activity(std::string activity_type, std::string activity_title = {}, std::string sub = {});

    /// Any text.
    std::string uuid;
    /// Any text; real ones are in docs/protocol.md 4.
    std::string type;
    /// Any bytes.
    std::string title;
    /// Any bytes.
    std::string subtitle;
    /// −1 is "indeterminate"; empty leaves the field out. Fractions are sent as fractions.
    std::optional<double> progress = 0.0;
    /// Whether `DELETE /activities/{uuid}` ends it; it is answered with 400 otherwise.
    bool cancellable = false;
    /// Empty leaves the field out.
    std::optional<std::int64_t> user_id = 1;
    /// A JSON text sent as it is; empty leaves the field out.
    std::string context_json;
    /// The same.
    std::string response_json;
    /// The text of a JSON object whose members are added to the activity: `{"userStopped":true}`.
    std::string extra_json;
};

/// What a server is to be like from its first connection on.
struct fake_server_options {
    /// A server that admits everybody, over plain HTTP.
    fake_server_options();

    /// The token that is let in; empty lets any request in. `/identity` never asks for one.
    std::string token;
    /// Answer 400 to requests without `X-Plex-Client-Identifier` (protocol.md 1.7).
    bool require_client_identifier = false;
    /// The 401 page that has a script in its head (protocol.md 1.7).
    bool html_error_script = false;
    /// A PEM text; TLS is spoken when certificate and key are both there.
    std::string certificate_pem;
    /// The certificate's key, without a passphrase.
    std::string private_key_pem;
    /// As behind a reverse proxy: "/plex". Without a slash at its end.
    std::string base_path;
    /// A port of 127.0.0.1 to listen on, for a server that comes back; 0 takes any free one.
    std::uint16_t port = 0;
    /// Mix the other notification types into scans, as the recording has them (protocol.md 3).
    bool other_notifications = true;
    /// `X-Plex-Activity` also on the replies that are not documented to carry it (protocol.md 1.4).
    bool activity_header_everywhere = false;
    /// How long an activity runs that a request has started; empty: until the test ends it.
    std::optional<std::chrono::steady_clock::duration> call_duration;
    /// A section refresh plays the recorded scan, in `call_duration` or at once.
    bool refresh_plays_recording = false;
    /// How long after the reply to a cancel request the activity ends; empty: when the test ends it.
    std::optional<std::chrono::steady_clock::duration> cancel_delay = std::chrono::steady_clock::duration::zero();
    /// The server's own WebSocket pings; zero sends none.
    std::chrono::steady_clock::duration ping_interval = std::chrono::steady_clock::duration::zero();
    /// The `ping` event of the event stream.
    std::chrono::steady_clock::duration event_stream_ping_interval = std::chrono::seconds(10);
    /// Keep requests() and truth(). A soak or a benchmark has no use for lists that grow.
    bool keep_records = true;
};

/// A request as it came in.
struct seen_request {
    seen_request();

    /// `GET`
    std::string method;
    /// As sent, with the query and the base path.
    std::string target;
    /// Decoded, without the query and the base path.
    std::string path;
    /// Decoded, in order.
    std::vector<std::pair<std::string, std::string>> query;
    /// As sent, in order.
    std::vector<std::pair<std::string, std::string>> headers;
    /// Without its framing.
    std::string body;
    /// Which connection brought it, counted from 1: equal numbers mean that it was kept alive.
    std::size_t connection = 0;

    /// Names match whatever their case.
    std::optional<std::string> header(std::string_view name) const;
    /// The first of that name, decoded.
    std::optional<std::string> query_value(std::string_view name) const;
};

/// One event of the server's own history: tests judge by it what a client has told.
struct told_event {
    told_event();

    /// "started", "updated" or "ended".
    std::string event;
    /// Of the activity, as it was told.
    std::string uuid;
    /// The same.
    std::string subtitle;
    /// The same.
    std::optional<double> progress;
    /// When it was handed to the listeners.
    std::chrono::steady_clock::time_point at;
};

/// What has happened so far; all but `connections_open` only grow.
struct server_counters {
    std::size_t connections_accepted = 0; ///< by the listening socket
    std::size_t connections_open = 0;     ///< now
    std::size_t requests = 0;             ///< read to their end, upgrades too
    std::size_t websocket_upgrades = 0;   ///< answered with 101
    std::size_t event_streams = 0;        ///< begun
    std::size_t pings_received = 0;       ///< from WebSocket listeners
    std::size_t pongs_received = 0;       ///< from WebSocket listeners
    std::size_t closes_received = 0;      ///< close frames of WebSocket listeners
    /// Notifications written, counted once a listener.
    std::size_t notifications_sent = 0;
};

/// Which state of the server an answer shows that is given late.
enum class as_of { request, release };

/// How a connection is ended from below.
enum class abrupt { fin, rst };

/// The recorded scan (protocol.md 3): 1,556 activity events of one section, with titles of our own.
struct scan_options {
    scan_options();

    /// Its number, as `librarySectionID` has it.
    std::string section = "3";
    /// Its name, as in "Scanning Movies".
    std::string section_title = "Movies";
    /// Of the whole scan; zero plays it as fast as it can be.
    std::chrono::steady_clock::duration duration = std::chrono::steady_clock::duration::zero();
    /// Of its activity; empty takes a random one.
    std::string uuid;
};

/// A Plex server of one's own, listening on 127.0.0.1 from its construction to `stop()` or its destruction.
///
/// **Threads.** All members may be called from any thread: what they change is changed when they return, and what
/// listeners hear of it leaves on the executor, in the order of the calls. Sockets are served on a strand of their
/// own, so the executor may be a thread pool. The server must go before its execution context does.
///
/// **Matching.** The faults apply to requests that match a text like "/activities" or "GET /activities": an optional
/// method and the beginning of the path, without base path and query. Each applies `times` times. Of several faults
/// of one sort the oldest that still applies is taken, so that a sequence is scripted by calls in a row; faults of
/// different sorts add up: a reply may be delayed, refused and cut.
class fake_server
{
public:
    /// As `times`: for good.
    static constexpr std::size_t always = std::numeric_limits<std::size_t>::max();
    /// Activity events in one played scan.
    static constexpr std::size_t scan_events = 1556;

    /// Listens when it returns. The executor has to be run for anything to be answered.
    /// @throws boost::system::system_error when the port cannot be listened on, or certificate and key cannot be used
    explicit fake_server(boost::asio::any_io_executor executor, fake_server_options options = fake_server_options());
    /// As `stop()`.
    ~fake_server();
    fake_server(fake_server const&) = delete;
    fake_server& operator=(fake_server const&) = delete;

    /// Of 127.0.0.1.
    std::uint16_t port() const;
    /// `http://127.0.0.1:PORT/base`
    std::string url() const;
    /// As `/identity` tells it.
    std::string machine_identifier() const;

    /// Stops listening and drops every connection: peers see it at once, and the executor runs out of the server's
    /// work. There is no way back; a server that returns is a new one with `fake_server_options::port`.
    void stop();

    // --- what the server does ---

    /// The activity is in the list from now on, and listeners hear `started`. Gives its uuid.
    std::string start_activity(fake_activity activity);
    /// Replaces all that is known of the activity with this uuid. Throws `std::out_of_range` if it does not run.
    void update_activity(fake_activity activity);
    /// Changes what is given and keeps the rest. Throws `std::out_of_range` if it does not run.
    void update_activity(std::string const& uuid, std::optional<double> progress,
                         std::optional<std::string> subtitle = std::nullopt,
                         std::optional<std::string> context_json = std::nullopt);
    /// The activity is in the list no more, and listeners hear `ended`.
    /// @param uuid of the activity
    /// @param progress its last, in per cent; empty where it is indeterminate
    /// @throws std::out_of_range if it does not run
    void end_activity(std::string const& uuid, std::optional<double> progress = 100.0);
    /// The activities that run now, hidden ones too.
    std::vector<fake_activity> running() const;
    /// The activity goes on and is told of, but the list does not show it (protocol.md 1.1: other users' activities).
    void hide_from_list(std::string uuid);
    /// Undoes `hide_from_list`.
    void show_in_list(std::string const& uuid);
    /// Tells listeners of an event without any effect on the list or on truth(): duplicates, updates of what has
    /// ended, kinds that do not exist.
    void announce(std::string event, fake_activity const& activity);

    /// Any other notification: `notify("playing", "PlaySessionStateNotification", "{…}")`, in the envelope that each
    /// transport has for it (protocol.md 2.13).
    void notify(std::string type, std::string key, std::string object_json);
    /// One of each type that Plex is known to send, `log` included (protocol.md 3).
    void notify_others();
    /// Any text, valid or not, as one message to all WebSocket listeners, whatever their filters.
    void notify_raw(std::string text, bool binary = false);
    /// Any bytes after the last whole message of each listener's stream: broken frames, half a message, noise.
    void send_bytes(std::string bytes);
    /// A WebSocket ping to each listener; event streams get their `ping` event.
    void ping_listeners(std::string payload = {});

    /// Plays the recorded scan to whoever listens. Ends early when the activity is ended by other means.
    /// @throws boost::system::system_error `operation_aborted` when cancelled
    /// @par Cancellation
    /// Stops playing; the activity runs on.
    /// @par Threads
    /// From any executor.
    /// @par Lifetime
    /// Ends early when the server is stopped or destroyed.
    boost::asio::awaitable<void> play_scan(scan_options options = scan_options());
    /// Plays a recorded session (`<plex/testing/recording.hpp>`): what each list showed is listed, what was told is
    /// told in its envelope and at its time, and the list follows it. Where the recorded connection was opened it waits
    /// for a listener; where that was lost, listeners are dropped. A poller's session is told as events.
    /// @param session what is played
    /// @param speed how many times as fast; 0 takes no time but its listeners'
    /// @throws boost::system::system_error `operation_aborted` when cancelled
    /// @par Cancellation
    /// Stops playing; what runs by then runs on.
    /// @par Threads
    /// From any executor.
    /// @par Lifetime
    /// Ends early when the server is stopped or destroyed.
    boost::asio::awaitable<void> play(recording session, double speed = 1);
    /// Waits until all that listeners were told is on its way (in the kernel's hands).
    /// @throws boost::system::system_error `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends the waiting.
    /// @par Threads
    /// From any executor.
    /// @par Lifetime
    /// Keeps what it needs, but has no time limit of its own.
    boost::asio::awaitable<void> flushed() const;

    // --- the script ---

    /// From now on this one alone is let in; empty lets in any request.
    void set_token(std::string token);
    /// Answers so instead of doing anything. An empty body of an error gives Plex's page for that status.
    void refuse(std::string match, unsigned status, std::string body = {}, std::string content_type = "text/html",
                std::size_t times = 1);
    /// The same with a header more: `Location`, `Retry-After`.
    void refuse_with(std::string match, unsigned status, std::string header, std::string value, std::size_t times = 1);
    /// 503 with the XML of a server that starts or migrates (protocol.md 1.5).
    void refuse_for_maintenance(std::string match, std::size_t times = 1);
    /// Answers so much later.
    /// @param match see above
    /// @param time at least
    /// @param times so often
    /// @param state which the answer shows
    void delay(std::string match, std::chrono::steady_clock::duration time, std::size_t times = 1,
               as_of state = as_of::request);
    /// Keeps requests waiting until `release()` with the same text. With `as_of::request` the list that is sent then
    /// is older than the feed.
    void hold(std::string match, as_of state = as_of::request, std::size_t times = always);
    /// Answers what `hold()` with this text keeps waiting, and what comes later.
    void release(std::string const& match);
    /// Requests that wait for `release(match)` now.
    std::size_t held(std::string const& match) const;
    /// What listeners are told waits until `release_feed()`: a list that is ahead of the feed.
    void hold_feed();
    /// Tells what `hold_feed()` has kept, in order.
    void release_feed();
    /// Only so many bytes of the reply are sent, then the stream ends. For an upgrade its frames count too.
    void cut(std::string match, std::size_t bytes, std::size_t times = 1);
    /// These bytes instead of a reply; the connection then ends, or waits for the next request.
    void reply_raw(std::string match, std::string bytes, bool keep_open = false, std::size_t times = 1);
    /// Reads the request and never answers.
    void stall(std::string match, std::size_t times = 1);
    /// Accepts a connection and never reads from it: no TLS handshake, no answer.
    void stall_connections(std::size_t times = 1);
    /// Accepts a connection and closes it at once.
    void refuse_connections(std::size_t times = 1);
    /// Listeners that connect from now on hear nothing until so long after their 101 went out.
    void register_listeners_late(std::chrono::steady_clock::duration after);
    /// ... or until `register_listeners()`.
    void register_listeners_late();
    /// They hear what comes from now on; also ends the mode in which they do not.
    void register_listeners();
    /// WebSocket listeners get a close frame after all that they were told; event streams end.
    void close_listeners(std::uint16_t code = 1000, std::string reason = {});
    /// Ends their connections from below, without a close frame.
    void drop_listeners(abrupt how = abrupt::fin);
    /// A half-open peer: not one byte leaves for those who listen now, not a pong either.
    void freeze_listeners();
    /// Undoes `freeze_listeners`; what was kept leaves.
    void thaw_listeners();

    // --- what has happened ---

    /// All requests, in the order in which they were read.
    std::vector<seen_request> requests() const;
    /// All events of activities, in order, whoever listened.
    std::vector<told_event> truth() const;
    /// Forgets requests() and truth().
    void forget_records();
    /// What has happened so far.
    server_counters counters() const;
    /// Those who hear notifications now, over both transports.
    std::size_t listeners() const;

    /// @name Waiting for the server's side of things
    /// For tests. They look again every fraction of a millisecond and need nothing of the waiter's executor. What never
    /// comes is waited for without end: a test needs a watchdog.
    /// @{

    /// Until so many hear notifications.
    /// @throws boost::system::system_error `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends the waiting.
    /// @par Threads
    /// From any executor.
    /// @par Lifetime
    /// Keeps what it needs: the server may be destroyed meanwhile.
    boost::asio::awaitable<void> listeners_reached(std::size_t count) const;
    /// Until so many requests that match have been read.
    /// @throws boost::system::system_error `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends the waiting.
    /// @par Threads
    /// From any executor.
    /// @par Lifetime
    /// Keeps what it needs: the server may be destroyed meanwhile.
    boost::asio::awaitable<void> requests_reached(std::string match, std::size_t count) const;
    /// Until so many wait for `release(match)`.
    /// @throws boost::system::system_error `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends the waiting.
    /// @par Threads
    /// From any executor.
    /// @par Lifetime
    /// Keeps what it needs: the server may be destroyed meanwhile.
    boost::asio::awaitable<void> held_reached(std::string match, std::size_t count) const;
    /// Until so many pings have come from WebSocket listeners.
    /// @throws boost::system::system_error `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends the waiting.
    /// @par Threads
    /// From any executor.
    /// @par Lifetime
    /// Keeps what it needs: the server may be destroyed meanwhile.
    boost::asio::awaitable<void> pings_reached(std::size_t count) const;
    /// Until no more than so many connections are open.
    /// @throws boost::system::system_error `operation_aborted` when cancelled
    /// @par Cancellation
    /// Ends the waiting.
    /// @par Threads
    /// From any executor.
    /// @par Lifetime
    /// Keeps what it needs: the server may be destroyed meanwhile.
    boost::asio::awaitable<void> connections_open_fell_to(std::size_t count) const;
    /// @}

private:
    std::shared_ptr<server_state> state_;
};

} // namespace plex::testing
