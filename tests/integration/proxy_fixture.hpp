#pragma once

#include "certificates.hpp"
#include "child_process.hpp"
#include "feed_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace plex::test {

enum class proxy_kind { nginx, haproxy };
enum class base_path { stripped, kept }; ///< what the proxy does with "/plex" before it asks the server

/// How a proxy speaks TLS.
struct proxy_tls {
    certificate const* own = nullptr;     ///< null: it does not
    certificate const* clients = nullptr; ///< the authority of those whom it lets in; null: everybody
};

struct proxy_options {
    proxy_kind kind = proxy_kind::nginx;
    base_path base = base_path::stripped;
    std::chrono::seconds idle{60}; ///< after so long a silence on either side it closes
    /// nginx: with what every guide to reverse proxies has to say on WebSockets and event streams; without it HTTP is
    /// all that gets through, and a stream's bytes are buffered.
    bool tuned = true;
    proxy_tls tls{};
};

/// What a proxy saw of a request over TLS.
struct seen_over_tls {
    bool resumed = false;
    std::string version;  ///< "TLSv1.3"
    std::string protocol; ///< by ALPN
    std::string name;     ///< by SNI
    std::string client;   ///< the common name in the client's certificate
    std::string target;
};

/// A reverse proxy from the distribution, with a base path, in front of a server of this machine.
class proxy
{
public:
    proxy(std::uint16_t server, proxy_options options) : options_(options)
    {
        if (options_.tls.own)
            std::ofstream(folder_ / "own.pem") << options_.tls.own->pem() << options_.tls.own->key_pem();
        if (options_.tls.clients)
            std::ofstream(folder_ / "clients.pem") << options_.tls.clients->pem();
        std::ofstream file(configuration());
        if (options_.kind == proxy_kind::nginx)
            write_nginx(file, server);
        else
            write_haproxy(file, server);
        file.close();
        start();
        process_->wait_for_listener(port_);
        process_->wait_for_listener(unix_socket_path{unix_socket()});
    }

    std::uint16_t port() const { return port_.number(); }
    std::string scheme() const { return options_.tls.own ? "https" : "http"; }
    std::string url() const { return scheme() + "://127.0.0.1:" + std::to_string(port()) + "/plex"; }
    /// It listens there too.
    std::string unix_socket() const { return folder_ / "socket"; }

    /// Every connection through it is lost at once, and a new one is refused until it listens again.
    void kill() { process_->kill(); }
    /// On the same port; it may not listen yet.
    void start()
    {
        std::error_code ignored;
        std::filesystem::remove(unix_socket(), ignored); // of one that was killed
        if (options_.kind == proxy_kind::nginx)
            command({"nginx", "-p", folder_.string(), "-c", configuration(), "-e", "stderr"});
        else
            command({"haproxy", "-db", "-f", configuration()});
    }

    /// What it had to complain of.
    std::string printed() const { return process_->printed(); }

    /// Each request over TLS that has ended, in that order.
    std::vector<seen_over_tls> seen() const
    {
        std::ifstream log(options_.kind == proxy_kind::nginx ? folder_ / "seen" : folder_ / "output");
        std::vector<seen_over_tls> result;
        for (std::string line; std::getline(log, line);) {
            std::istringstream words(line);
            std::string first;
            std::string resumed;
            seen_over_tls one;
            if (words >> first >> resumed >> one.version >> one.protocol >> one.name >> one.client >> one.target &&
                first == "seen") {
                one.resumed = resumed == "r" || resumed == "1";
                result.push_back(std::move(one));
            }
        }
        return result;
    }

private:
    void command(std::vector<std::string> words)
    {
        process_ = std::make_unique<child_process>(std::move(words), folder_ / "output");
    }

    std::string configuration() const { return folder_ / "configuration"; }

