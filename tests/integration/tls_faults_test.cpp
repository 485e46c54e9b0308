#include "relay.hpp"
#include "tls_fixture.hpp"

// Somebody on the path cuts, stops, changes and adds to what goes over TLS, at every point of handshake and data: a
// call then ends in time, in an error that says so, or with what the server has said and nothing else.

using namespace plex;
using namespace plex::test;

namespace {

/// What makes the other side wait for what does not come, as TLS knows of no end before its framing's.
bool may_stall(harm what)
{
    return what == harm::stall || what == harm::flip || what == harm::left_out || what == harm::cut ||
           what == harm::exchanged;
}

struct results {
    std::size_t struck = 0;
    std::size_t failed = 0;
    std::size_t late = 0;             ///< of those that failed
    std::vector<interference> passed; ///< which made no difference

    results& operator+=(results const& more)
    {
        struck += more.struck;
        failed += more.failed;
        late += more.late;
        passed.insert(passed.end(), more.passed.begin(), more.passed.end());
        return *this;
    }
};

/// A list over TLS, with one interference.
class attempt
{
public:
    using clock = std::chrono::steady_clock;

    attempt(asio::io_context& io, fake_server const& server, std::string const& trusted, interference what)
        : what_(what), path_(io, server.port(), what)
    {
        settings_.url = "https://127.0.0.1:" + std::to_string(path_.port());
        settings_.token = "sEcReT";
        settings_.tls.ca_pem = trusted;
        settings_.connect_timeout = settings_.request_timeout = may_stall(what.what) ? 1500ms : 60s;
        client_.emplace(io.get_executor(), settings_);
    }

    asio::awaitable<void> run()
    {
        if (what_.connection == 1) { // so that the next one resumes its session
            config patient = settings_;
            patient.connect_timeout = patient.request_timeout = 60s;
            client first(client_->get_executor(), patient);
            (void)co_await first.get_server_activities();
            co_await first.close(1s);
        }
        clock::time_point const begun = clock::now();
        first_ = co_await list();
        took_ = clock::now() - begun;
        bytes = path_.bytes();
        records = path_.records();
        // Nothing of it is left behind. A connection that is kept may yet turn out to be of no use.
        error next = co_await list();
        for (int i = 0; next.code() && i != 4; ++i) // of a machine that is busy
            next = co_await list();
        next_ = next;
        co_await client_->close(10ms);
        over_ = true;
    }

    void judge(results& all) const
    {
        INFO(name_of(what_.what) << (what_.to_client ? " to the client" : " to the server") << " at " << what_.at
                                 << ", on connection " << what_.connection);
        INFO(first_.what());
        REQUIRE(over_);
        error_code const ec = first_.code();
        bool const known = !ec || ec == errc::connection_failed || (may_stall(what_.what) && ec == errc::timeout);
        CHECK(known);
        CHECK(right_);
        CHECK(took_ < settings_.request_timeout + 30s); // of a machine that is busy
        CHECK_FALSE(contains(first_.what(), "sEcReT"));
        CHECK(next_.code() == error_code());
        all.struck += path_.struck() ? 1U : 0U;
        all.failed += ec ? 1U : 0U;
        all.late += ec == errc::timeout ? 1U : 0U;
        if (path_.struck() && !ec)
            all.passed.push_back(what_);
    }

    /// Time ran out before it was struck, or on what came after it, as on a machine that is busy: that says nothing.
    bool is_void() const
    {
        return (!path_.struck() && first_.code() == errc::timeout) || next_.code() == errc::timeout;
    }

