#pragma once

#include "run.hpp"
#include "sanitizers.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace plex::test {

/// What somebody on the path does, once.
enum class harm {
    none,
    // after so many bytes
    fin,   ///< ends the connection
    rst,   ///< the same, abruptly
    stall, ///< lets nothing more through
    flip,  ///< turns one bit
    noise, ///< puts something else into the place of the rest
    // to so many-th record of TLS
    repeated,  ///< it comes twice
    left_out,  ///< it does not come
    exchanged, ///< it comes after the next one
    cut,       ///< half of it does not come
    // before the so many-th record of TLS
    oversized, ///< one that is larger than any may be
    empty,
    unknown,           ///< one of a type that there is not
    key_change,        ///< TLS 1.2's, which 1.3 has for show
    alert,             ///< a fatal one, unprotected
    goodbye,           ///< TLS's, unprotected
    text,              ///< an answer in plain text
    plain_data,        ///< an answer as data, unprotected
    endless_handshake, ///< the beginning of a message of 16 MiB, and a good part of it
};

inline std::string name_of(harm what)
{
    static std::map<harm, std::string> const names = {
        {harm::none, "nothing"},
        {harm::fin, "an end"},
        {harm::rst, "a reset"},
        {harm::stall, "a stall"},
        {harm::flip, "a bit turned"},
        {harm::noise, "noise"},
        {harm::repeated, "a record twice"},
        {harm::left_out, "a record left out"},
        {harm::exchanged, "two records exchanged"},
        {harm::cut, "half a record"},
        {harm::oversized, "a record too large"},
        {harm::empty, "an empty record"},
        {harm::unknown, "a record of no type"},
        {harm::key_change, "a change of keys"},
        {harm::alert, "an alert"},
        {harm::goodbye, "an unprotected goodbye"},
        {harm::text, "plain text"},
        {harm::plain_data, "plain data"},
        {harm::endless_handshake, "a handshake without end"},
    };
    return names.at(what);
}

struct interference {
    harm what = harm::none;
    bool to_client = true;      ///< to what the server says; else to what the client says
    std::size_t at = 0;         ///< so many bytes, or records
    std::size_t connection = 0; ///< which one, of those that come by
};

/// Of places at which to do so: all of them in the long form; fewer under sanitizers, which take their time, and to
/// which one place is as good as the next.
inline std::size_t step_of(std::size_t usual)
{
    if (under_thread_sanitizer || under_address_sanitizer)
        usual *= 3;
    return std::getenv("PLEX_TEST_LONG") ? 1 : usual;
}

/// Somebody on the path from clients to a server: passes on what both say, but for one connection, of which he changes
/// something.
class relay
{
public:
    relay(asio::io_context& io, std::uint16_t server, interference what)
        : state_(std::make_shared<state>(io, server, what))
    {
        asio::co_spawn(io, accept(state_), asio::detached);
    }
    ~relay() { state_->acceptor.close(); }
    relay(relay const&) = delete;
    relay& operator=(relay const&) = delete;

    std::uint16_t port() const { return state_->acceptor.local_endpoint().port(); }
    /// Whether he has had occasion to.
    bool struck() const { return state_->struck; }
    /// Bytes for the client, and records, that have come by on that one connection.
    std::size_t bytes() const { return state_->bytes; }
    std::size_t records() const { return state_->records; }

private:
    using socket = asio::ip::tcp::socket;

    struct state {
        state(asio::io_context& io, std::uint16_t port, interference i)
            : acceptor(io, {asio::ip::address_v4::loopback(), 0}), server(asio::ip::address_v4::loopback(), port),
              what(i)
        {
        }
        asio::ip::tcp::acceptor acceptor;
        asio::ip::tcp::endpoint const server;
        interference const what;
        std::size_t accepted = 0;
        bool struck = false;
        std::size_t bytes = 0;
        std::size_t records = 0;
    };

    struct passage {
        explicit passage(std::shared_ptr<state> s)
            : of(std::move(s)), client(of->acceptor.get_executor()), server(client.get_executor())
        {
        }
        std::shared_ptr<state> of;
        socket client;
        socket server;
        bool is_chosen = false;
        bool is_over = false; // nothing more is passed on
    };

    /// What one side says, as the other gets it.
    class stream
    {
    public:
        explicit stream(state& s) : of_(s) {}

        std::string passed(std::string bytes)
        {
            std::string out = of_.what.what < harm::repeated ? by_bytes(std::move(bytes)) : by_records(bytes);
            seen_ += out.size();
            return out;
        }
        std::string rest() { return std::exchange(incomplete_, {}) + std::exchange(held_, {}); }
        std::size_t records() const { return records_; }

    private:
        std::string by_bytes(std::string bytes)
        {
            std::size_t const at = of_.what.at;
            if (of_.what.what == harm::none || at < seen_ || at >= seen_ + bytes.size())
                return bytes;
            of_.struck = true;
            if (of_.what.what == harm::flip) {
                bytes[at - seen_] = static_cast<char>(bytes[at - seen_] ^ (1 << at % 8));
                return bytes;
            }
            bytes.resize(at - seen_);
            if (of_.what.what == harm::noise)
                for (unsigned i = 1; i != 1000; ++i)
                    bytes += static_cast<char>(i * i * 2654435761U >> 24);
            return bytes;
        }