    void write_nginx(std::ostream& to, std::uint16_t server) const
    {
        std::string const in = folder_.string();
        std::string const idle = std::to_string(options_.idle.count()) + "s";
        to << "daemon off;\nmaster_process off;\npid " << in << "/pid;\nerror_log stderr warn;\n"
           << "events { worker_connections 128; }\n"
           << "http {\n";
        if (options_.tls.own)
            to << "  map $ssl_client_s_dn $client_name { ~CN=(?<name>[^,]+) $name; default ''; }\n"
               << "  log_format seen 'seen $ssl_session_reused $ssl_protocol $ssl_alpn_protocol $ssl_server_name "
               << "CN=$client_name $request_uri';\n  access_log " << in << "/seen seen;\n";
        else
            to << "  access_log off;\n";
        for (char const* const kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
            to << "  " << kind << "_temp_path " << in << "/" << kind << ";\n";
        to << "  map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n"
           << "  server {\n";
        char const* const over = options_.tls.own ? " ssl;\n" : ";\n";
        to << "    listen 127.0.0.1:" << port_.number() << over << "    listen unix:" << unix_socket() << over;
        if (options_.tls.own)
            to << "    ssl_certificate " << in << "/own.pem;\n    ssl_certificate_key " << in
               << "/own.pem;\n    ssl_protocols TLSv1.2 TLSv1.3;\n";
        if (options_.tls.clients)
            to << "    ssl_client_certificate " << in << "/clients.pem;\n    ssl_verify_client on;\n";
        to << "    location /plex/ {\n      proxy_pass http://127.0.0.1:" << server
           << (options_.base == base_path::stripped ? "/" : "") << ";\n"
           << "      proxy_read_timeout " << idle << ";\n      proxy_send_timeout " << idle << ";\n";
        if (options_.tuned)
            to << "      proxy_http_version 1.1;\n      proxy_set_header Upgrade $http_upgrade;\n"
               << "      proxy_set_header Connection $connection_upgrade;\n      proxy_buffering off;\n";
        to << "    }\n  }\n}\n";
    }

    void write_haproxy(std::ostream& to, std::uint16_t server) const
    {
        to << "global\n  maxconn 100\n  log stdout format raw local0\n"
           << "defaults\n  mode http\n  log global\n  timeout connect 5s\n";
        for (char const* const side : {"client", "server", "tunnel"})
            to << "  timeout " << side << " " << options_.idle.count() << "s\n";
        std::string over = "\n";
        if (options_.tls.own)
            over = " ssl alpn h2,http/1.1 crt " + (folder_ / "own.pem").string() + "\n";
        if (options_.tls.clients)
            over.insert(4, " verify required ca-file " + (folder_ / "clients.pem").string());
        to << "frontend here\n  bind 127.0.0.1:" << port_.number() << over << "  bind unix@" << unix_socket() << over;
        if (options_.tls.own)
            to << "  log-format \"seen %[ssl_fc_is_resumed] %[ssl_fc_protocol] %[ssl_fc_alpn] %[ssl_fc_sni] "
               << "CN=%[ssl_c_s_dn(cn)] %HU\"\n";
        if (options_.base == base_path::stripped)
            to << "  http-request replace-path ^/plex(/.*)$ \\1\n";
        to << "  default_backend plex\nbackend plex\n  server plex 127.0.0.1:" << server << "\n";
    }

    proxy_options options_;
    reserved_port port_;
    temporary_folder folder_;
    std::unique_ptr<child_process> process_;
};

/// A fake server behind a proxy, and what a client needs to reach it over one transport.
struct proxied : served {
    proxied(proxy_options how, transport over, testing::fake_server_options options = testing::fake_server_options())
        : served(behind(how, std::move(options))), front(server.port(), how)
    {
        settings.url = front.url();
        settings.transport = over;
    }

    proxy front;

private:
    static testing::fake_server_options behind(proxy_options const& how, testing::fake_server_options options)
    {
        if (how.base == base_path::kept)
            options.base_path = "/plex";
        return options;
    }
};

/// Takes what a client's feed tells, and holds it against the server's own record. No uuid may live twice there.
class listening
{
public:
    explicit listening(client& c)
    {
        c.on_connection_change([this](connection_status const& now) { follow(now); });
        subscription_ = c.subscribe(filter(), [this](activity_event const& e) { hear(e); });
    }

