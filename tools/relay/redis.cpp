#include "relay/redis.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <deque>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <hiredis/async.h>

namespace plex::relay {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

std::string redis_address::text() const
{
    return unix_path.empty() ? host + ":" + std::to_string(port) : unix_path;
}

namespace {

redis_reply taken(redisReply const* r)
{
    redis_reply result;
    switch (r->type) {
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_STRING:
        result.is = redis_reply::kind::text;
        result.text.assign(r->str, r->len);
        break;
    case REDIS_REPLY_INTEGER:
        result.is = redis_reply::kind::integer;
        result.integer = r->integer;
        break;
    case REDIS_REPLY_ARRAY:
        result.is = redis_reply::kind::array;
        result.elements.reserve(r->elements);
        for (std::size_t i = 0; i != r->elements; ++i)
            result.elements.push_back(taken(r->element[i]));
        break;
    case REDIS_REPLY_ERROR:
        result.is = redis_reply::kind::error;
        result.text.assign(r->str, r->len);
        break;
    default:
        break;
    }
    return result;
}

redis_reply loss(std::string why)
{
    redis_reply r;
    r.is = redis_reply::kind::lost;
    r.text = std::move(why);
    return r;
}

// To what Redis answers so it goes on to answer so, on this connection.
bool is_for_good(redis_reply const& r)
{
    constexpr std::string_view words[] = {"NOSCRIPT", "READONLY", "MOVED", "LOADING"};
    return r.is == redis_reply::kind::error &&
           std::any_of(std::begin(words), std::end(words), [&](auto word) { return r.text.starts_with(word); });
}

} // namespace

// A connection of hiredis, which asks when it wants to read and write, and is told when it can.
struct redis::link : std::enable_shared_from_this<link> {
    explicit link(asio::any_io_executor const& executor) : descriptor(executor) {}

    struct waiting {
        std::shared_ptr<link> of;
        answer_function answer;
    };

    static void answered(redisAsyncContext*, void* reply, void* data)
    {
        std::unique_ptr<waiting> const w(static_cast<waiting*>(data));
        w->of->sent_at.pop_front();
        redis_reply const r = reply ? taken(static_cast<redisReply const*>(reply)) : loss(w->of->why);
        w->answer(r);
        if (is_for_good(r))
            asio::post(w->of->descriptor.get_executor(), [of = w->of, why = r.text] {
                auto const lost = std::exchange(of->on_lost, nullptr);
                of->free(why);
                if (lost)
                    lost(why);
            });
    }

    void attach(redisAsyncContext* c)
    {
        context = c;
        descriptor.assign(c->c.fd);
        c->data = this;
        c->ev.data = this;
        c->ev.addRead = [](void* self) { static_cast<link*>(self)->wants(asio::posix::stream_descriptor::wait_read); };
        c->ev.addWrite = [](void* self) {
            static_cast<link*>(self)->wants(asio::posix::stream_descriptor::wait_write);
        };
        c->ev.delRead = [](void*) {};
        c->ev.delWrite = [](void* self) { static_cast<link*>(self)->writes = false; };
        c->ev.cleanup = [](void* self) {
            auto* const l = static_cast<link*>(self);
            l->context = nullptr;
            if (l->descriptor.is_open())
                l->descriptor.release(); // hiredis closes it
        };
        redisAsyncSetConnectCallback(c, [](redisAsyncContext const* of, int status) {
            auto* const l = static_cast<link*>(of->data);
            if (status != REDIS_OK)
                l->why = of->errstr;
            l->connected = status == REDIS_OK;
            l->changed.cancel();
        });
        redisAsyncSetDisconnectCallback(c, [](redisAsyncContext const* of, int status) {
            auto* const l = static_cast<link*>(of->data);
            if (status != REDIS_OK)
                l->why = of->errstr;
            if (l->on_lost)
                std::exchange(l->on_lost, nullptr)(l->why);
        });
    }

    void wants(asio::posix::stream_descriptor::wait_type what)
    {
        bool& pending = what == asio::posix::stream_descriptor::wait_read ? read_pending : write_pending;
        if (what == asio::posix::stream_descriptor::wait_write)
            writes = true;
        if (std::exchange(pending, true))
            return;
        descriptor.async_wait(what, [self = shared_from_this(), what, &pending](boost::system::error_code const& ec) {
            pending = false;
            if (ec || !self->context)
                return;
            if (what == asio::posix::stream_descriptor::wait_read)
                redisAsyncHandleRead(self->context);
            else if (self->writes)
                redisAsyncHandleWrite(self->context);
        });
    }

    void free(std::string const& reason)
    {
        if (!context)
            return;
        why = reason;
        redisAsyncFree(context); // answers what waits
    }

