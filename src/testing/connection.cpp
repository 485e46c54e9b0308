#include "testing/connection.hpp"

#include "testing/feeds.hpp"
#include "testing/http_message.hpp"
#include "testing/routes.hpp"
#include "testing/server_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <utility>

namespace plex::testing {
namespace {

namespace http = boost::beast::http;
using asio::ip::tcp;

/// Counts an open connection for as long as it lives.
class open_connection
{
public:
    explicit open_connection(std::shared_ptr<server_state> state) : state_(std::move(state))
    {
        std::lock_guard const lock(state_->mutex);
        number_ = ++state_->counters.connections_accepted;
        ++state_->counters.connections_open;
    }
    ~open_connection()
    {
        std::lock_guard const lock(state_->mutex);
        --state_->counters.connections_open;
    }
    open_connection(open_connection const&) = delete;
    open_connection& operator=(open_connection const&) = delete;

    std::size_t number() const { return number_; }

private:
    std::shared_ptr<server_state> state_;
    std::size_t number_ = 0;
};

seen_request seen(http_request const& request, std::size_t connection)
{
    seen_request result;
    result.method = std::string(request.method_string());
    result.target = std::string(request.target());
    for (auto const& field : request)
        result.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    result.body = request.body();
    result.connection = connection;
    return result;
}

reply as_reply(scripted_reply const& scripted)
{
    reply result;
    if (scripted.body.empty() && scripted.status >= 400)
        result.body = error_reply(scripted.status).body;
    else
        result.body = scripted.body;
    result.status = scripted.status;
    result.content_type = scripted.content_type;
    result.headers = scripted.headers;
    return result;
}

/// Reads and ignores what comes, until the peer has enough.
asio::awaitable<void> ignore_peer(std::shared_ptr<wire> connection)
{
    std::array<char, 4096> ignored;
    error_code result;
    while (!result) {
        auto [failure, size] =
            co_await connection->async_read_some(asio::buffer(ignored), asio::as_tuple(asio::use_awaitable));
        result = failure;
    }
}

asio::awaitable<void> end_cancelled(std::shared_ptr<server_state> state, std::string uuid)
{
    co_await state->sleep(*state->options.cancel_delay);
    auto const known = state->find(uuid);
    if (known && !state->is_stopped())
        state->end(uuid, known->progress);
}

/// True if the connection may carry another request.
asio::awaitable<bool> serve_request(std::shared_ptr<server_state> state, std::shared_ptr<wire> connection,
                                    http_request request, std::size_t number)
{
    seen_request incoming = seen(request, number);
    bool const here = read_target(incoming, state->options.base_path);
    verdict sentence;
    {
        std::lock_guard const lock(state->mutex);
        sentence = state->script.judge(incoming.method, incoming.path);
        ++state->counters.requests;
        if (state->options.keep_records)
            state->requests.push_back(incoming);
    }
    bool const is_upgrade = boost::beast::websocket::is_upgrade(request);
    bool const own_answer = !sentence.reply;
    bool const answer_first = sentence.state == as_of::request;

    reply result = own_answer ? reply() : as_reply(*sentence.reply);
    if (own_answer && answer_first)
        result = here ? answer(state, incoming, is_upgrade) : error_reply(404);
    if (sentence.delay.count() > 0)
        co_await state->sleep(sentence.delay);
    if (sentence.held)
        co_await state->wait_for_release(sentence.held);
    if (own_answer && !answer_first)
        result = here ? answer(state, incoming, is_upgrade) : error_reply(404);
    if (state->is_stopped() || !connection->is_open())
        co_return false;

    if (sentence.cut)
        connection->cut_after(*sentence.cut);
    if (!own_answer && sentence.reply->none) {
        co_await ignore_peer(connection);
        co_return false;
    }
    if (!own_answer && sentence.reply->raw) {
        connection->send(sentence.reply->body);
        co_return sentence.reply->keep_open;
    }
    if (result.becomes != reply::feed::none) {
        feed_filter filter(incoming.query_value("filters"));
        if (result.becomes == reply::feed::websocket)
            co_await serve_websocket(std::move(state), connection, std::move(filter), std::move(request));
        else
            co_await serve_event_stream(std::move(state), connection, std::move(filter));
        co_return false;
    }
    connection->send(to_bytes(result, request.keep_alive()));
    if (!result.cancelled.empty() && state->options.cancel_delay) {
        // The end is an event of its own, and comes after the reply.
        co_await connection->flushed();
        asio::co_spawn(state->strand, end_cancelled(state, result.cancelled), asio::detached);
    }
    co_return request.keep_alive() && !sentence.cut;
}

asio::awaitable<void> serve(std::shared_ptr<server_state> state, std::shared_ptr<wire> connection)
{
    open_connection const counted(state);
    std::size_t const number = counted.number();
    bool stall = false;
    {
        std::lock_guard const lock(state->mutex);
        if (state->connections_to_stall != 0) {
            stall = true;
            if (state->connections_to_stall != fake_server::always)
                --state->connections_to_stall;
        }
    }
    if (stall) {
        co_await state->wait_for_release(std::make_shared<held_request>());
        co_return;
    }
    bool go_on = co_await connection->handshake();
    if (!go_on)
        co_return;
    boost::beast::flat_buffer buffer;
    while (go_on) {
        http::request_parser<http::string_body> parser;
        auto [failure, size] =
            co_await http::async_read(*connection, buffer, parser, asio::as_tuple(asio::use_awaitable));
        if (failure)
            break;
        http_request request = parser.release();
        go_on = co_await serve_request(state, connection, std::move(request), number);
    }
    co_await connection->goodbye();
}

} // namespace

asio::awaitable<void> accept_connections(std::shared_ptr<server_state> state)
{
    while (state->acceptor.is_open()) {
        tcp::socket socket(state->strand);
        auto [failure] = co_await state->acceptor.async_accept(socket, asio::as_tuple(asio::use_awaitable));
        if (state->is_stopped())
            co_return;
        if (failure) {
            // Too many open files, most likely: others have to go first.
            co_await state->sleep(std::chrono::milliseconds(10));
            continue;
        }
        bool refuse = false;
        {
            std::lock_guard const lock(state->mutex);
            if (state->connections_to_refuse != 0) {
                refuse = true;
                ++state->counters.connections_accepted;
                if (state->connections_to_refuse != fake_server::always)
                    --state->connections_to_refuse;
            }
        }
        if (refuse)
            continue;
        error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        auto connection = wire::over(std::move(socket), state->identity, state->registry);
        asio::co_spawn(state->strand, serve(state, std::move(connection)), asio::detached);
    }
}

} // namespace plex::testing
