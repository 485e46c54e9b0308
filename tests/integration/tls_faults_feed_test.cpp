#include "fault_schedule.hpp"
#include "relay.hpp"
#include "tls_fixture.hpp"

#include <memory>
#include <vector>

// As tls_faults_test.cpp, to a feed: it opens another connection, and loses no life.

using namespace plex;
using namespace plex::test;

namespace {

class disturbed
{
public:
    disturbed(asio::io_context& io, authority const& ca, certificate const& own, transport over, interference what)
        : schedule_(io, serving(own)), path_(io, schedule_.server().port(), what), what_(what)
    {
        schedule_.settings.url = "https://127.0.0.1:" + std::to_string(path_.port());
        schedule_.settings.token = "sEcReT";
        schedule_.settings.tls.ca_pem = ca.root.pem();
        schedule_.settings.transport = over;
        schedule_.settings.request_timeout = 2500ms;
    }

    asio::awaitable<void> run() { return schedule_.play_scan(); }
    bool struck() const { return path_.struck(); }

    /// @returns whether it was felt
    bool judge() const
    {
        INFO(name_of(what_.what) << (what_.to_client ? " to the client" : " to the server") << " at " << what_.at
                                 << ", on connection " << what_.connection << ", over "
                                 << to_string(schedule_.settings.transport));
        CHECK(schedule_.finding() == "");
        CHECK(path_.struck());
        return schedule_.felt();
    }

private:
    fault_schedule schedule_;
    relay path_;
    interference const what_;
};

/// Some at once; again, beside fewer, those whose connection was over before it was struck, as time ran out on a
/// machine that is busy. @returns those that were not felt
std::vector<interference> unfelt(transport over, std::vector<interference> const& all, std::size_t at_once = 60)
{
    asio::io_context io;
    authority const ca;
    certificate const own("server", "IP:127.0.0.1", &ca.root);
    std::vector<interference> not_felt;
    std::vector<interference> again;
    for (std::size_t from = 0; from < all.size(); from += at_once) {
        std::vector<std::unique_ptr<disturbed>> some;
        for (std::size_t i = from; i != std::min(all.size(), from + at_once); ++i)
            some.push_back(std::make_unique<disturbed>(io, ca, own, over, all[i]));
        run_all(io, some, 300s);
        for (std::size_t i = 0; i != some.size(); ++i)
            if (at_once > 1 && !some[i]->struck())
                again.push_back(all[from + i]);
            else if (!some[i]->judge())
                not_felt.push_back(all[from + i]);
    }
    if (!again.empty())
        for (interference const& i : unfelt(over, again, at_once / 4))
            not_felt.push_back(i);
    return not_felt;
}

} // namespace

TEST_CASE("a feed whose TLS is ended, reset, stopped or changed anywhere connects anew and loses no life")
{
    for (transport const over : {transport::websocket, transport::eventsource}) {
        std::vector<interference> all;
        for (harm const what : {harm::fin, harm::rst, harm::stall, harm::flip, harm::noise}) {
            // What opens it, and the first of what it tells; then what the first list is asked and answered with.
            for (std::size_t at = 0; at < 4'000; at += step_of(193))
                all.push_back({what, true, at, 0});
            for (std::size_t at = 0; at < (over == transport::websocket ? 800 : 600); at += step_of(193))
                all.push_back({what, false, at, 0});
            for (std::size_t at = 0; at < 900; at += step_of(193))
                all.push_back({what, true, at, 1});
        }
        CHECK(unfelt(over, all).empty());
    }
}

TEST_CASE("a feed of whose TLS a record is repeated, dropped, exchanged, cut or added to loses no life")
{
    for (transport const over : {transport::websocket, transport::eventsource}) {
        std::vector<interference> all;
        for (harm const what :
             {harm::repeated, harm::left_out, harm::exchanged, harm::cut, harm::oversized, harm::empty, harm::unknown,
              harm::key_change, harm::alert, harm::goodbye, harm::text, harm::plain_data})
            for (std::size_t at = 0; at < 14; at += step_of(1))
                all.push_back({what, true, at, 0});
        // Record 1 is TLS 1.2's change of keys, which 1.3 has for show, within the handshake.
        for (interference const& i : unfelt(over, all)) {
            CAPTURE(name_of(i.what), i.at);
            CHECK((i.at == 1 || i.what == harm::key_change));
        }
    }
}
