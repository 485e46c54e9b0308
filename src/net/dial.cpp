#include "net/dial.hpp"

#include "net/exchange.hpp"
#include "net/tls_stream.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <new>

#include <sys/socket.h>

namespace plex::net {

using asio::ip::tcp;

char const* to_string(dial_step step) noexcept
{
    switch (step) {
    case dial_step::resolving:
        return "resolving the host name";
    case dial_step::connecting:
        return "connecting";
    case dial_step::resolving_proxy:
        return "resolving the proxy's name";
    case dial_step::connecting_to_proxy:
        return "connecting to the proxy";
    case dial_step::asking_proxy:
        return "asking the proxy for a tunnel";
    case dial_step::tls_handshake:
        return "the TLS handshake";
    }
    return "dialling";
}

endpoints interleaved(endpoints const& all)
{
    endpoints same;
    endpoints other;
    for (tcp::endpoint const& e : all) {
        bool const first_family = all.front().address().is_v6() == e.address().is_v6();
        (first_family ? same : other).push_back(e);
    }
    endpoints ordered;
    for (std::size_t i = 0; i < std::max(same.size(), other.size()); ++i) {
        if (i < same.size())
            ordered.push_back(same[i]);
        if (i < other.size())
            ordered.push_back(other[i]);
    }
    return ordered;
}

namespace {

constexpr auto attempt_delay = std::chrono::milliseconds(250); // RFC 8305, 5

// What callbacks share with the coroutine that waits for them. They outlive it when it leaves early, so both are held
// by shared pointers.

struct lookup final : stoppable, std::enable_shared_from_this<lookup> {
    explicit lookup(scope& s) : resolver(s.executor()) { s.add(*this); }

    void stop() noexcept override
    {
        over = true;
        resolver.cancel();
        news.wake_all();
    }

    void start(std::string const& host, std::uint16_t port)
    {
        auto self = shared_from_this();
        resolver.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                               [self](error_code ec, tcp::resolver::results_type const& results) {
                                   self->done = true;
                                   self->failure = ec;
                                   try {
                                       for (auto const& entry : results)
                                           self->found.push_back(entry.endpoint());
                                   } catch (std::bad_alloc const&) {
                                       self->failure = make_error_code(boost::system::errc::not_enough_memory);
                                   }
                                   self->news.wake_all();
                               });
    }

    tcp::resolver resolver;
    wait_list news;
    endpoints found;
    error_code failure;
    bool done = false;
    bool over = false;
};

struct race final : stoppable, std::enable_shared_from_this<race> {
    explicit race(scope& s) : executor(s.executor()), io_executor(s.io_executor()) { s.add(*this); }

    void stop() noexcept override
    {
        over = true;
        for (tcp::socket& socket : attempts) {
            error_code ignored;
            socket.close(ignored);
        }
        news.wake_all();
    }

    void start(tcp::endpoint const& to)
    {
        std::size_t const i = attempts.size();
        tcp::socket& socket = attempts.emplace_back(io_executor);
        ++pending;
        next_start = std::chrono::steady_clock::now() + attempt_delay;
        auto self = shared_from_this();
        auto connected = [self, i](error_code ec) {
            --self->pending;
            if (self->over)
                return;
            if (ec) {
                self->failure = ec;
                self->next_start = steady_time::min();
            } else if (!self->winner) {
                self->winner = i;
            }
            self->news.wake_all();
        };
        socket.async_connect(to, asio::bind_executor(executor, std::move(connected)));
    }

    asio::any_io_executor executor;
    asio::any_io_executor io_executor;
    wait_list news;
    std::deque<tcp::socket> attempts; // they do not move while they connect
    std::size_t pending = 0;
    steady_time next_start = steady_time::min();
    std::optional<std::size_t> winner;
    error_code failure;
    bool over = false;
};

/// Ends what is under way when the coroutine leaves, by whatever way.
template <class T>
struct ending {
    std::shared_ptr<T> what;
    explicit ending(std::shared_ptr<T> w) : what(std::move(w)) {}
    ~ending()
    {
        what->unlink();
        what->stop();
    }
};

struct looked_up {
    endpoints found;
    error_code ec;
};

asio::awaitable<looked_up> look_up(scope& s, std::string const& host, std::uint16_t port, steady_time deadline)
{
    looked_up result;
    error_code not_literal;
    auto const address = asio::ip::make_address(host, not_literal);
    if (!not_literal) {
        result.found.emplace_back(address, port);
        co_return result;
    }
    auto const l = std::make_shared<lookup>(s);
    ending<lookup> const end(l);
    l->start(host, port);
    while (!l->done && !l->over) {
        woken const why = co_await l->news.park(s.executor(), deadline);
        if (why == woken::by_wake)
            continue;
        result.ec = why == woken::by_deadline ? asio::error::timed_out : asio::error::operation_aborted;
        co_return result;
    }
    result.ec = l->over ? error_code(asio::error::operation_aborted) : l->failure;
    result.found = interleaved(l->found);
    if (!result.ec && result.found.empty())
        result.ec = asio::error::host_not_found;
    co_return result;
}

} // namespace

