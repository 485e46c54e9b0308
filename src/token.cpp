#include "token.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>

#include <cstddef>
#include <exception>
#include <iterator>
#include <new>
#include <utility>

namespace plex::detail {

/// One question to the function. Held by its coroutine too, which may outlive the client, as may the function.
struct token::question {
    asio::cancellation_signal cancel;
    net::wait_list waiting;
    std::string answer;
    std::exception_ptr failure;
    bool answered = false;
};

token::token(net::scope& s, std::string fixed, token_source source)
    : scope_(s), value_(std::move(fixed)), source_(std::move(source)), known_(!source_)
{
    s.add(*this);
}

void token::stop() noexcept
{
    // Let go of here, as the signal holds an executor, which must not outlive its context.
    std::shared_ptr<question> const q = std::move(open_);
    if (!q)
        return;
    q->waiting.wake_all();
    if (!q->answered) // else there is nobody to cancel, and what it waited on may be gone
        q->cancel.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> token::put(std::shared_ptr<question> q, token_source source)
{
    // Also where Asio destroys this, for want of memory in what the function waits for.
    struct leave {
        ~leave()
        {
            if (!has_answer)
                asked.failure = std::make_exception_ptr(std::bad_alloc());
            asked.answered = true;
            asked.waiting.wake_all();
        }
        question& asked;
        bool has_answer = false;
    } left{*q};
    try {
        std::string answer = co_await source();
        q->answer = std::move(answer);
    } catch (...) {
        q->failure = std::current_exception();
    }
    left.has_answer = true;
}

asio::awaitable<void> token::ask(undertaking const& doing, net::steady_time deadline)
{
    if (scope_.stopped())
        throw stopped_error(doing);
    if (!open_) {
        open_ = std::make_shared<question>();
        // The signal has to live as long as the coroutine that it cancels: the handler holds it.
        try {
            asio::co_spawn(scope_.executor(), put(open_, source_),
                           asio::bind_cancellation_slot(open_->cancel.slot(), [q = open_](std::exception_ptr) {}));
        } catch (...) {
            open_.reset(); // nobody will answer
            throw;
        }
    }
    std::shared_ptr<question> const asked = open_;
    while (!asked->answered) {
        net::woken const why = co_await asked->waiting.park(scope_.executor(), deadline);
        if (scope_.stopped())
            throw stopped_error(doing);
        if (why == net::woken::by_deadline)
            throw network_error(doing, asio::error::timed_out, "waiting for the token");
        if (why == net::woken::by_cancellation)
            throw network_error(doing, asio::error::operation_aborted, "waiting for the token");
    }
    if (open_ == asked) { // the first of those who waited
        if (asked->failure) {
            asked_this_episode_ = false; // no answer: the next refusal asks again
        } else {
            if (asked->answer != value_)
                replace_by(asked->answer); // where there is no memory for it, the next one does
            known_ = true;
        }
        open_.reset();
    }
    if (asked->failure)
        std::rethrow_exception(asked->failure);
}

void token::replace_by(std::string const& value)
{
    constexpr std::ptrdiff_t remembered = 4;
    std::string fresh = value;
    if (!value_.empty())
        earlier_.push_front(std::move(value_));
    if (std::distance(earlier_.begin(), earlier_.end()) > remembered)
        earlier_.resize(remembered);
    value_ = std::move(fresh);
    ++version_;
}

std::vector<std::string_view> token::secrets() const
{
    std::vector<std::string_view> all(earlier_.begin(), earlier_.end());
    all.emplace_back(value_);
    return all;
}

asio::awaitable<void> token::get(undertaking const& doing, net::steady_time deadline)
{
    while (!known_)
        co_await ask(doing, deadline);
}

asio::awaitable<bool> token::renew(undertaking const& doing, std::uint64_t refused, net::steady_time deadline)
{
    if (!source_)
        co_return false;
    while (version_ == refused && (open_ || !asked_this_episode_)) {
        asked_this_episode_ = true;
        co_await ask(doing, deadline);
    }
    co_return version_ != refused;
}

} // namespace plex::detail
