#include "calls.hpp"

#include "activity_record.hpp"
#include "net/random.hpp"
#include "protocol/request_text.hpp"
#include "protocol/websocket_handshake.hpp"
#include "sync/merge.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>

namespace plex::detail {

using net::steady_time;

namespace {

constexpr char const* opening = "opening the feed";
constexpr std::string_view event_stream_path = "/:/eventsource/notifications"; // docs/protocol.md 1.3

net::endpoint_settings endpoint_of(protocol::base_url const& base, config const& settings)
{
    net::endpoint_settings e;
    e.host = base.host;
    e.port = base.port;
    if (base.tls) {
        e.tls.context = net::make_tls_context(settings.tls.ca_file, settings.tls.insecure);
        e.tls.host = base.host;
        e.tls.insecure = settings.tls.insecure;
    }
    return e;
}

net::pool_settings pool_of(net::endpoint_settings endpoint, config const& settings)
{
    net::pool_settings p;
    p.endpoint = std::move(endpoint);
    p.max_connections = std::max<std::size_t>(settings.max_connections, 1);
    p.connect_timeout = settings.connect_timeout;
    p.idle = settings.idle_connection;
    return p;
}

/// RFC 9110, 9.2.2: what may be sent again when the connection went without a reply.
bool is_idempotent(std::string const& method)
{
    return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" || method == "OPTIONS";
}

bool is_good(int status)
{
    return status / 100 == 2;
}

} // namespace

calls::calls(net::scope& s, config const& settings)
    : scope_(s), settings_(settings), base_(protocol::parse_base_url(settings.url)),
      origin_(base_.origin() + base_.path), identity_(protocol::identity_headers(settings.identity)),
      token_(s, settings.token, settings.token_function), endpoint_(endpoint_of(base_, settings)),
      pool_(s, pool_of(endpoint_, settings))
{
    protocol::check_token(settings.token);
}

void calls::fail(undertaking const& doing, error_code ec, std::string_view during) const
{
    if (scope_.stopped())
        throw stopped_error(doing);
    throw network_error(doing, ec, during);
}

void calls::refuse(undertaking const& doing, protocol::call_kind kind, reply const& answer) const
{
    diagnostics::content said = protocol::describe_reply(answer.status(), answer.body());
    said.retry_after = protocol::retry_after(answer.header("Retry-After"), std::chrono::system_clock::now());
    errc const code = protocol::status_to_errc(answer.status(), kind, said.server_errors);
    if (code == errc::redirected)
        said.body_excerpt = "to " + protocol::redirect_target(answer.header("Location"));
    throw refusal(doing, code, std::move(said));
}

asio::awaitable<net::exchanged> calls::exchange_once(undertaking const& doing, std::string const& bytes,
                                                     std::string const& method, steady_time deadline,
                                                     std::function<void()> const* sending)
{
    net::reply_limits const limits{settings_.max_header, settings_.max_body};
    net::expecting const what = method == "HEAD" ? net::expecting::no_body : net::expecting::body;
    net::connection_pool::acquired got = co_await pool_.acquire(deadline);
    if (!got.ec && sending)
        (*sending)();
    for (;;) {
        if (got.ec)
            fail(doing, got.ec, got.step ? net::to_string(*got.step) : "waiting for a free connection");
        net::byte_stream& stream = *got.connection.stream;
        net::exchanged result = co_await net::exchange(stream, bytes, limits, what);
        if (!result.ec) {
            if (result.reusable)
                got.connection.keep();
            co_return result;
        }
        if (stream.expired())
            fail(doing, asio::error::timed_out, net::to_string(result.step));
        // A server closes idle connections when it likes: what was sent on one that it had closed was not looked at.
        bool const was_dead = got.connection.kept && result.step != net::exchange_step::receiving &&
                              result.ec != asio::error::operation_aborted;
        if (!was_dead || !is_idempotent(method))
            fail(doing, result.ec, net::to_string(result.step));
        net::connection_pool::lease again = std::move(got.connection);
        got = co_await pool_.replace(std::move(again), deadline);
    }
}

asio::awaitable<reply> calls::exchange(undertaking doing, request asked, steady_time until,
                                       std::function<void()> const* sending)
{
    steady_time const deadline = std::min(until, std::chrono::steady_clock::now() + settings_.request_timeout);
    protocol::check_request(asked);
    try {
        for (;;) {
            if (scope_.stopped())
                throw stopped_error(doing);
            std::string const token = co_await token_.get(doing, deadline);
            std::string const bytes = protocol::request_bytes(base_, identity_, token, asked);
            if (scope_.stopped())
                throw stopped_error(doing);
            ++requests_;
            net::exchanged result = co_await exchange_once(doing, bytes, asked.method(), deadline, sending);
            log(log_level::debug,
                [&] { return asked.method() + " at " + origin_ + ": HTTP " + std::to_string(result.answer.status()); });
            if (is_good(result.answer.status()))
                token_.accepted();
            if (result.answer.status() != 401)
                co_return std::move(result.answer);
            bool const another = co_await token_.renew(doing, token, deadline);
            if (!another)
                co_return std::move(result.answer);
        }
    } catch (error const&) {
        throw;
    } catch (boost::system::system_error const& e) {
        // A cancellation that came together with a result: Asio throws at the next co_await.
        if (e.code() != asio::error::operation_aborted)
            throw;
        fail(doing, e.code(), "going on to the next step");
    }
}

asio::awaitable<void> calls::list_into(protocol::decoder& into, wire_tap* tap)
{
    undertaking const doing = {"listing the activities", origin_};
    request const asked("GET", "/activities");
    reply answer = co_await exchange(doing, asked);
    if (!is_good(answer.status()))
        refuse(doing, protocol::call_kind::list, answer);
    if (tap)
        tap->list(answer.body());
    std::string body = answer.body();
    if (into.take_list(std::move(body)) == protocol::decoded::malformed) {
        diagnostics::content said = protocol::describe_reply(answer.status(), answer.body());
        said.message = doing.what + " at " + doing.origin + ": the reply is " + std::string(into.problem());
        throw error(errc::malformed_reply, diagnostics(std::move(said)));
    }
}

asio::awaitable<std::vector<activity>> calls::list()
{
    protocol::decoder decoder;
    co_await list_into(decoder);
    std::vector<activity> result;
    result.reserve(decoder.updates().size());
    for (protocol::activity_update const& update : decoder.updates())
        result.push_back(sync::merge(activity(), update, true));
    co_return result;
}

asio::awaitable<void> calls::cancel(std::string uuid)
{
    undertaking const doing = {"cancelling an activity", origin_};
    std::string target = protocol::activity_target(uuid);
    request const asked("DELETE", std::move(target));
    reply const answer = co_await exchange(doing, asked);
    if (!is_good(answer.status()))
        refuse(doing, protocol::call_kind::cancel, answer);
}

asio::awaitable<reply> calls::send(request asked)
{
    undertaking const doing = {asked.method() + " of a request", origin_};
    reply answer = co_await exchange(doing, std::move(asked));
    co_return answer;
}

asio::awaitable<reply> calls::demand(std::string what, request asked, steady_time until,
                                     std::function<void()> const* sending)
{
    undertaking const doing = {std::move(what), origin_};
    reply answer = co_await exchange(doing, std::move(asked), until, sending);
    if (!is_good(answer.status()))
        refuse(doing, protocol::call_kind::list, answer);
    co_return answer;
}

asio::awaitable<opened_feed> calls::open_feed(transport over, steady_time deadline)
{
    undertaking const doing = {opening, origin_};
    for (;;) {
        std::string const token = co_await token_.get(doing, deadline);
        reply refused;
        opened_feed opened;
        if (over == transport::websocket)
            opened = co_await try_websocket(token, deadline, refused);
        else
            opened = co_await try_event_stream(token, deadline, refused);
        if (opened.stream) {
            token_.accepted();
            co_return opened;
        }
        bool another = false;
        if (refused.status() == 401 || refused.status() == 403)
            another = co_await token_.renew(doing, token, deadline);
        if (!another)
            refuse(doing, protocol::call_kind::upgrade, refused);
    }
}

asio::awaitable<opened_feed> calls::try_websocket(std::string const& token, steady_time deadline, reply& refused)
{
    std::array<std::uint8_t, 16> random{};
    net::fill_random(std::as_writable_bytes(std::span(random)));
    std::string const key = protocol::make_key(random);
    std::string const target = protocol::feed_target(settings_.websocket_path, settings_.feed_filters);
    std::string const head = protocol::upgrade_bytes(base_, identity_, token, target, key);

    opened_feed opened;
    std::unique_ptr<net::byte_stream> stream;
    net::exchanged result = co_await open_exchange(head, net::expecting::body, deadline, stream);
    if (result.answer.status() != 101) {
        refused = std::move(result.answer);
        co_return opened;
    }
    // RFC 6455, 4.1: also nothing may be agreed on that was not asked for.
    if (result.answer.header("Sec-WebSocket-Accept") != protocol::accept_for(key) ||
        !result.answer.header("Sec-WebSocket-Extensions").empty() ||
        !result.answer.header("Sec-WebSocket-Protocol").empty())
        throw error(errc::malformed_reply,
                    std::string(opening) + " at " + origin_ + ": the reply to the upgrade is none of ours");
    opened.stream = std::move(stream);
    opened.beyond = std::move(result.beyond);
    co_return opened;
}

asio::awaitable<opened_feed> calls::try_event_stream(std::string const& token, steady_time deadline, reply& refused)
{
    request asked("GET", protocol::feed_target(event_stream_path, settings_.feed_filters));
    asked.header("Accept", "text/event-stream");
    std::string const head = protocol::request_bytes(base_, identity_, token, asked);

    opened_feed opened;
    std::unique_ptr<net::byte_stream> stream;
    net::exchanged result = co_await open_exchange(head, net::expecting::event_stream, deadline, stream);
    if (!result.events) {
        refused = std::move(result.answer);
        co_return opened;
    }
    opened.stream = std::move(stream);
    opened.events = std::move(result.events);
    opened.beyond = std::move(result.beyond);
    co_return opened;
}

/// On a connection of its own, which is the feed's if it is opened.
asio::awaitable<net::exchanged> calls::open_exchange(std::string const& head, net::expecting what, steady_time deadline,
                                                     std::unique_ptr<net::byte_stream>& stream)
{
    undertaking const doing = {opening, origin_};
    net::dial_result dialled = co_await net::dial(scope_, endpoint_, deadline);
    if (dialled.ec)
        fail(doing, dialled.ec, net::to_string(dialled.step));
    net::reply_limits const limits{settings_.max_header, settings_.max_body};
    net::exchanged result = co_await net::exchange(*dialled.stream, head, limits, what);
    if (result.ec)
        fail(doing, dialled.stream->expired() ? error_code(asio::error::timed_out) : result.ec,
             "waiting for the reply");
    stream = std::move(dialled.stream);
    co_return result;
}

asio::awaitable<void> calls::say_goodbye(steady_time deadline)
{
    for (std::unique_ptr<net::byte_stream>& stream : pool_.take_idle()) {
        stream->expires_at(deadline);
        co_await stream->say_goodbye();
    }
}

} // namespace plex::detail
