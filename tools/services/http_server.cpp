#include "services/http_server.hpp"

#include "services/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <list>
#include <optional>

// The one file that instantiates Beast's server.
namespace plex::service {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

http_request::http_request() = default;
http_request::~http_request() = default;
http_request::http_request(http_request&&) noexcept = default;
http_reply::http_reply() = default;
http_reply::~http_reply() = default;
http_reply::http_reply(http_reply&&) noexcept = default;
http_reply& http_reply::operator=(http_reply&&) noexcept = default;

namespace {

using request_parser = http::request_parser<http::string_body>;
using response = http::response<http::string_body>;
constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

std::string_view only_one(request_parser::value_type const& r, http::field name)
{
    if (r.count(name) != 1)
        return {};
    auto const value = r[name];
    return {value.data(), value.size()};
}

http_request taken(request_parser::value_type const& r)
{
    http_request result;
    result.method = std::string(r.method_string());
    result.target = std::string(r.target());
    result.host = only_one(r, http::field::host);
    result.has_origin = r.count(http::field::origin) != 0;
    result.origin = only_one(r, http::field::origin);
    result.authorization = only_one(r, http::field::authorization);
    result.content_type = only_one(r, http::field::content_type);
    result.body = r.body();
    return result;
}

response made(http_reply&& reply, bool without_body)
{
    response r(static_cast<http::status>(reply.status), 11);
    for (auto const& [name, value] : reply.headers)
        r.set(name, value);
    r.set(http::field::content_type, reply.content_type);
    r.content_length(reply.body.size());
    if (!without_body)
        r.body() = std::move(reply.body);
    return r;
}

http_reply refusal(unsigned status, std::string why)
{
    http_reply r;
    r.status = status;
    r.content_type = "text/plain; charset=utf-8";
    r.headers.emplace_back("X-Content-Type-Options", "nosniff");
    r.body = std::move(why) + '\n';
    return r;
}

/// What is told of a request that cannot be read; nothing where nobody waits for it.
std::optional<http_reply> refusal(error_code ec)
{
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
        return refusal(431, "the head of the request is too long");
    if (ec == http::error::body_limit)
        return refusal(413, "the body of the request is too long");
    if (ec == http::error::end_of_stream || ec == http::error::partial_message)
        return std::nullopt;
    if (ec.category() == make_error_code(http::error::bad_version).category())
        return refusal(400, "this is no HTTP request");
    return std::nullopt;
}

/// Of the event stream.
struct reader {
    reader(std::list<reader*>& readers, asio::any_io_executor const& executor)
        : all(readers), here(all.insert(all.end(), this)), rest(executor)
    {
    }
    ~reader() { all.erase(here); }
    reader(reader const&) = delete;
    reader& operator=(reader const&) = delete;

    /// Also where it does not rest yet.
    void wake()
    {
        woken = true;
        rest.expires_at(asio::steady_timer::time_point::min());
    }
    void rest_for(std::chrono::milliseconds time)
    {
        woken = false;
        rest.expires_after(time);
    }

    std::list<reader*>& all;
    std::list<reader*>::iterator here;
    asio::steady_timer rest;
    bool woken = false;
};

} // namespace

struct http_server::state {
    state(asio::any_io_executor e, http_limits const& l, answer_function a)
        : executor(std::move(e)), limits(l), answer(std::move(a)), acceptor(executor)
    {
    }

    static asio::awaitable<void> accept(std::shared_ptr<state> s);
    static asio::awaitable<void> serve(std::shared_ptr<state> s, tcp::socket socket);
    static asio::awaitable<void> send_events(std::shared_ptr<state> s, beast::tcp_stream& stream, http_reply reply);

    asio::awaitable<http_reply> answer_to(http_request);
    asio::awaitable<bool> write(beast::tcp_stream&, response&);
    asio::awaitable<void> refuse(beast::tcp_stream&, http_reply);