    redisAsyncContext* context = nullptr;
    asio::posix::stream_descriptor descriptor;
    asio::steady_timer changed{descriptor.get_executor(), asio::steady_timer::time_point::max()};
    std::function<void(std::string const&)> on_lost;
    std::string why = "the connection was closed";
    std::deque<clock::time_point> sent_at;
    bool read_pending = false;
    bool write_pending = false;
    bool writes = false;
    bool connected = false;
};

redis::redis(asio::any_io_executor executor, std::function<void(std::string const&)> on_lost)
    : executor_(std::move(executor)), on_lost_(std::move(on_lost))
{
}

redis::~redis()
{
    on_lost_ = nullptr;
    if (link_)
        close("the service stops");
}

asio::awaitable<void> redis::open(redis_address to, duration limit)
{
    std::string const doing = "connecting to Redis at " + to.text() + ": ";
    auto const l = std::make_shared<link>(executor_);
    asio::steady_timer deadline(executor_, limit);
    deadline.async_wait([l](boost::system::error_code const& ec) {
        if (ec)
            return;
        l->why = "no answer in time";
        l->changed.cancel();
        l->free(l->why);
    });
    redisAsyncContext* context = nullptr;
    if (to.unix_path.empty()) {
        std::string const port = std::to_string(to.port);
        asio::ip::tcp::resolver resolver(executor_);
        auto const [ec, found] = co_await resolver.async_resolve(to.host, port, asio::as_tuple(asio::use_awaitable));
        if (ec)
            throw redis_error(doing + ec.message());
        std::string const address = found.begin()->endpoint().address().to_string();
        context = redisAsyncConnect(address.c_str(), to.port);
    } else {
        context = redisAsyncConnectUnix(to.unix_path.c_str());
    }
    if (!context)
        throw redis_error(doing + "no memory");
    if (context->err != 0) {
        std::string const why = context->errstr;
        redisAsyncFree(context);
        throw redis_error(doing + why);
    }
    l->attach(context);
    if (!l->connected && l->context)
        co_await l->changed.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!l->connected || !l->context)
        throw redis_error(doing + l->why);
    link_ = l;
    try {
        if (!to.password.empty()) {
            std::vector<std::string> words = {"AUTH"};
            if (!to.user.empty())
                words.push_back(to.user);
            words.push_back(to.password);
            co_await command(std::move(words));
        }
        std::vector<std::string> select;
        select.push_back("SELECT");
        select.push_back(std::to_string(to.database));
        co_await command(std::move(select));
    } catch (redis_error const& e) {
        close(e.what());
        throw redis_error(doing + e.what());
    }
    if (!link_)
        throw redis_error(doing + l->why);
    l->on_lost = [this](std::string const& why) {
        link_.reset();
        if (on_lost_)
            on_lost_(why);
    };
}

void redis::command(std::vector<std::string> const& words, answer_function on_answer)
{
    if (!link_ || !link_->context)
        return on_answer(loss("not connected"));
    std::vector<char const*> texts;
    std::vector<std::size_t> sizes;
    texts.reserve(words.size());
    sizes.reserve(words.size());
    for (std::string const& word : words) {
        texts.push_back(word.data());
        sizes.push_back(word.size());
    }
    auto waiting = std::make_unique<link::waiting>(link::waiting{link_, std::move(on_answer)});
    link_->sent_at.push_back(clock::now());
    if (redisAsyncCommandArgv(link_->context, link::answered, waiting.get(), static_cast<int>(words.size()),
                              texts.data(), sizes.data()) == REDIS_OK) {
        waiting.release(); // NOLINT(bugprone-unused-return-value): answered() has it
        return;
    }
    link_->sent_at.pop_back();
    waiting->answer(loss("the connection is being closed"));
}

asio::awaitable<redis_reply> redis::command(std::vector<std::string> words)
{
    struct asked {
        std::optional<redis_reply> reply;
        asio::steady_timer answered;
    };
    auto const a = std::make_shared<asked>(
        asked{std::nullopt, asio::steady_timer(executor_, asio::steady_timer::time_point::max())});
    command(words, [a](redis_reply const& r) {
        a->reply = r;
        a->answered.cancel();
    });
    if (!a->reply)
        co_await a->answered.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!a->reply)
        throw redis_error("the wait was cancelled");
    if (a->reply->is == redis_reply::kind::error || a->reply->is == redis_reply::kind::lost)
        throw redis_error(a->reply->text);
    co_return std::move(*a->reply);
}

void redis::close_if_silent_for(duration limit)
{
    if (link_ && !link_->sent_at.empty() && clock::now() - link_->sent_at.front() > limit)
        close("no answer in time");
}

void redis::close(std::string const& why)
{
    if (auto const l = std::exchange(link_, nullptr)) {
        auto const lost = std::exchange(l->on_lost, nullptr);
        l->free(why);
        if (lost && on_lost_)
            on_lost_(why);
    }
}

} // namespace plex::relay
