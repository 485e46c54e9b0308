// How a user tests a state machine with what a server has really said: a recording (`plex-activities record`), played.
#include <plex/activities.hpp>
#include <plex/testing/fake_server.hpp>
#include <plex/testing/recording.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#if __has_include(<catch2/catch_all.hpp>) // Catch2 3
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <chrono>
#include <exception>
#include <fstream>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

/// What is tested: a light for one section, which knows nothing of clients and servers.
class section_light
{
public:
    enum class state { unknown, scanning, fresh };

    explicit section_light(std::string section) : section_(std::move(section)) {}

    state current() const { return current_; }

    void on(plex::activity_event const& event)
    {
        std::string uuid(event.activity.uuid());
        if (event.kind == plex::event_kind::ended) {
            if (scans_.erase(uuid) != 0 && scans_.empty())
                current_ = state::fresh;
        } else if (event.activity.type() == "library.update.section" &&
                   event.activity.context().text("librarySectionID") == section_) { // not yet there on `started`
            scans_.insert(std::move(uuid));
            current_ = state::scanning;
        }
    }

private:
    std::string section_;
    std::set<std::string> scans_;
    state current_ = state::unknown;
};

using state = section_light::state;

/// The states that the machine goes through while the session is played, without its pauses.
std::vector<state> states_of(section_light light, plex::testing::recording const& session)
{
    asio::io_context io;
    plex::testing::fake_server server(io.get_executor());
    plex::config config;
    config.url = server.url();
    plex::client client(io.get_executor(), config);

    std::vector<state> states(1, light.current());
    auto watch = [&]() -> asio::awaitable<void> {
        plex::feed feed = client.subscribe();
        for (;;) {
            std::optional<plex::activity_event> const event = co_await feed.next();
            if (!event)
                co_return;
            light.on(*event);
            if (states.back() != light.current())
                states.push_back(light.current());
            if (event->activity.progress() == 23) // the last one of the recording
                co_return;
        }
    };
    std::exception_ptr failure = std::make_exception_ptr(std::runtime_error("the watchdog ended the test"));
    asio::co_spawn(client.get_executor(), watch(), [&](std::exception_ptr e) {
        failure = e;
        client.stop();
        server.stop();
    });
    asio::co_spawn(io, server.play(session, 0), asio::detached);
    io.run_for(30s);
    if (failure)
        std::rethrow_exception(failure);
    return states;
}

plex::testing::recording recorded_scan()
{
    std::ifstream file("scan.jsonl");
    REQUIRE(file);
    return plex::testing::read_recording(file);
}

} // namespace

TEST_CASE("a light is on while its section is scanned, from the first event that names the section")
{
    // A scan that ran before, its end, and another one that is begun.
    CHECK(states_of(section_light("3"), recorded_scan()) ==
          std::vector<state>{state::unknown, state::scanning, state::fresh, state::scanning});
}

TEST_CASE("a light stays as it is while other sections are scanned")
{
    CHECK(states_of(section_light("4"), recorded_scan()) == std::vector<state>{state::unknown});
}
