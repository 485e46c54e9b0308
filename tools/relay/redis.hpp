#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace plex::relay {

/// Where Redis is, and who we are there.
struct redis_address {
    std::string host = "127.0.0.1";
    std::uint16_t port = 6379;
    std::string unix_path; ///< in place of host and port
    std::string user;
    std::string password;
    unsigned database = 0;

    /// For what is told; without the password.
    std::string text() const;
    bool operator==(redis_address const&) const = default;
};

/// What Redis answered.
struct redis_reply {
    enum class kind : std::uint8_t {
        nothing,
        text,
        integer,
        array,
        error, ///< Redis says no
        lost,  ///< nobody knows what Redis did, if anything: the connection has gone
    };
    kind is = kind::nothing;
    std::string text; ///< of an error and a loss, what is wrong
    std::int64_t integer = 0;
    std::vector<redis_reply> elements;
};

/// What is wrong with Redis, in one line.
struct redis_error : std::runtime_error {
    using runtime_error::runtime_error;
};

/// One connection to Redis. Commands go out at once, one after another, and are answered in that order. It is closed by
/// an answer that says that another one may be of more use: the scripts are forgotten, or this is no primary any more.
/// Belongs on its executor, which runs no two handlers at a time.
class redis
{
public:
    using answer_function = std::function<void(redis_reply const&)>;
    using duration = std::chrono::steady_clock::duration;

    /// @param on_lost told once when an open connection has gone, and why; what waited was answered with that error
    redis(boost::asio::any_io_executor executor, std::function<void(std::string const& why)> on_lost);
    /// Without a word to anybody.
    ~redis();
    redis(redis const&) = delete;
    redis& operator=(redis const&) = delete;

    /// Opens it, and signs in. @throws redis_error
    boost::asio::awaitable<void> open(redis_address, duration limit);
    bool is_open() const noexcept { return link_ != nullptr; }

    /// @param on_answer is called once, in another turn of the loop unless it is not open
    void command(std::vector<std::string> const& words, answer_function on_answer);
    /// The same; an error and a loss are thrown. @throws redis_error
    boost::asio::awaitable<redis_reply> command(std::vector<std::string> words);

    /// Gives a connection up whose oldest command has waited for longer.
    void close_if_silent_for(duration limit);
    void close(std::string const& why);

private:
    struct link;

    boost::asio::any_io_executor executor_;
    std::function<void(std::string const&)> on_lost_;
    std::shared_ptr<link> link_;
};

} // namespace plex::relay