asio::awaitable<connected> connect_any(scope& s, endpoints addresses, steady_time deadline)
{
    connected result;
    auto const r = std::make_shared<race>(s);
    ending<race> const end(r);
    while (!r->over && !r->winner) {
        bool const more = r->attempts.size() < addresses.size();
        if (more && std::chrono::steady_clock::now() >= r->next_start) {
            r->start(addresses[r->attempts.size()]);
            continue;
        }
        if (r->pending == 0)
            break; // every address has failed
        woken const why = co_await r->news.park(r->executor, more ? std::min(deadline, r->next_start) : deadline);
        if (why == woken::by_cancellation)
            result.ec = asio::error::operation_aborted;
        else if (why == woken::by_deadline && std::chrono::steady_clock::now() >= deadline)
            result.ec = asio::error::timed_out;
        if (result.ec)
            co_return result;
    }
    if (r->over)
        result.ec = asio::error::operation_aborted;
    else if (r->winner)
        result.socket = std::move(r->attempts[*r->winner]);
    else
        result.ec = r->failure;
    co_return result;
}

namespace {

class proxy_error_category final : public boost::system::error_category
{
    char const* name() const noexcept override { return "proxy"; }
    std::string message(int status) const override
    {
        auto const known = static_cast<boost::beast::http::status>(status);
        return "HTTP " + std::to_string(status) + " " + std::string(boost::beast::http::obsolete_reason(known));
    }
};

struct opened {
    std::optional<stream_socket> socket; // empty on failure
    error_code ec;
    dial_step step = dial_step::connecting;
};

// The system answers at once.
opened open_unix_socket(scope& s, std::string const& path)
{
    opened result;
    asio::local::stream_protocol::socket socket(s.io_executor());
    socket.open(asio::local::stream_protocol(), result.ec);
    if (!result.ec)
        socket.non_blocking(true, result.ec);
    if (result.ec)
        return result;
    asio::local::stream_protocol::endpoint const to(path);
    // Asio's own waits where the queue of the listener is full, and then takes it for connected.
    if (::connect(socket.native_handle(), to.data(), static_cast<socklen_t>(to.size())) == 0)
        result.socket.emplace(std::move(socket));
    else
        result.ec = error_code(errno, boost::system::system_category());
    return result;
}

asio::awaitable<opened> open_tcp(scope& s, endpoint_settings const& to, steady_time deadline)
{
    bool const to_proxy = !to.tunnel.empty();
    opened result;
    result.step = to_proxy ? dial_step::resolving_proxy : dial_step::resolving;
    looked_up addresses = co_await look_up(s, to.host, to.port, deadline);
    result.ec = addresses.ec;
    if (result.ec)
        co_return result;
    result.step = to_proxy ? dial_step::connecting_to_proxy : dial_step::connecting;
    connected c = co_await connect_any(s, std::move(addresses.found), deadline);
    result.ec = c.ec;
    if (!result.ec)
        c.socket->set_option(tcp::no_delay(true), result.ec);
    if (!result.ec)
        c.socket->non_blocking(true, result.ec);
    if (!result.ec)
        result.socket.emplace(std::move(*c.socket));
    co_return result;
}

/// The socket leads to the server then.
asio::awaitable<error_code> open_tunnel(scope& s, stream_socket& socket, endpoint_settings const& to,
                                        steady_time deadline)
{
    std::unique_ptr<byte_stream> const stream = make_plain_stream(s, std::move(socket));
    stream->expires_at(deadline);
    reply_reader reader({to.max_header, 0}, expecting::no_body); // RFC 9110, 9.3.6: a tunnel follows the head at once
    exchange tunnel(*stream, to.tunnel, reader);
    co_await run(tunnel, *stream, reader);
    if (stream->expired())
        co_return error_code(asio::error::timed_out);
    if (tunnel.failure())
        co_return tunnel.failure();
    bool const more = !reader.beyond().empty(); // nobody speaks there before we do
    int const status = reader.give_answer().status();
    if (status / 100 != 2)
        co_return error_code(status, proxy_category());
    if (more)
        co_return error_code(boost::system::errc::protocol_error, boost::system::generic_category());
    socket = std::move(*stream->plain());
    co_return error_code();
}

} // namespace

boost::system::error_category const& proxy_category() noexcept
{
    static proxy_error_category const instance;
    return instance;
}

asio::awaitable<dial_result> dial(scope& s, endpoint_settings const& to, steady_time deadline)
{
    dial_result result;
    opened o;
    if (to.unix_socket.empty())
        o = co_await open_tcp(s, to, deadline);
    else
        o = open_unix_socket(s, to.unix_socket);
    result.step = o.step;
    result.ec = o.ec;
    if (result.ec)
        co_return result;
    ++s.connections;
    if (!to.tunnel.empty()) {
        result.step = dial_step::asking_proxy;
        result.ec = co_await open_tunnel(s, *o.socket, to, deadline);
        if (result.ec)
            co_return result;
    }
    if (!to.tls) {
        result.stream = make_plain_stream(s, std::move(*o.socket));
        result.stream->expires_at(deadline);
        co_return result;
    }
    result.step = dial_step::tls_handshake;
    tls_handshake shaken = co_await make_tls_stream(s, std::move(*o.socket), to.tls, deadline);
    result.ec = shaken.ec;
    if (!result.ec)
        result.stream = std::move(shaken.stream);
    co_return result;
}

} // namespace plex::net
