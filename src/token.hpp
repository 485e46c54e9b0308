#pragma once

#include "failure.hpp"
#include "net/scope.hpp"

#include <plex/config.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <forward_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plex::detail {

namespace asio = boost::asio;

/// The token in use. A token function is asked at first use, and once again in each episode: from the first reply that
/// refuses the token to the next one that accepts it. However many calls wait, it is asked by one coroutine, which is
/// none of theirs: that a caller is cancelled or out of time ends his wait, not the question.
class token final : public net::stoppable
{
public:
    token(net::scope& s, std::string fixed, token_source source);

    /// Whether there is one; else it is to be got.
    bool known() const noexcept { return known_; }
    std::string const& value() const noexcept { return value_; }
    /// It, and those that it has taken the place of, as what was sent with one of them may come back late.
    std::vector<std::string_view> secrets() const;
    /// Another one with each new value.
    std::uint64_t version() const noexcept { return version_; }
    /// Until it is known. @throws error `stopped`, `timeout`, `operation_aborted`; whatever the function throws
    asio::awaitable<void> get(undertaking const& doing, net::steady_time deadline);
    /// After the one of that version was refused: whether there is another one to try.
    asio::awaitable<bool> renew(undertaking const& doing, std::uint64_t refused, net::steady_time deadline);
    void accepted() noexcept { asked_this_episode_ = false; }
    /// Cancels the function where it waits.
    void stop() noexcept override;

private:
    struct question;

    void replace_by(std::string const& value);
    asio::awaitable<void> ask(undertaking const&, net::steady_time deadline);
    static asio::awaitable<void> put(std::shared_ptr<question>, token_source);

    net::scope& scope_;
    std::string value_;
    std::forward_list<std::string> earlier_; // the last few
    token_source source_;
    std::shared_ptr<question> open_; // null unless the function is being asked
    std::uint64_t version_ = 0;
    bool known_;
    bool asked_this_episode_ = false;
};

} // namespace plex::detail
