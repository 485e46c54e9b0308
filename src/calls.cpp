#include "calls.hpp"

#include "activity_record.hpp"
#include "endpoint.hpp"
#include "net/random.hpp"
#include "protocol/request_text.hpp"
#include "protocol/secret.hpp"
#include "protocol/websocket_handshake.hpp"
#include "sync/merge.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <tuple>

namespace plex::detail {

using net::steady_time;

namespace {

constexpr char const* opening = "opening the feed";
constexpr std::string_view event_stream_path = "/:/eventsource/notifications"; // docs/protocol.md 1.3

net::pool_settings pool_of(net::endpoint_settings endpoint, config const& settings)
{
    net::pool_settings p;
    p.endpoint = std::move(endpoint);
    p.max_connections = std::max<std::size_t>(settings.max_connections, 1);
    p.max_waiting = settings.max_waiting;
    p.connect_timeout = settings.connect_timeout;
    p.idle = settings.idle_connection;
    return p;
}

/// RFC 9110, 9.2.2: what may be sent again when the connection went without a reply.
bool is_idempotent(std::string_view method)
{
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

bool is_good(int status)
{
    return status / 100 == 2;
}

} // namespace

calls::calls(net::scope& s, config const& given, settings const& kept)
    : scope_(s), settings_(kept), base_(protocol::parse_base_url(given.url)), origin_(base_.origin() + base_.path),
      identity_(protocol::identity_headers(given.identity)), token_(s, given.token, given.token_function),
      pool_(s, pool_of(endpoint_of(base_, given), given))
{
    origin_ += way_of(pool_.endpoint(), given);
    if (given.token_function)
        host_alone_ = base_.origin();
    protocol::check_place_of_token(base_, identity_, given.token);
}

void calls::fail(std::string_view what, error_code ec, std::string_view during) const
{
    if (scope_.stopped())
        throw stopped_error(doing(what));
    throw network_error(doing(what), ec, during);
}

void calls::expect_good(std::string_view what, protocol::call_kind kind, net::answer const& answer) const
{
    if (!is_good(answer.status()))
        refuse(what, kind, answer);
}

void calls::refuse(std::string_view what, protocol::call_kind kind, net::answer const& answer) const
{
    std::vector<std::string_view> const hidden = token_.secrets();
    diagnostics::content said = protocol::describe_reply(answer.status(), answer.body(), hidden);
    said.retry_after = protocol::retry_after(answer.header("Retry-After"), std::chrono::system_clock::now());
    errc const code = protocol::status_to_errc(answer.status(), kind, said.server_errors);
    if (code == errc::redirected)
        said.body_excerpt = "to " + protocol::redirect_target(answer.header("Location"), hidden);
    throw refusal(doing(what), code, std::move(said));
}

asio::awaitable<void> calls::get_token(std::string_view what, steady_time deadline)
{
    undertaking const now = doing(what);
    if (scope_.stopped())
        throw stopped_error(now);
    co_await token_.get(now, deadline);
    hide_token_in_origin();
}

asio::awaitable<bool> calls::renew_token(std::string_view what, std::uint64_t refused, steady_time deadline)
{
    undertaking const now = doing(what);
    bool const another = co_await token_.renew(now, refused, deadline);
    hide_token_in_origin();
    co_return another;
}

net::connection_pool::lease calls::checked(std::string_view what, net::connection_pool::acquired got) const
{
    if (got.ec)
        fail(what, got.ec, got.step ? net::to_string(*got.step) : "waiting for a free connection");
    return std::move(got.connection);
}

/// No request will be sent with it, but all that is said from now on names the server.
void calls::hide_token_in_origin()
{
    if (protocol::path_holds(base_.path, token_.value()))
        path_is_secret_ = true;
}

asio::awaitable<net::connection_pool::lease> calls::connect(std::string_view what, steady_time deadline, bool hurries)
{
    net::connection_pool::acquired got = co_await pool_.acquire(deadline, hurries);
    co_return checked(what, std::move(got));
}

asio::awaitable<net::connection_pool::lease>
calls::connect_again(std::string_view what, net::connection_pool::lease dead, steady_time deadline)
{
    net::connection_pool::acquired got = co_await pool_.replace(std::move(dead), deadline);
    co_return checked(what, std::move(got));
}

void calls::check(request const& asked) const
{
    protocol::check_request(asked);
    protocol::check_no_token_in(asked, token_.value());
}

calls::shared_bytes calls::request_bytes(request const& asked)
{
    auto const shared = [](std::string bytes) { return std::make_shared<std::string const>(std::move(bytes)); };
    if (!asked.headers().empty())
        return shared(protocol::request_bytes(base_, identity_, token_.value(), asked));
    if (!list_bytes_ || common_version_ != token_.version()) {
        std::string const common = protocol::common_headers(base_, identity_, token_.value());
        std::string list = protocol::plain_request_bytes(base_, common, list_request());
        list.shrink_to_fit();
        list_bytes_ = shared(std::move(list));
        common_ = std::string_view(*list_bytes_);
        common_ = common_.substr(common_.rfind(common), common.size());
        common_version_ = token_.version();
    }
    if (&asked == &list_request())
        return list_bytes_;
    protocol::check_no_token_in(asked, token_.value());
    return shared(protocol::plain_request_bytes(base_, common_, asked));
}

request const& calls::list_request()
{
    static request const list("GET", "/activities");
    return list;
}

asio::awaitable<net::answer> calls::ask(std::string_view what, request const& asked, steady_time until,
                                        std::function<void()> const* sending)
{
    steady_time now = std::chrono::steady_clock::now();
    steady_time const deadline = std::min(until, now + settings_.request_timeout);
    bool const repeatable = is_idempotent(asked.method());
    bool const hurries = &asked == &list_request();
    bool const has_body = std::string_view(asked.method()) != "HEAD";
    net::expecting const expected = has_body ? net::expecting::body : net::expecting::no_body;
    net::answer answer;
    char const* during = "going on to the next step";
    try {
        for (;;) {
            if (scope_.stopped())
                throw stopped_error(doing(what));
            if (!token_.known()) {
                co_await get_token(what, deadline);
                now = std::chrono::steady_clock::now();
                continue;
            }
            std::uint64_t const token_used = token_.version();
            shared_bytes const bytes = request_bytes(asked);
            ++requests_;
            net::connection_pool::lease connection = pool_.acquire_kept(now, deadline, hurries);
            if (!connection.stream)
                connection = co_await connect(what, deadline, hurries);
            if (sending)
                (*sending)();
            for (;;) {
                net::reply_reader reader({settings_.max_header, settings_.max_body}, expected, std::move(spare_));
                net::byte_stream& stream = *connection.stream;
                net::exchange running(stream, *bytes, reader);
                // One in a row of requests is sent at once, and has the buffer of the last.
                bool const in_a_row = running.unsent().size() == 0 && reader.has_buffer();
                net::stream_socket* const socket = in_a_row ? stream.plain() : nullptr;
                if (!socket)
                    co_await net::run(running, stream, reader);
                while (!running.over()) {
                    during = net::to_string(running.step());
                    auto reading = socket->async_read_some(reader.room(), asio::as_tuple(asio::deferred));
                    std::tuple<error_code, std::size_t> const got = co_await std::move(reading);
                    running.read(std::get<0>(got), std::get<1>(got));
                }
                if (!running.failure()) {
                    if (running.reusable())
                        connection.keep();
                    answer = reader.give_answer();
                    break;
                }
                if (stream.expired())
                    fail(what, asio::error::timed_out, net::to_string(running.step()));
                // A server closes idle connections when it likes: what was sent on one that it had closed was not
                // looked at.
                bool const was_dead = connection.kept && running.step() != net::exchange_step::receiving &&
                                      running.failure() != asio::error::operation_aborted;
                if (!was_dead || !repeatable)
                    fail(what, running.failure(), net::to_string(running.step()));
                connection = co_await connect_again(what, std::move(connection), deadline);
            }
            during = "going on to the next step";
            connection = {}; // not to be held while a token is asked for, which may need it
            log(log_level::debug,
                [&] { return asked.method() + " at " + origin() + ": HTTP " + std::to_string(answer.status()); });
            if (is_good(answer.status()))
                token_.accepted();
            if (answer.status() != 401)
                break;
            bool const another = co_await renew_token(what, token_used, deadline);
            if (!another)
                break;
            now = std::chrono::steady_clock::now();
        }
    } catch (error const&) {
        throw;
    } catch (boost::system::system_error const& e) {
        // A cancellation that came together with a result: Asio throws at the next co_await.
        if (e.code() != asio::error::operation_aborted)
            throw;
        fail(what, e.code(), during);
    }
    co_return answer;
}

void calls::keep_buffer(net::answer answer) noexcept
{
    constexpr std::size_t worth_keeping = 64u << 10;
    net::byte_buffer buffer = std::move(answer).give_buffer();
    if (buffer.size <= worth_keeping)
        spare_ = std::move(buffer);
}

void calls::expect_list(int status, std::string_view body, protocol::decoder const& decoder,
                        protocol::decoded outcome) const
{
    if (outcome != protocol::decoded::malformed)
        return;
    diagnostics::content said = protocol::describe_reply(status, body, token_.secrets());
    said.message = std::string(listing) + " at " + origin() + ": the reply is " + std::string(decoder.problem());
    throw error(errc::malformed_reply, diagnostics(std::move(said)));
}

asio::awaitable<void> calls::list_into(protocol::decoder& into, wire_tap* tap)
{
    net::answer answer = co_await ask_list();
    expect_good(listing, protocol::call_kind::list, answer);
    if (tap)
        tap->list(answer.body());
    std::string const beginning(answer.body().substr(0, 4096)); // for what an error would say of it
    int const status = answer.status();
    std::span<char> const body = answer.mutable_body();
    net::byte_buffer buffer = std::move(answer).give_buffer();
    protocol::decoded const outcome = into.take_list(std::move(buffer.bytes), body, settings_.max_depth);
    expect_list(status, beginning, into, outcome);
}

std::vector<activity> calls::activities_of(net::answer answer)
{
    expect_good(listing, protocol::call_kind::list, answer);
    protocol::decoder& decoder = protocol::decoder::of_this_thread();
    protocol::decoded const outcome = decoder.list(answer.mutable_body(), settings_.max_depth); // where it lies
    expect_list(answer.status(), answer.body(), decoder, outcome);
    std::vector<activity> result;
    result.reserve(decoder.updates().size());
    for (protocol::activity_update const& update : decoder.updates())
        result.push_back(sync::merge(activity(), update, true));
    keep_buffer(std::move(answer));
    return result;
}

request calls::cancel_request(std::string_view uuid)
{
    return request("DELETE", protocol::activity_target(uuid));
}

void calls::check_cancelled(net::answer answer)
{
    expect_good(cancelling, protocol::call_kind::cancel, answer);
    keep_buffer(std::move(answer));
}

asio::awaitable<reply> calls::demand(std::string what, request asked, steady_time until,
                                     std::function<void()> const* sending)
{
    check(asked);
    net::answer answer = co_await ask(what, asked, until, sending);
    expect_good(what, protocol::call_kind::list, answer);
    co_return answer.to_reply();
}

asio::awaitable<opened_feed> calls::open_feed(transport over, steady_time deadline)
{
    for (;;) {
        if (!token_.known())
            co_await get_token(opening, deadline);
        std::uint64_t const token_used = token_.version();
        net::answer refused;
        opened_feed opened;
        if (over == transport::websocket)
            opened = co_await try_websocket(deadline, refused);
        else
            opened = co_await try_event_stream(deadline, refused);
        if (opened.stream) {
            token_.accepted();
            co_return opened;
        }
        bool another = false;
        if (refused.status() == 401 || refused.status() == 403)
            another = co_await renew_token(opening, token_used, deadline);
        if (!another)
            refuse(opening, protocol::call_kind::upgrade, refused);
    }
}

asio::awaitable<opened_feed> calls::try_websocket(steady_time deadline, net::answer& refused)
{
    std::array<std::uint8_t, 16> random{};
    net::fill_random(std::as_writable_bytes(std::span(random)));
    std::string const key = protocol::make_key(random);
    std::string const target = protocol::feed_target(settings_.websocket_path, settings_.feed_filters);
    std::string const head = protocol::upgrade_bytes(base_, identity_, token_.value(), target, key);

    feed_reply result = co_await open_exchange(head, net::expecting::body, deadline);
    if (result.answer.status() != 101) {
        refused = std::move(result.answer);
        co_return opened_feed();
    }
    // RFC 6455, 4.1: also nothing may be agreed on that was not asked for.
    if (result.answer.header("Sec-WebSocket-Accept") != protocol::accept_for(key) ||
        !result.answer.header("Sec-WebSocket-Extensions").empty() ||
        !result.answer.header("Sec-WebSocket-Protocol").empty())
        throw error(errc::malformed_reply,
                    std::string(opening) + " at " + origin() + ": the reply to the upgrade is none of ours");
    co_return std::move(result.opened);
}

asio::awaitable<opened_feed> calls::try_event_stream(steady_time deadline, net::answer& refused)
{
    request asked("GET", protocol::feed_target(event_stream_path, settings_.feed_filters));
    asked.header("Accept", "text/event-stream");
    std::string const head = protocol::request_bytes(base_, identity_, token_.value(), asked);

    feed_reply result = co_await open_exchange(head, net::expecting::event_stream, deadline);
    if (!result.opened.events) {
        refused = std::move(result.answer);
        co_return opened_feed();
    }
    co_return std::move(result.opened);
}

/// On a connection of its own, which is the feed's if it is opened.
asio::awaitable<calls::feed_reply> calls::open_exchange(std::string const& head, net::expecting what,
                                                        steady_time deadline)
{
    net::dial_result dialled = co_await net::dial(scope_, pool_.endpoint(), deadline);
    if (dialled.ec)
        fail(opening, dialled.ec, net::to_string(dialled.step));
    net::reply_reader reader({settings_.max_header, settings_.max_body}, what);
    net::exchange opened(*dialled.stream, head, reader);
    co_await net::run(opened, *dialled.stream, reader);
    if (opened.failure())
        fail(opening, dialled.stream->expired() ? error_code(asio::error::timed_out) : opened.failure(),
             "waiting for the reply");
    feed_reply came;
    came.opened.stream = std::move(dialled.stream);
    came.opened.beyond = reader.beyond();
    if (reader.is_event_stream())
        came.opened.events = std::make_unique<net::reply_stream>(reader.framing());
    came.answer = reader.give_answer();
    co_return came;
}

asio::awaitable<void> calls::say_goodbye(steady_time deadline)
{
    for (std::unique_ptr<net::byte_stream>& stream : pool_.take_idle()) {
        stream->expires_at(deadline);
        co_await stream->say_goodbye();
    }
}

} // namespace plex::detail