    asio::any_io_executor executor;
    http_limits limits;
    answer_function answer;
    tcp::acceptor acceptor;
    std::list<beast::tcp_stream*> connections;
    std::list<reader*> readers;
    bool stopped = false;
};

asio::awaitable<void> http_server::state::accept(std::shared_ptr<state> s)
{
    while (!s->stopped) {
        auto [ec, socket] = co_await s->acceptor.async_accept(quietly);
        if (s->stopped)
            break;
        if (ec) { // such as too many open files
            service::log(plex::log_level::warning, "a connection was not accepted: " + ec.message());
            asio::steady_timer pause(s->executor, std::chrono::milliseconds(100));
            co_await pause.async_wait(quietly);
            continue;
        }
        auto const ended = [](std::exception_ptr const&) {};
        asio::co_spawn(s->executor, serve(s, std::move(socket)), ended);
    }
}

asio::awaitable<http_reply> http_server::state::answer_to(http_request asked)
{
    std::string why;
    try {
        auto answering = answer(std::move(asked));
        http_reply reply = co_await std::move(answering);
        co_return reply;
    } catch (std::exception const& e) {
        why = e.what();
    }
    service::log(plex::log_level::error, "a request was not answered: " + why);
    co_return refusal(500, "this went wrong; the log says why");
}

asio::awaitable<bool> http_server::state::write(beast::tcp_stream& stream, response& r)
{
    stream.expires_after(limits.write);
    auto const [ec, size] = co_await http::async_write(stream, r, quietly);
    co_return !ec;
}

// The last reply on a connection, which may have sent more than was read: that is thrown away for a while, as the reply
// would be lost with a connection that is closed before.
asio::awaitable<void> http_server::state::refuse(beast::tcp_stream& stream, http_reply reply)
{
    response r = made(std::move(reply), false);
    r.keep_alive(false);
    bool const written = co_await write(stream, r);
    if (!written)
        co_return;
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    std::array<char, 4096> thrown_away{};
    stream.expires_after(std::min<std::chrono::milliseconds>(limits.request, std::chrono::seconds(1)));
    for (;;) {
        auto const [ec, size] = co_await stream.async_read_some(asio::buffer(thrown_away), quietly);
        if (ec)
            break;
    }
}

asio::awaitable<void> http_server::state::serve(std::shared_ptr<state> s, tcp::socket socket)
{
    beast::tcp_stream stream(std::move(socket));
    if (s->connections.size() >= s->limits.connections + s->limits.refused)
        co_return;
    struct visit { // among the open connections
        visit(std::list<beast::tcp_stream*>& all, beast::tcp_stream& one)
            : connections(all), here(all.insert(all.end(), &one))
        {
        }
        ~visit() { connections.erase(here); }
        visit(visit const&) = delete;
        visit& operator=(visit const&) = delete;
        std::list<beast::tcp_stream*>& connections;
        std::list<beast::tcp_stream*>::iterator here;
    } const open(s->connections, stream);
    if (s->connections.size() > s->limits.connections) {
        http_reply full = refusal(503, "too many connections are open");
        co_await s->refuse(stream, std::move(full));
        co_return;
    }

    beast::flat_buffer buffer(s->limits.header + s->limits.body);
    while (!s->stopped) {
        request_parser parser;
        parser.header_limit(static_cast<std::uint32_t>(s->limits.header));
        parser.body_limit(s->limits.body);
        stream.expires_after(s->limits.request);
        auto const [ec, size] = co_await http::async_read(stream, buffer, parser, quietly);
        if (ec) {
            std::optional<http_reply> why = refusal(ec);
            if (why)
                co_await s->refuse(stream, std::move(*why));
            break;
        }
        bool const keep_alive = parser.get().keep_alive();
        bool const without_body = parser.get().method() == http::verb::head;
        http_request asked = taken(parser.get());
        http_reply reply = co_await s->answer_to(std::move(asked));
        if (reply.events && s->readers.size() < s->limits.readers) {
            co_await send_events(s, stream, std::move(reply));
            break;
        }
        if (reply.events)
            reply = refusal(503, "too many read the event stream");
        response r = made(std::move(reply), without_body);
        r.keep_alive(keep_alive);
        bool const written = co_await s->write(stream, r);
        if (!written || !keep_alive)
            break;
    }
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> http_server::state::send_events(std::shared_ptr<state> s, beast::tcp_stream& stream,
                                                      http_reply reply)
{
    using namespace asio::experimental::awaitable_operators;
    reader self(s->readers, s->executor);

    // What the kernel keeps for a reader is bounded too: what is sent is then never much older than what is known.
    error_code ignored;
    stream.socket().set_option(asio::socket_base::send_buffer_size(64 << 10), ignored);
    stream.socket().set_option(tcp::no_delay(true), ignored);
    // nginx keeps what it passes on until it has much of it, unless it is told here.
    std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n"
                       "Connection: close\r\n";
    for (auto const& [name, value] : reply.headers)
        head.append(name).append(": ").append(value).append("\r\n");
    head += "\r\n";

    static constexpr std::string_view comment = ":\n\n";
    while (!s->stopped) {
        self.rest_for(s->limits.silence);
        std::shared_ptr<std::string const> const piece = reply.events();
        if (!piece && head.empty()) {
            auto rested = self.rest.async_wait(quietly);
            auto gone = stream.socket().async_wait(tcp::socket::wait_read, quietly);
            auto const first = co_await (std::move(rested) || std::move(gone));
            if (first.index() == 1) // it has nothing more to say but that it goes
                break;
            if (self.woken)
                continue;
        }
        std::array<asio::const_buffer, 4> parts{asio::buffer(head)};
        if (piece) {
            parts[1] = asio::buffer("data: ", 6);
            parts[2] = asio::buffer(*piece);
            parts[3] = asio::buffer("\n\n", 2);
        } else if (head.empty()) {
            parts[1] = asio::buffer(comment);
        }
        stream.expires_after(s->limits.write);
        auto const [ec, size] = co_await asio::async_write(stream, parts, quietly);
        if (ec)
            break;
        head.clear();
    }
}

http_server::http_server(asio::any_io_executor executor, tcp::endpoint const& at, http_limits const& limits,
                         answer_function answer)
    : state_(std::make_shared<state>(executor, limits, std::move(answer)))
{
    tcp::acceptor& a = state_->acceptor;
    a.open(at.protocol());
    a.set_option(tcp::acceptor::reuse_address(true)); // also while connections of the one before still end
    a.bind(at);
    a.listen();
    asio::co_spawn(executor, state::accept(state_), [](std::exception_ptr const& failure) {
        if (failure)
            std::rethrow_exception(failure); // leaves run()
    });
}

http_server::~http_server()
{
    stop();
}

tcp::endpoint http_server::local_endpoint() const
{
    return state_->acceptor.local_endpoint();
}

void http_server::wake_readers()
{
    for (reader* const each : state_->readers)
        each->wake();
}

std::size_t http_server::readers() const noexcept
{
    return state_->readers.size();
}

void http_server::stop()
{
    error_code ignored;
    state_->stopped = true;
    state_->acceptor.close(ignored);
    for (beast::tcp_stream* const each : state_->connections)
        each->socket().close(ignored);
    wake_readers();
}

} // namespace plex::service
