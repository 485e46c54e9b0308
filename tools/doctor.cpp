#include "commands.hpp"
#include "diagnosis.hpp"
#include "event_output.hpp"

#include "calls.hpp"
#include "endpoint.hpp"
#include "net/event_stream_link.hpp"
#include "net/websocket_link.hpp"
#include "protocol/request_text.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <openssl/x509v3.h>
#include <unistd.h>

namespace plex::command {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr auto dial_limit = std::chrono::seconds(5);
constexpr auto list_limit = std::chrono::seconds(8);
constexpr auto websocket_limit = std::chrono::seconds(5); // to be opened, and again for a pong
constexpr auto event_stream_limit = std::chrono::seconds(20);
constexpr std::uint32_t ping_number = 1;

[[noreturn]] void throw_cancelled()
{
    throw boost::system::system_error(asio::error::operation_aborted);
}

/// Whom the certificate of a handshake names, whether it is accepted or not.
void read_certificate(X509* certificate, encryption_seen& into)
{
    constexpr std::size_t most_names = 8;
    constexpr int longest_name = 253;
    into.certificate_names.clear();
    std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> const names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
        GENERAL_NAMES_free);
    int const count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
    for (int i = 0; i < count && into.certificate_names.size() < most_names; ++i) {
        GENERAL_NAME const* const name = sk_GENERAL_NAME_value(names.get(), i);
        ASN1_IA5STRING const* const text = name->type == GEN_DNS ? name->d.dNSName : nullptr;
        if (!text || ASN1_STRING_length(text) > longest_name)
            continue;
        into.certificate_names.emplace_back(reinterpret_cast<char const*>(ASN1_STRING_get0_data(text)),
                                            static_cast<std::size_t>(ASN1_STRING_length(text)));
    }
    std::tm until{};
    char date[20] = "";
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) == 1 &&
        std::strftime(date, sizeof date, "%Y-%m-%d", &until) != 0)
        into.certificate_end = date;
}

/// Hears what one link brings; what it says is not looked at.
struct ear final : net::link_listener {
    void message(std::span<char>) override {}
    void other_event() override {}
    void confirmed(std::uint32_t number) override { answered = answered || number == ping_number; }
    void retry(std::chrono::milliseconds) override {}

    bool answered = false;
};

/// Makes the checks, one after the other where one needs another, and prints what each has found.
class doctor_run
{
public:
    doctor_run(asio::io_context& io, options const& o, config settings)
        : options_(o), settings_(std::move(settings)), url_(protocol::parse_base_url(settings_.url)),
          endpoint_(detail::endpoint_of(url_, settings_)), kept_(settings_), scope_(io.get_executor()),
          calls_(scope_, settings_, kept_)
    {
        endpoint_.tls = nullptr;
    }
    ~doctor_run() { scope_.stop(); }

    asio::awaitable<void> all();
    asio::awaitable<void> goodbye() { return calls_.say_goodbye(steady_clock::now() + std::chrono::seconds(1)); }
    status result() const { return outcome(told_); }

private:
    bool tell(finding f)
    {
        print(options_.json ? json_line(f) : text_lines(f, palette::of(STDOUT_FILENO)));
        told_.push_back(std::move(f));
        return told_.back().good.value_or(false);
    }

    asio::awaitable<bool> reach();
    asio::awaitable<bool> encrypt();
    asio::awaitable<std::optional<int>> ask_in_plain_http();
    asio::awaitable<error_code> shake_hands(bool insecure, encryption_seen&);
    asio::awaitable<bool> list();
    asio::awaitable<void> listen();
    asio::awaitable<finding> try_websocket();
    asio::awaitable<finding> try_event_stream();
    asio::awaitable<listening_seen> listen_over(transport, duration to_open, duration to_hear);

    options const& options_;
    config const settings_;
    protocol::base_url const url_;
    net::endpoint_settings endpoint_; // without TLS
    detail::settings const kept_;
    net::scope scope_;
    detail::calls calls_;
    std::vector<finding> told_;
};

