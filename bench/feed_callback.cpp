// The feed as a callback gets it.
#include "client.hpp"
#include "measure.hpp"
#include "messages.hpp"
#include "scans.hpp"

#include <boost/asio/io_context.hpp>

int main(int argc, char** argv)
{
    using namespace plex::bench;
    std::uint64_t const port = number(argc, argv, 1, "PORT COUNT");
    std::uint64_t const events = number(argc, argv, 2, "PORT COUNT");
    boost::asio::io_context context(1);
    plex::client client(context.get_executor(), settings(port));
    scan_tally taken;
    bool warm = false;
    reading begin;
    plex::subscription subscription;
    auto const on_event = [&](plex::activity_event const& event) {
        taken.take(event);
        if (!warm && taken.total() == warm_up_events) {
            warm = true;
            taken.reset();
            begin = reading::now();
        } else if (warm && taken.total() == events) {
            reading const spent = reading::now() - begin;
            taken.check();
            print("feed_callback", events, spent, field("conflated", static_cast<double>(subscription.conflated())));
            client.stop();
        }
    };
    auto const on_end = [](plex::error_code, plex::diagnostics const&) { expect(false, "the feed has stopped"); };
    subscription = client.subscribe(plex::filter(), on_event, on_end);
    context.run();
}