        std::string by_records(std::string const& bytes)
        {
            incomplete_ += bytes;
            std::string out;
            for (;;) {
                auto const byte = [&](std::size_t i) {
                    return std::size_t{static_cast<unsigned char>(incomplete_[i])};
                };
                std::size_t const size = incomplete_.size() < 5 ? 0 : 5 + byte(3) * 256 + byte(4);
                if (size == 0 || incomplete_.size() < size)
                    return out;
                std::string const one = incomplete_.substr(0, size);
                incomplete_.erase(0, size);
                bool const is_it = records_++ == of_.what.at;
                of_.struck = of_.struck || is_it;
                out += is_it ? harmed(one) : one + std::exchange(held_, {});
            }
        }

        static std::string record(char type, std::string_view content, std::size_t size)
        {
            std::string one = {type, 3, 3, static_cast<char>(size >> 8), static_cast<char>(size)};
            return one.append(content);
        }
        static std::string record(char type, std::string_view content) { return record(type, content, content.size()); }

        std::string harmed(std::string const& one)
        {
            static std::string const answer =
                "HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{\"MediaContainer\":{\"size\":0}}";
            constexpr char key_change = 20, alert = 21, handshake = 22, data = 23;
            switch (of_.what.what) {
            case harm::repeated:
                return one + one;
            case harm::left_out:
                return {};
            case harm::exchanged:
                held_ = one;
                return {};
            case harm::cut:
                return one.substr(0, 5 + (one.size() - 5) / 2);
            case harm::oversized:
                return record(data, std::string(65'535, 'x')) + one;
            case harm::empty:
                return record(data, {}) + one;
            case harm::unknown:
                return record(99, "x") + one;
            case harm::key_change:
                return record(key_change, "\x01") + one;
            case harm::alert:
                return record(alert, "\x02\x28") + one;
            case harm::goodbye:
                return record(alert, {"\x01\0", 2}) + one;
            case harm::text:
                return answer + one;
            case harm::plain_data:
                return record(data, answer) + one;
            case harm::endless_handshake: {
                std::string all;
                for (int i = 0; i != 200; ++i)
                    all += record(handshake, (i == 0 ? "\x02\xff\xff\xff" : "xxxx") + std::string(16'380, 'x'));
                return all + one;
            }
            default:
                return one;
            }
        }

        state& of_;
        std::size_t seen_ = 0;
        std::size_t records_ = 0;
        std::string incomplete_;
        std::string held_;
    };

    static asio::awaitable<void> accept(std::shared_ptr<state> s)
    {
        for (;;) {
            auto const p = std::make_shared<passage>(s);
            boost::system::error_code ec;
            co_await s->acceptor.async_accept(p->client, asio::redirect_error(asio::use_awaitable, ec));
            if (ec)
                co_return;
            p->is_chosen = s->accepted++ == s->what.connection;
            co_await p->server.async_connect(s->server, asio::redirect_error(asio::use_awaitable, ec));
            if (ec)
                continue;
            p->client.set_option(asio::ip::tcp::no_delay(true));
            p->server.set_option(asio::ip::tcp::no_delay(true));
            asio::co_spawn(s->acceptor.get_executor(), pass(p, true), asio::detached);
            asio::co_spawn(s->acceptor.get_executor(), pass(p, false), asio::detached);
        }
    }

    static asio::awaitable<void> pass(std::shared_ptr<passage> p, bool to_client)
    {
        socket& from = to_client ? p->server : p->client;
        socket& to = to_client ? p->client : p->server;
        interference const& what = p->of->what;
        stream said(*p->of);
        std::array<char, 16'384> buffer;
        boost::system::error_code ec;
        for (;;) {
            std::size_t const size =
                co_await from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ec));
            if (ec && p->is_over)
                break;
            std::string bytes(buffer.data(), size);
            bool const is_harmed = p->is_chosen && what.to_client == to_client;
            bool const had_struck = p->of->struck;
            if (is_harmed)
                bytes = ec ? said.rest() : said.passed(std::move(bytes));
            if (p->is_chosen && to_client) {
                p->of->bytes += bytes.size();
                p->of->records = said.records();
            }
            if (p->is_over)
                continue;
            boost::system::error_code gone;
            co_await asio::async_write(to, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, gone));
            if (is_harmed && p->of->struck && !had_struck && what.what <= harm::noise && what.what != harm::flip) {
                p->is_over = true;
                end(*p, what.what);
            }
            if (ec)
                break;
        }
        to.shutdown(socket::shutdown_send, ec);
    }

    static void end(passage& p, harm how)
    {
        boost::system::error_code ignored;
        for (socket* const one : {&p.client, &p.server}) {
            if (how == harm::rst) {
                one->set_option(asio::socket_base::linger(true, 0), ignored);
                one->close(ignored);
            } else if (how != harm::stall) {
                one->shutdown(socket::shutdown_send, ignored);
            }
        }
    }

    std::shared_ptr<state> state_;
};

} // namespace plex::test