asio::awaitable<void> doctor_run::all()
{
    bool reached = co_await reach();
    if (reached)
        reached = co_await encrypt();
    else
        tell(not_tried("tls"));
    if (!reached) {
        tell(not_tried("token"));
        tell(not_tried("list"));
    } else {
        reached = co_await list();
    }
    if (reached) {
        co_await listen();
        co_return;
    }
    for (char const* const check : {"websocket", "ping", "eventsource", "feed"})
        tell(not_tried(check));
}

asio::awaitable<bool> doctor_run::reach()
{
    net::endpoint_settings const to = endpoint_;
    steady_clock::time_point const begin = steady_clock::now();
    net::dial_result const dialled = co_await net::dial(scope_, to, begin + dial_limit);
    if (dialled.ec == asio::error::operation_aborted)
        throw_cancelled();
    protocol::base_url where = url_;
    where.host = endpoint_.host;
    where.port = endpoint_.port;
    if (!endpoint_.unix_socket.empty()) {
        where.host = endpoint_.unix_socket;
        where.port = 0;
    }
    bool const good = tell(judge_reaching(where, dialled.ec, steady_clock::now() - begin, dial_limit));
    co_return good;
}

asio::awaitable<bool> doctor_run::encrypt()
{
    encryption_seen seen;
    if (url_.tls) {
        seen.unverified = settings_.tls.insecure;
        seen.handshake = co_await shake_hands(settings_.tls.insecure, seen);
        bool const of_certificate = std::string_view(seen.handshake.category().name()) == "certificate";
        if (seen.handshake && !of_certificate)
            seen.plain_http = co_await ask_in_plain_http();
    } else {
        seen.plain_http = co_await ask_in_plain_http();
        if (!seen.plain_http || *seen.plain_http == 400) { // which is how TLS ports put it
            encryption_seen ignored;
            error_code const ec = co_await shake_hands(true, ignored);
            seen.speaks_tls = !ec;
        }
    }
    bool const good = tell(judge_encryption(url_, seen, dial_limit));
    co_return good;
}

/// Without the token: nobody knows who listens there.
asio::awaitable<std::optional<int>> doctor_run::ask_in_plain_http()
{
    net::endpoint_settings const to = endpoint_;
    net::dial_result const dialled = co_await net::dial(scope_, to, steady_clock::now() + dial_limit);
    std::optional<int> status;
    if (dialled.ec)
        co_return status;
    request const asked("GET", "/identity");
    std::string const identity = protocol::identity_headers(settings_.identity);
    std::string const bytes = protocol::request_bytes(url_, identity, {}, asked);
    net::reply_limits const limits{settings_.max_header, settings_.max_body};
    net::reply_reader reader(limits, net::expecting::body);
    net::exchange exchange(*dialled.stream, bytes, reader);
    co_await net::run(exchange, *dialled.stream, reader);
    if (exchange.failure() == asio::error::operation_aborted && !dialled.stream->expired())
        throw_cancelled();
    if (!exchange.failure())
        status = reader.give_answer().status();
    co_return status;
}

asio::awaitable<error_code> doctor_run::shake_hands(bool insecure, encryption_seen& seen)
{
    net::endpoint_settings to = endpoint_;
    net::tls_options how = detail::tls_options_of(settings_.tls);
    how.insecure = insecure;
    std::shared_ptr<asio::ssl::context> const context = net::tls_peer::make_context(how);
    if (!insecure)
        context->set_verify_callback([&seen](bool accepted, asio::ssl::verify_context& verified) {
            read_certificate(X509_STORE_CTX_get0_cert(verified.native_handle()), seen);
            return accepted;
        });
    to.tls = std::make_shared<net::tls_peer>(context, url_.host);
    net::dial_result const dialled = co_await net::dial(scope_, to, steady_clock::now() + dial_limit);
    if (dialled.ec == asio::error::operation_aborted)
        throw_cancelled();
    co_return dialled.ec;
}

