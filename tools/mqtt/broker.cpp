#include "mqtt/broker.hpp"

#include "services/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

#include <MQTTAsync.h>

namespace plex::mqtt {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr int exactly_kept = 1; // quality of service: at least once, and the last one counts
constexpr auto first_pause = 500ms;
constexpr auto longest_pause = 60'000ms;
constexpr auto says_goodbye_in = 2s;

std::string words_of(int code)
{
    char const* const known = MQTTAsync_strerror(code);
    return known ? known : "code " + std::to_string(code);
}

// What the broker itself says (MQTT 3.1.1, table 3.1).
std::string refusal_of(int code)
{
    switch (code) {
    case 1:
        return "it does not speak this version of MQTT";
    case 2:
        return "it does not take this client_id";
    case 3:
        return "it is not available";
    case 4:
        return "it does not know this username and password";
    case 5:
        return "it does not let us in: give username and password_file";
    default:
        return words_of(code);
    }
}

} // namespace

// Paho calls back on threads of its own: what it says goes to the executor, and is of no effect once all this is over.
struct broker::state : std::enable_shared_from_this<state> {
    struct kept_message {
        std::string payload;
        bool sent = false;      // what is there now, in this connection
        bool in_flight = false; // a message of this topic is not confirmed
    };

    state(asio::any_io_executor e, broker_settings s, std::string w, std::vector<std::string> l, told t)
        : executor(std::move(e)), settings(std::move(s)), will(std::move(w)), listens(std::move(l)),
          functions(std::move(t)), pause(executor), changed(executor, asio::steady_timer::time_point::max())
    {
    }

    template <typename Function>
    void later(Function f)
    {
        asio::post(executor, [weak = weak_from_this(), f = std::move(f)] {
            if (auto const self = weak.lock(); self && self->client)
                f(*self);
        });
    }

    void create()
    {
        MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
        int const code = MQTTAsync_createWithOptions(&client, settings.url.c_str(), settings.client_id.c_str(),
                                                     MQTTCLIENT_PERSISTENCE_NONE, nullptr, &options);
        if (code != MQTTASYNC_SUCCESS)
            throw std::runtime_error("the broker " + settings.url + " cannot be used: " + words_of(code));
        MQTTAsync_setCallbacks(
            client, this,
            [](void* self, char*) { static_cast<state*>(self)->later([](state& s) { s.lost("it has gone"); }); },
            [](void* self, char* name, int size, MQTTAsync_message* m) {
                std::string topic = size == 0 ? std::string(name) : std::string(name, static_cast<std::size_t>(size));
                std::string payload(static_cast<char const*>(m->payload), static_cast<std::size_t>(m->payloadlen));
                bool const kept = m->retained != 0;
                MQTTAsync_freeMessage(&m);
                MQTTAsync_free(name);
                static_cast<state*>(self)->later([topic = std::move(topic), payload = std::move(payload),
                                                  kept](state& s) { s.functions.message(topic, payload, kept); });
                return 1;
            },
            nullptr);
    }

    void connect()
    {
        MQTTAsync_willOptions last = MQTTAsync_willOptions_initializer;
        last.topicName = will.c_str();
        last.message = "offline";
        last.retained = 1;
        last.qos = exactly_kept;
        MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
        auto const text = [](std::string const& s) { return s.empty() ? nullptr : s.c_str(); };
        tls.trustStore = text(settings.ca_file);
        tls.keyStore = text(settings.certificate_file);
        tls.privateKey = text(settings.key_file);
        tls.enableServerCertAuth = 1;
        tls.verify = 1; // the name too
        tls.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
        tls.ssl_error_context = this;
        tls.ssl_error_cb = [](char const* words, std::size_t size, void* self) {
            static_cast<state*>(self)->later([said = std::string(words, size)](state& s) { s.tls_said = said; });
            return 1;
        };
        MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
        options.keepAliveInterval = 20;
        options.cleansession = 1;
        options.connectTimeout = 10;
        options.will = &last;
        options.username = text(settings.username);
        options.password = text(settings.password);
        if (settings.url.starts_with("mqtts:"))
            options.ssl = &tls;
        options.context = this;
        options.onSuccess = [](void* self, MQTTAsync_successData*) {
            static_cast<state*>(self)->later([](state& s) { s.is_there(); });
        };
        options.onFailure = [](void* self, MQTTAsync_failureData* why) {
            std::string const words = why && why->code > 0  ? refusal_of(why->code)
                                      : why && why->message ? why->message
                                      : why                 ? words_of(why->code)
                                                            : "no answer";
            static_cast<state*>(self)->later([words](state& s) { s.lost(words); });
        };
        if (int const code = MQTTAsync_connect(client, &options); code != MQTTASYNC_SUCCESS)
            lost(words_of(code));
    }

    void is_there()
    {
        if (closing) // what the broker keeps says that we are away
            return;
        connected = true;
        tries = 0;
        service::log(log_level::info, "the broker " + settings.url + " takes what is published");
        for (std::string const& topic : listens)
            MQTTAsync_subscribe(client, topic.c_str(), exactly_kept, nullptr);
        topics[will].payload = "online";
        functions.connection(true);
        publish_again();
    }

