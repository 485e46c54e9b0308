// Follows a request that the library has no function for, and says what each outcome means.
//   example_follow_request [URL [TOKEN]]        analyses item 513
#include "../server_or_fake.hpp"

#include <plex/activities.hpp>
#include <plex/async.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

static plex::activity_request analyse(std::string const& key)
{
    plex::request ask("GET", key + "?asyncRefreshAnalysis=1");
    // What to look for where the reply has no X-Plex-Activity.
    plex::filter looks_like = plex::filter().type("library.refresh.items").context("key", key);
    // An analysis that runs already will do.
    return plex::activity_request(std::move(ask), std::move(looks_like)).or_running();
}

static asio::awaitable<plex::outcome> follow(plex::client& client, plex::activity_request what,
                                             plex::client::duration patience)
{
    plex::operation work = co_await client.start(std::move(what), 30s);
    for (;;) {
        auto const result = co_await plex::as_result(work.result(patience));
        if (result)
            co_return *result;
        if (result.error().code() != plex::errc::timeout)
            throw result.error();
        std::cerr << result.error().what() << '\n'; // what is awaited; the operation goes on, so ask again
    }
}

static bool is_done(plex::outcome const& result)
{
    switch (result.kind) {
    case plex::outcome_kind::ended: // the server said so; whether it succeeded is another matter
        if (result.weak)
            std::cerr << "one like it has ended, without the Context that would tell whether it was ours\n";
        return !result.weak;
    case plex::outcome_kind::vanished: // an outage or a restart took its end: look what came of it, or ask again
        std::cerr << "it runs no longer\n";
        return false;
    case plex::outcome_kind::not_started: // nothing to do, or one that ran already took it over
        std::cerr << result.message << '\n';
        return false;
    }
    return false;
}

static asio::awaitable<bool> show(plex::client& client)
{
    plex::outcome const result = co_await follow(client, analyse("/library/metadata/513"), 200ms);
    co_await client.close();
    co_return is_done(result);
}

int main(int argc, char* argv[])
{
    return example::run(argc, argv, show);
}