    std::size_t bytes = 0;
    std::size_t records = 0;

private:
    asio::awaitable<error> list()
    {
        boost::system::result<std::vector<activity>, error> const outcome =
            co_await as_result(client_->get_server_activities());
        if (!outcome)
            co_return outcome.error();
        right_ = right_ && outcome->size() == 1 && outcome->front().uuid() == "running" &&
                 outcome->front().title() == std::string(2'000, 't');
        co_return error();
    }

    interference const what_;
    relay path_;
    config settings_;
    std::optional<client> client_;
    error first_, next_;
    bool right_ = true;
    bool over_ = false;
    clock::duration took_{};
};

class scene
{
public:
    scene() : server(io.get_executor(), serving(own))
    {
        server.start_activity(activity_called("running", std::string(2'000, 't')));
    }

    /// Each of them, some at once; again, beside fewer, those that time ran out on.
    results judge(std::vector<interference> rest, std::size_t at_once = 60)
    {
        results all;
        std::vector<interference> again;
        while (!rest.empty()) {
            std::size_t const some = std::min(rest.size(), at_once);
            std::vector<std::unique_ptr<attempt>> running;
            std::size_t over = 0;
            for (std::size_t i = 0; i != some; ++i) {
                running.push_back(std::make_unique<attempt>(io, server, ca.root.pem(), rest[rest.size() - 1 - i]));
                asio::co_spawn(io, running.back()->run(), [&over](std::exception_ptr e) {
                    ++over;
                    if (e)
                        std::rethrow_exception(e);
                });
            }
            test::run(io, until([&] { return over == some; }));
            for (std::size_t i = 0; i != some; ++i) {
                if (at_once > 1 && running[i]->is_void())
                    again.push_back(rest[rest.size() - 1 - i]);
                else
                    running[i]->judge(all);
            }
            rest.resize(rest.size() - some);
        }
        if (!again.empty())
            all += judge(std::move(again), at_once / 4);
        return all;
    }

    /// What comes by on one undisturbed connection: bytes and records for the client.
    std::pair<std::size_t, std::size_t> undisturbed(std::size_t connection)
    {
        // By records, which are counted then, and at one that does not come.
        attempt one(io, server, ca.root.pem(), {harm::repeated, true, 1'000'000, connection});
        test::run(io, one.run());
        return {one.bytes, one.records};
    }

    asio::io_context io;
    authority ca;
    certificate own{"server", "IP:127.0.0.1", &ca.root};
    fake_server server;
};

/// The same at each of so many places, by the step.
std::vector<interference> at_each(harm what, bool to_client, std::size_t connection, std::size_t end, std::size_t step)
{
    std::vector<interference> all;
    for (std::size_t at = 0; at < end; at += step)
        all.push_back({what, to_client, at, connection});
    return all;
}

std::string text_of(std::vector<interference> const& all)
{
    std::string text;
    for (interference const& i : all)
        text += std::to_string(i.at) + (i.to_client ? " to the client, " : " to the server, ");
    return text;
}

// The length of a handshake varies by that with its signatures, which have no fixed one.
constexpr std::size_t variation = 16;

} // namespace

TEST_CASE("a TLS connection that is ended, reset, stopped or overwritten anywhere brings no call but an error, in time")
{
    scene s;
    for (std::size_t const connection : {0u, 1u}) {
        std::size_t const whole = s.undisturbed(connection).first;
        REQUIRE(whole > 2'000);
        for (harm const what : {harm::fin, harm::rst, harm::stall, harm::noise})
            for (bool const to_client : {true, false}) {
                CAPTURE(name_of(what), to_client, connection, whole);
                std::size_t const end = to_client ? whole - variation : 400;
                std::vector<interference> const all = at_each(what, to_client, connection, end, step_of(61));
                results const r = s.judge(all);
                CHECK(r.struck == all.size());
                CHECK(r.failed == r.struck);
                CHECK(r.late == (what == harm::stall ? r.failed : 0));
                CHECK(r.passed.empty());
            }
    }
}

TEST_CASE("no bit of a TLS connection can be turned so that a call takes it for what was said")
{
    scene s;
    for (std::size_t const connection : {0u, 1u})
        for (bool const to_client : {true, false}) {
            std::size_t const end = to_client ? s.undisturbed(connection).first - variation : 400;
            CAPTURE(connection, to_client, end);
            results const r = s.judge(at_each(harm::flip, to_client, connection, end, step_of(19)));
            CAPTURE(text_of(r.passed), r.late, r.failed);
            // The version of the first record, which nobody heeds.
            for (interference const& i : r.passed)
                CHECK(i.at == 2);
            CHECK(r.failed + r.passed.size() == r.struck);
        }
}

TEST_CASE("no record of TLS can be repeated, dropped, exchanged, cut or added so that a call is taken in")
{
    scene s;
    for (std::size_t const connection : {0u, 1u}) {
        std::size_t const whole = s.undisturbed(connection).second;
        CAPTURE(connection, whole);
        REQUIRE(whole > 4);
        for (harm const what :
             {harm::repeated, harm::left_out, harm::exchanged, harm::cut, harm::oversized, harm::empty, harm::unknown,
              harm::key_change, harm::alert, harm::goodbye, harm::text, harm::plain_data, harm::endless_handshake}) {
            std::vector<interference> all = at_each(what, true, connection, whole, step_of(1));
            for (interference const& i : at_each(what, false, connection, 3, 1))
                all.push_back(i);
            results const r = s.judge(std::move(all));
            CAPTURE(name_of(what), text_of(r.passed), r.late, r.failed);
            // Record 1 is TLS 1.2's change of keys, which 1.3 has for show, within the handshake; what is behind the
            // reply comes too late.
            for (interference const& i : r.passed)
                CHECK((i.at == 1 || what == harm::key_change || (what == harm::repeated && i.at == whole - 1)));
        }
    }
}

TEST_CASE("a reply that TLS's own goodbye cuts short is cut, at whichever byte")
{
    authority const ca;
    certificate const own("server", "IP:127.0.0.1", &ca.root);
    std::string const whole = "HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{\"MediaContainer\":{\"size\":0}}";
    for (std::size_t size = 0; size < whole.size(); size += 7) {
        INFO(size);
        tls_scene s(own, ca);
        raw_tls_server odd(s.io, own);
        s.settings.url = odd.url();
        s.run([&]() -> asio::awaitable<void> {
            started call(s.client().get_executor(), s.client().get_server_activities());
            co_await odd.accept();
            co_await odd.read_request();
            std::string const part = whole.substr(0, size);
            co_await odd.write(part);
            boost::system::error_code ignored;
            co_await odd.stream->async_shutdown(asio::redirect_error(asio::use_awaitable, ignored));
            odd.stream->next_layer().close();
            error const outcome = co_await call.result();
            INFO(outcome.what());
            CHECK(outcome.code() == errc::connection_failed);
        });
    }
}