    void lost(std::string const& why)
    {
        if (closing)
            return;
        bool const was_connected = std::exchange(connected, false);
        if (was_connected)
            functions.connection(false);
        for (auto& [name, t] : topics)
            t.in_flight = false;
        tokens.clear();
        auto const most =
            std::min<std::chrono::milliseconds>(first_pause * (1 << std::min(tries++, 10)), longest_pause);
        std::uniform_int_distribution<std::int64_t> spread(most.count() / 2, most.count());
        pause.expires_after(std::chrono::milliseconds(spread(random)));
        // Paho tells of a refused connection and of a certificate with another name in the same words.
        std::string more = std::exchange(tls_said, {});
        if (more.empty() && !was_connected && settings.url.starts_with("mqtts:"))
            more = "if something listens there, its certificate may be of another name";
        service::log(log_level::error, "the broker " + settings.url + ": " + why + (more.empty() ? "" : ": " + more));
        pause.async_wait([this, self = shared_from_this()](boost::system::error_code const& ec) {
            if (!ec && client && !closing)
                connect();
        });
    }

    void publish_again()
    {
        for (auto& [name, t] : topics) {
            t.sent = false;
            send(name, t);
        }
    }

    void send(std::string const& name, kept_message& t)
    {
        if (!connected || t.sent || t.in_flight)
            return;
        MQTTAsync_message m = MQTTAsync_message_initializer;
        m.payload = t.payload.data();
        m.payloadlen = static_cast<int>(t.payload.size());
        m.qos = exactly_kept;
        m.retained = 1;
        MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
        options.context = this;
        options.onSuccess = [](void* self, MQTTAsync_successData* d) {
            static_cast<state*>(self)->later([token = d->token](state& s) { s.confirmed(token, true); });
        };
        options.onFailure = [](void* self, MQTTAsync_failureData* d) {
            static_cast<state*>(self)->later([token = d->token](state& s) { s.confirmed(token, false); });
        };
        t.sent = t.in_flight = true;
        if (MQTTAsync_sendMessage(client, name.c_str(), &m, &options) == MQTTASYNC_SUCCESS)
            tokens[options.token] = name;
        else
            t.sent = t.in_flight = false; // the next connection has it
    }

    void confirmed(int token, bool taken)
    {
        auto const at = tokens.find(token);
        if (at == tokens.end())
            return; // of an earlier connection
        auto const t = topics.find(at->second);
        tokens.erase(at);
        if (t == topics.end())
            return;
        t->second.in_flight = false;
        if (t->second.sent && t->second.payload.empty())
            topics.erase(t); // the broker keeps nothing of it either
        else if (taken)
            send(t->first, t->second);
        if (tokens.empty())
            changed.cancel();
    }

    asio::any_io_executor executor;
    broker_settings settings;
    std::string will;
    std::vector<std::string> listens;
    told functions;
    MQTTAsync client = nullptr;
    std::map<std::string, kept_message> topics;
    std::map<int, std::string> tokens; // of what is in flight
    asio::steady_timer pause;
    asio::steady_timer changed;
    std::string tls_said; // why the last handshake failed
    std::minstd_rand random{std::random_device{}()};
    int tries = 0;
    bool connected = false;
    bool closing = false;
};

broker::broker(asio::any_io_executor executor, broker_settings settings, std::string will,
               std::vector<std::string> listens, told functions)
    : state_(std::make_shared<state>(std::move(executor), std::move(settings), std::move(will), std::move(listens),
                                     std::move(functions)))
{
    state_->create();
}

broker::~broker()
{
    state_->closing = true;
    state_->pause.cancel();
    MQTTAsync_destroy(&state_->client); // no more calls from it; `client` is null then
}

void broker::connect()
{
    state_->connect();
}

void broker::publish(message m)
{
    auto& [name, t] = *state_->topics.try_emplace(std::move(m.topic)).first;
    if (t.payload == m.payload && (t.sent || t.in_flight))
        return;
    t.payload = std::move(m.payload);
    t.sent = false;
    state_->send(name, t);
}

void broker::publish_again()
{
    state_->publish_again();
}

bool broker::is_connected() const noexcept
{
    return state_->connected;
}

std::size_t broker::waiting() const noexcept
{
    return static_cast<std::size_t>(std::count_if(state_->topics.begin(), state_->topics.end(),
                                                  [](auto const& t) { return t.second.in_flight || !t.second.sent; }));
}

asio::awaitable<void> broker::close()
{
    state& s = *state_;
    s.closing = true;
    s.pause.cancel();
    if (!s.connected)
        co_return;
    publish({s.will, "offline"});
    asio::steady_timer deadline(s.executor, says_goodbye_in);
    deadline.async_wait([&s](boost::system::error_code const& ec) {
        if (!ec)
            s.changed.cancel();
    });
    if (!s.tokens.empty())
        co_await s.changed.async_wait(asio::as_tuple(asio::use_awaitable));
    deadline.cancel();
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    MQTTAsync_disconnect(s.client, &options); // which destroying waits for
    s.connected = false;
}

} // namespace plex::mqtt
