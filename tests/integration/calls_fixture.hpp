#pragma once

#include "run.hpp"

#include <plex/activities.hpp>
#include <plex/async.hpp>
#include <plex/testing/fake_server.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plex::test {

using namespace std::chrono_literals;
using testing::fake_activity;
using testing::fake_server;
using testing::fake_server_options;
using testing::seen_request;

/// A fake server, and a client of it once `settings` are as the test wants them; all on one thread.
class call_scene
{
public:
    explicit call_scene(fake_server_options options = fake_server_options())
        : server(io.get_executor(), std::move(options))
    {
        settings.url = server.url();
    }

    plex::client& client()
    {
        if (!client_)
            client_.emplace(io.get_executor(), settings);
        return *client_;
    }
    void drop_client() { client_.reset(); }

    /// Runs the test's body as a coroutine of the client's executor, where calls run inline.
    void run(std::function<asio::awaitable<void>()> body)
    {
        asio::any_io_executor const executor = client().get_executor();
        test::run(io, executor, body());
    }

    asio::io_context io;
    fake_server server;
    config settings;

private:
    std::optional<plex::client> client_;
};

/// The error that an operation throws; one without a code when it throws none.
template <class T>
asio::awaitable<error> failure_of(asio::awaitable<T> operation)
{
    boost::system::result<T, error> const outcome = co_await as_result(std::move(operation));
    if (outcome)
        co_return error();
    co_return outcome.error();
}

inline bool contains(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

/// An operation under way beside the test's body, on the body's executor; it starts at once.
class started
{
public:
    template <class T>
    started(asio::any_io_executor executor, asio::awaitable<T> operation)
    {
        auto done = [s = state_](std::exception_ptr e, error result) {
            s->thrown = e;
            s->result = std::move(result);
            s->done = true;
        };
        asio::co_spawn(executor, failure_of(std::move(operation)),
                       asio::bind_cancellation_slot(state_->signal.slot(), std::move(done)));
    }

    bool done() const { return state_->done; }
    void cancel(asio::cancellation_type type = asio::cancellation_type::terminal) { state_->signal.emit(type); }
    /// What it failed with. Throws what was no `plex::error`.
    asio::awaitable<error> result()
    {
        std::shared_ptr<state> const s = state_;
        std::function<bool()> done = [s] { return s->done; }; // g++ 12 frees a lambda's captures twice in an await
        co_await until(std::move(done));
        if (s->thrown)
            std::rethrow_exception(s->thrown);
        co_return s->result;
    }

private:
    struct state {
        asio::cancellation_signal signal;
        error result;
        std::exception_ptr thrown;
        bool done = false;
    };
    std::shared_ptr<state> state_ = std::make_shared<state>();
};

/// An address that takes no connection and refuses none: a listening socket whose queue is full.
class black_hole
{
public:
    explicit black_hole(asio::io_context& io, asio::ip::address const& address = asio::ip::address_v4::loopback())
        : acceptor_(io)
    {
        asio::ip::tcp::endpoint const any_port(address, 0);
        acceptor_.open(any_port.protocol());
        acceptor_.bind(any_port);
        acceptor_.listen(0);
        for (auto& socket : fill_) {
            socket.emplace(io);
            socket->open(any_port.protocol());
            socket->native_non_blocking(true);
            asio::ip::tcp::endpoint const here = acceptor_.local_endpoint();
            (void)::connect(socket->native_handle(), here.data(),
                            static_cast<socklen_t>(here.size())); // Asio's would wait
        }
    }
    asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(endpoint().port()); }

private:
    asio::ip::tcp::acceptor acceptor_;
    std::array<std::optional<asio::ip::tcp::socket>, 4> fill_;
};

/// A port of 127.0.0.1 where nobody listens.
inline asio::ip::tcp::endpoint deserted(asio::io_context& io)
{
    asio::ip::tcp::acceptor gone(io, {asio::ip::address_v4::loopback(), 0});
    return gone.local_endpoint();
}

/// A server that speaks whatever a test makes it say, to one connection at a time.
class raw_server
{
public:
    explicit raw_server(asio::io_context& io) : acceptor_(io, {asio::ip::address_v4::loopback(), 0}), socket_(io) {}

    std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }
    asio::ip::tcp::socket& socket() { return socket_; }
    asio::awaitable<void> accept() { co_await acceptor_.async_accept(socket_, asio::use_awaitable); }
    void close() { socket_.close(); }
    /// Reads until the head of a request is complete.
    asio::awaitable<std::string> read_head();
    asio::awaitable<void> write(std::string bytes);

private:
    asio::ip::tcp::acceptor acceptor_;
    asio::ip::tcp::socket socket_;
};

inline asio::awaitable<std::string> raw_server::read_head()
{
    std::string head;
    std::array<char, 4096> buffer;
    while (head.find("\r\n\r\n") == std::string::npos) {
        std::size_t const size = co_await socket_.async_read_some(asio::buffer(buffer), asio::use_awaitable);
        head.append(buffer.data(), size);
    }
    co_return head;
}

inline asio::awaitable<void> raw_server::write(std::string bytes)
{
    std::size_t sent = 0;
    while (sent < bytes.size())
        sent += co_await socket_.async_write_some(asio::buffer(bytes) + sent, asio::use_awaitable);
}

inline fake_activity activity_called(std::string uuid, std::string title = "Scanning")
{
    fake_activity a("library.update.section", std::move(title));
    a.uuid = std::move(uuid);
    return a;
}

} // namespace plex::test
