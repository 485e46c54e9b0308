// Uses every header that is installed, across the library's boundary: coroutines, exceptions, error categories.
#include <plex/activities.hpp>
#include <plex/async.hpp>
#include <plex/generator.hpp>
#include <plex/json.hpp>
#include <plex/testing/fake_server.hpp>
#include <plex/testing/recording.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <iostream>
#include <sstream>

namespace {

void expect(bool holds, char const* what)
{
    if (!holds)
        throw std::logic_error(what);
}

boost::asio::awaitable<void> use(plex::client& client, plex::testing::fake_server& server)
{
    plex::testing::fake_activity scan("library.update.section", "Scanning Movies");
    scan.context_json = R"({"librarySectionID":3})";
    std::string const uuid = server.start_activity(scan);

    std::vector<plex::activity> const running = co_await client.get_server_activities();
    expect(running.size() == 1 && running[0].uuid() == uuid, "the list has what runs");
    expect(plex::to_json(running[0].context()).contains("librarySectionID"), "Context comes as Boost.JSON");

    plex::generator<plex::activity_event> events = plex::events(client.subscribe());
    std::optional<plex::activity_event> const event = co_await events.next();
    expect(event && event->activity.title() == "Scanning Movies", "the feed tells of it");

    plex::diagnostics why;
    std::vector<plex::activity> const again =
        co_await plex::async_get_server_activities(client, why, boost::asio::use_awaitable);
    expect(again.size() == 1, "a completion token gets the list");

    // Thrown inside the library, caught here: as what it is, and as each of its bases.
    try {
        co_await client.cancel_server_activities("no-such-uuid");
        expect(false, "an activity that does not run cannot be cancelled");
    } catch (plex::error const& e) {
        expect(e.code() == plex::errc::activity_not_found, "an error's code has the category that is seen here");
    }
    try {
        co_await client.cancel_server_activities("no-such-uuid");
    } catch (boost::system::system_error const& e) {
        expect(dynamic_cast<plex::error const*>(&e) != nullptr, "the type is known here by the same identity");
    }
    try {
        co_await client.cancel_server_activities("no-such-uuid");
    } catch (std::exception const& e) {
        expect(typeid(e) == typeid(plex::error), "the type is known here by the same identity");
    }

    // Categories of Asio are compared by their address.
    server.cut("/activities", 0, plex::testing::fake_server::always);
    try {
        co_await client.get_server_activities();
        expect(false, "a reply that is cut is none");
    } catch (plex::error const& e) {
        expect(e.diagnostics().cause() == boost::asio::error::eof, "Asio's end of file is the one that is known here");
    }
    co_await client.close();
    server.stop();
}

} // namespace

int main()
{
    try {
        boost::asio::io_context io;
        try {
            plex::config config;
            config.url = "none";
            plex::client client(io.get_executor(), config);
            expect(false, "such a URL is refused");
        } catch (plex::error const& e) {
            expect(e.code() == plex::errc::invalid_argument, "such a URL is an invalid argument");
        }

        std::istringstream nothing;
        try {
            plex::testing::read_recording(nothing);
            expect(false, "nothing is no recording");
        } catch (std::runtime_error const&) {
        }

        plex::testing::fake_server server(io.get_executor());
        plex::config config;
        config.url = server.url();
        plex::client client(io.get_executor(), config);
        std::exception_ptr failure;
        boost::asio::co_spawn(client.get_executor(), use(client, server), [&](std::exception_ptr e) {
            failure = e;
            if (e)
                io.stop();
        });
        io.run();
        if (failure)
            std::rethrow_exception(failure);
    } catch (std::exception const& e) {
        std::cerr << "not so: " << e.what() << '\n';
        return 1;
    }
    std::cout << "works with plex-activities " << PLEX_VERSION_MAJOR << '.' << PLEX_VERSION_MINOR << '.'
              << PLEX_VERSION_PATCH << std::endl;
}