asio::awaitable<bool> doctor_run::list()
{
    std::optional<error> failure;
    std::vector<activity> running;
    try {
        net::answer answer = co_await calls_.ask_list();
        running = calls_.activities_of(std::move(answer));
    } catch (error const& e) {
        if (e.code() == asio::error::operation_aborted)
            throw;
        failure = e;
    }
    error const* const why = failure ? &*failure : nullptr;
    tell(judge_token(!settings_.token.empty(), why));
    tell(judge_list(url_, why, running));
    co_return is_worth_listening(why);
}

asio::awaitable<void> doctor_run::listen()
{
    using namespace asio::experimental::awaitable_operators;
    finding const list = told_.back();
    if (!options_.json)
        remark("waiting up to 20 s for a sign of life from the event stream");
    asio::awaitable<finding> websocket = try_websocket();
    asio::awaitable<finding> event_stream = try_event_stream();
    auto const both = co_await (std::move(websocket) && std::move(event_stream));
    finding const ping = std::get<0>(both);
    finding const stream = std::get<1>(both);
    tell(stream);
    tell(judge_feed(ping, stream, list));
}

asio::awaitable<finding> doctor_run::try_websocket()
{
    listening_seen const seen = co_await listen_over(transport::websocket, websocket_limit, websocket_limit);
    tell(judge_websocket(seen));
    finding ping = judge_ping(seen);
    tell(ping);
    co_return ping;
}

asio::awaitable<finding> doctor_run::try_event_stream()
{
    listening_seen const seen = co_await listen_over(transport::eventsource, event_stream_limit, event_stream_limit);
    finding stream = judge_event_stream(seen);
    co_return stream;
}

/// Opens the feed and waits for the first sign of it, or what became of that.
/// @param to_hear from when it is open; a stream is not given more than `to_open` in all
asio::awaitable<listening_seen> doctor_run::listen_over(transport over, duration to_open, duration to_hear)
{
    bool const is_websocket = over == transport::websocket;
    steady_clock::time_point const begin = steady_clock::now();
    listening_seen seen;
    seen.waited = to_open;
    detail::opened_feed opened;
    try {
        opened = co_await calls_.open_feed(over, begin + to_open);
    } catch (error const& e) {
        if (e.code() == asio::error::operation_aborted)
            throw;
        seen.refusal = e;
    }
    if (seen.refusal)
        co_return seen;
    steady_clock::time_point const open = steady_clock::now();
    steady_clock::time_point const deadline = is_websocket ? open + to_hear : begin + to_open;
    seen.opened_after = open - begin;
    seen.waited = deadline - open;

    net::live_link::settings values;
    values.max_message = settings_.max_message;
    std::shared_ptr<net::live_link> link;
    if (is_websocket)
        link =
            std::make_shared<net::websocket_link>(scope_, std::move(opened.stream), std::move(opened.beyond), values);
    else
        link = std::make_shared<net::event_stream_link>(scope_, std::move(opened.stream), std::move(opened.events),
                                                        std::move(opened.beyond), values);
    ear listener;
    link->ask_confirmation(ping_number);
    while (!seen.sign_after && seen.ended == net::live_link::end::none) {
        link->stream().expires_at(deadline);
        error_code ec;
        if (!link->has_more())
            ec = co_await link->stream().wait_readable();
        steady_clock::time_point const now = steady_clock::now();
        seen.ended = link->read(now, listener);
        if (is_websocket ? listener.answered : link->frames() != 0)
            seen.sign_after = now - open;
        else if (link->stream().expired())
            seen.ended = net::live_link::end::silent;
        else if (ec == asio::error::operation_aborted)
            throw_cancelled();
        else if (seen.ended == net::live_link::end::none && ec)
            seen.ended = net::live_link::end::lost;
    }
    seen.close_code = link->peer_code();
    if (link->say_goodbye())
        co_await link->flushed(steady_clock::now() + std::chrono::seconds(1));
    link->close();
    co_return seen;
}

} // namespace

status doctor(options const& o)
{
    config settings = make_config(o);
    settings.connect_timeout = dial_limit;
    settings.request_timeout = list_limit;
    asio::io_context io(1);
    doctor_run checks(io, o, std::move(settings));
    status const ran = run(io, checks.all(), checks.goodbye());
    return ran == done ? checks.result() : ran;
}

} // namespace plex::command