    bool started(std::string const& uuid) { return lives_[uuid].started != 0; }
    bool ended(std::string const& uuid) { return lives_[uuid].ended != 0; }
    std::size_t updates(std::string const& uuid) { return lives_[uuid].updates; }
    std::size_t inferred() const { return inferred_; }
    /// Events outside a life, and second lives.
    std::vector<std::string> const& out_of_order() const { return out_of_order_; }

    struct judgement {
        std::vector<std::string> lost;      ///< not told, or not to the end, though seen in part
        std::vector<std::string> made_up;   ///< told, and never there
        std::size_t wholly_inside_gaps = 0; ///< not told: nobody can know of them
    };
    judgement judge(std::vector<testing::told_event> const& truth) const
    {
        judgement result;
        std::map<std::string, span> real;
        for (testing::told_event const& e : truth) {
            if (e.event == "started")
                real[e.uuid].begin = e.at;
            else if (e.event == "ended")
                real[e.uuid].end = e.at;
        }
        for (auto const& [uuid, when] : real) {
            auto const heard = lives_.find(uuid);
            bool const known = heard != lives_.end() && heard->second.started != 0;
            if (known && heard->second.ended != 0)
                continue;
            if (!known && in_a_gap(when, real))
                ++result.wholly_inside_gaps;
            else
                result.lost.push_back(uuid + (known ? ": no end" : ": nothing"));
        }
        for (auto const& [uuid, heard] : lives_)
            if (heard.started != 0 && !real.contains(uuid))
                result.made_up.push_back(uuid);
        return result;
    }

private:
    using time_point = std::chrono::steady_clock::time_point;
    struct life {
        std::size_t started = 0;
        std::size_t updates = 0;
        std::size_t ended = 0;
    };
    struct span {
        time_point begin;
        time_point end;
    };
    struct gap {
        std::string last_started; // heard of, not inferred: all that the server told before has come too
        time_point over = time_point::max();
    };

    void hear(activity_event const& e)
    {
        std::string const uuid(e.activity.uuid());
        life& l = lives_[uuid];
        inferred_ += e.inferred ? 1 : 0;
        bool const running = l.started == 1 && l.ended == 0;
        if (e.kind == event_kind::started ? l.started != 0 : !running)
            out_of_order_.push_back(told(e));
        (e.kind == event_kind::started ? l.started : e.kind == event_kind::ended ? l.ended : l.updates) += 1;
        if (e.kind == event_kind::started && !e.inferred)
            last_started_ = uuid;
    }

    void follow(connection_status const& now)
    {
        if (now.state == connection_state::interrupted)
            gaps_.push_back({last_started_});
        else if (now.state == connection_state::connected && !gaps_.empty())
            gaps_.back().over = std::min(gaps_.back().over, std::chrono::steady_clock::now());
    }

    bool in_a_gap(span when, std::map<std::string, span> const& real) const
    {
        return std::any_of(gaps_.begin(), gaps_.end(), [&](gap const& g) {
            auto const before = real.find(g.last_started);
            bool const began_inside = before == real.end() || before->second.begin < when.begin;
            return began_inside && when.end <= g.over;
        });
    }

    std::map<std::string, life> lives_;
    std::vector<std::string> out_of_order_;
    std::size_t inferred_ = 0;
    std::string last_started_;
    std::vector<gap> gaps_;
    subscription subscription_;
};

/// For what can only be judged once so much time has passed.
inline asio::awaitable<void> pass(std::chrono::milliseconds time)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
}

/// Every way through a proxy that a test should hold for.
template <class Body>
void over_each_proxy_and_transport(Body body)
{
    for (proxy_kind const kind : {proxy_kind::nginx, proxy_kind::haproxy})
        for (transport const over : {transport::websocket, transport::eventsource}) {
            INFO((kind == proxy_kind::nginx ? "nginx" : "HAProxy") << ", " << to_string(over));
            body(kind, over);
        }
}

} // namespace plex::test
