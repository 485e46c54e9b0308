#include "everything_said.hpp"

// The token is in no log line, error, exception, event or status of a client at its most verbose, whatever fails and
// whatever the server repeats of what it was sent; and what goes over the wire has it in one header alone.

using namespace plex;
using namespace plex::test;

namespace {

std::string const token = "S3CRET/xyzzy+0123456789=.-_";
std::string const title = "A Private Film";

/// A server that wants the token, and a client that logs all there is.
class secret_scene : public call_scene
{
public:
    secret_scene() : call_scene(guarded())
    {
        settings.token = token;
        settings.logger.level = log_level::debug;
        settings.logger.write = [this](log_level level, std::string_view text) {
            said.line(text);
            ++logged;
            if (level != log_level::debug)
                edges.append(text) += '\n';
        };
        settings.request_timeout = 2s;
        settings.connect_timeout = 2s;
        settings.appear_timeout = 10ms;
        fake_activity running = activity_called("running", title);
        running.context_json = R"({"k":"v"})";
        server.start_activity(std::move(running));
    }

    /// Every kind of operation once, whatever becomes of it.
    void do_everything()
    {
        run([this]() -> asio::awaitable<void> {
            plex::client& c = client();
            c.on_connection_change([this](connection_status const& now) { said.status(now); });
            feed heard = c.subscribe();
            co_await note(c.get_server_activities());
            co_await note(c.cancel_server_activities("running"));
            request asked("POST", "/livetv/dvrs/28/reloadGuide");
            co_await note(c.send(asked));
            co_await note(c.ready(100ms));
            activity_request begun = reload_guide(28);
            co_await note(c.start(begun, 100ms));
            co_await note(c.wait_until_idle(filter(), 1ms, 50ms));
            try {
                while (std::optional<activity_event> const event = heard.try_next())
                    said.shown(event->activity);
            } catch (error const& e) {
                said.failure(e);
            }
            said.status(c.connection());
            for (activity const& a : c.running().activities)
                said.shown(a);
        });
        drop_client();
    }

    template <class T>
    asio::awaitable<void> note(asio::awaitable<T> operation)
    {
        bool const has_failed = co_await said.outcome_of(std::move(operation));
        failed += has_failed ? 1 : 0;
    }

    void check_nothing_is_told()
    {
        CHECK_FALSE(said.holds("S3CRET")); // nor its beginning, cut somewhere
        for (seen_request const& r : server.requests()) {
            INFO(r.method << ' ' << r.target);
            CHECK(r.header("X-Plex-Token") == token);
            std::string rest = r.method + r.target + r.body;
            for (auto const& [name, value] : r.headers)
                if (name != "X-Plex-Token")
                    rest += name + value;
            CHECK(rest.find("S3CRET") == std::string::npos);
        }
    }

    everything_said said;
    std::string edges; ///< of the log, above debug
    int logged = 0;
    int failed = 0;

private:
    static fake_server_options guarded()
    {
        fake_server_options options;
        options.token = token;
        return options;
    }
};

struct fault {
    char const* what;
    std::function<void(secret_scene&)> make;
};

std::function<void(secret_scene&)> refusing(unsigned status, std::string body, std::string type = "text/html")
{
    return [=](secret_scene& s) { s.server.refuse("", status, body, type, fake_server::always); };
}

std::function<void(secret_scene&)> answering(std::string bytes)
{
    return [=](secret_scene& s) { s.server.reply_raw("", bytes, false, fake_server::always); };
}

std::string reply_with(std::string const& body)
{
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// What fails, with a server that repeats all it was sent where it can.
std::vector<fault> faults()
{
    std::string const page = "<html><head><title>Bad X-Plex-Token: " + token + "</title></head></html>";
    std::string const errors = R"({"errors":[{"code":1,"message":"no such token )" + token + R"(","status":400}]})";
    std::vector<fault> all = {
        {"nothing", [](secret_scene&) {}},
        {"another token", [](secret_scene& s) { s.server.set_token("another"); }},
        {"a redirect",
         [](secret_scene& s) {
             s.server.refuse_with("", 302, "Location", "http://elsewhere/" + token + "?X-Plex-Token=" + token,
                                  fake_server::always);
         }},
        {"maintenance", [](secret_scene& s) { s.server.refuse_for_maintenance("", fake_server::always); }},
        {"no HTTP", answering("X-Plex-Token: " + token + "\r\n\r\n")},
        {"a list that is none", answering(reply_with("You sent " + token))},
        {"a list of text", answering(reply_with("\"" + token + "\""))},
        {"an end in the middle", answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + token)},
        {"a header that is broken", answering("HTTP/1.1 200 OK\r\n" + token + "\r\n\r\n")},
        {"a header without end", answering("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + token)},
        {"an upgrade to something else",
         answering("HTTP/1.1 101 " + token + "\r\nSec-WebSocket-Accept: " + token + "\r\n\r\n")},
        {"a name of an activity",
         [](secret_scene& s) { s.server.refuse_with("POST", 500, "X-Plex-Activity", "nowhere", fake_server::always); }},
        {"no answer",
         [](secret_scene& s) {
             s.settings.request_timeout = s.settings.connect_timeout = 50ms;
             s.server.stall("", fake_server::always);
         }},
        {"connections that are refused", [](secret_scene& s) { s.server.refuse_connections(fake_server::always); }},
        {"nobody there",
         [](secret_scene& s) { s.settings.url = "http://127.0.0.1:" + std::to_string(deserted(s.io).port()); }},
        {"TLS to a plain port", [](secret_scene& s) { s.settings.url.insert(4, "s"); }},
        {"a small body", [](secret_scene& s) { s.settings.max_body = 8; }},
        {"a full ledger", [](secret_scene& s) { s.settings.ledger_bytes = 1; }},
        {"a full mailbox", [](secret_scene& s) { s.settings.mailbox_bytes = 1; }},
        {"a token function that fails",
         [](secret_scene& s) {
             s.settings.token_function = []() -> asio::awaitable<std::string> {
                 throw std::runtime_error("the vault is shut");
                 co_return token;
             };
         }},
        {"a token function that gives what cannot be sent",
         [](secret_scene& s) {
             s.settings.token_function = []() -> asio::awaitable<std::string> { co_return token + "\r\n"; };
         }},
        {"the token as a filter", [](secret_scene& s) { s.settings.feed_filters = "X-Plex-Token=" + token; }},
        {"the token in the feed's path",
         [](secret_scene& s) { s.settings.websocket_path = "/:/websockets/notifications?X-Plex-Token=" + token; }},
        {"the token alone in the feed's path",
         [](secret_scene& s) { s.settings.websocket_path = "/:/websockets/notifications?t=" + token; }},
    };
    for (unsigned const status : {400u, 401u, 403u, 404u, 429u, 500u, 503u}) {
        all.push_back({"a page that repeats it", refusing(status, page)});
        all.push_back({"text that repeats it", refusing(status, "your token was " + token)});
        all.push_back({"errors that repeat it", refusing(status, errors, "application/json")});
        all.push_back({"Plex's XML that repeats it",
                       refusing(status, "<Response code=\"1\" title=\"" + token + "\" status=\"" + token + "\"/>")});
    }
    // Wherever the excerpt ends, and whatever is left out before it.
    for (std::size_t before = 150; before < 210; ++before)
        all.push_back({"text that is cut in it",
                       refusing(500, std::string(before - 150, '\x01') + std::string(before, 'x') + token + token)});
    return all;
}

} // namespace

TEST_CASE("the token is in nothing that a client says, whatever fails and whatever the server repeats")
{
    int failed = 0;
    int logged = 0;
    for (fault const& f : faults()) {
        INFO(f.what);
        secret_scene s;
        f.make(s);
        s.do_everything();
        s.check_nothing_is_told();
        failed += s.failed;
        logged += s.logged;
    }
    CHECK(failed > 300);
    CHECK(logged > 300);
}

TEST_CASE("a token in the wrong place is refused before anything is sent, and not repeated")
{
    secret_scene s;
    std::vector<request> wrong;
    for (std::string const& target :
         {"/x?X-Plex-Token=" + token, std::string("/x/S3CRE%54%2Fxyzzy+0123456789=.-_"), "/x?x-plex-token=" + token,
          "/x?%58-Plex-Token=" + token, "/x/" + token, "/x?t=" + token, std::string("/x?X-Plex-Token=other")})
        wrong.emplace_back("GET", target);
    wrong.push_back(request("GET", "/x?t=" + token).header("X-A", "b"));
    wrong.push_back(request("GET", "/x").header("X-Plex-Token", token));
    wrong.push_back(request("GET", "/x").header("X-Other", "it is " + token));
    wrong.push_back(request("POST", "/x").body("it is " + token, "text/plain"));
    s.run([&]() -> asio::awaitable<void> {
        plex::client& c = s.client();
        for (request const& asked : wrong) {
            error const failure = co_await failure_of(c.send(asked));
            CHECK(failure.code() == errc::invalid_argument);
            s.said.failure(failure);
        }
    });
    CHECK(s.server.requests().empty());
    for (std::string const& url :
         {"http://127.0.0.1/X-Plex-Token=" + token, "http://127.0.0.1/%58-plex-token/" + token,
          "http://" + token + "@127.0.0.1", "http://127.0.0.1?X-Plex-Token=" + token, "http://127.0.0.1/" + token,
          std::string("http://127.0.0.1/plex/S3CRE%54%2Fxyzzy+0123456789=.-_")}) {
        config bad = s.settings;
        bad.url = url;
        try {
            plex::client const c(s.io.get_executor(), bad);
            FAIL_CHECK("accepted: " << url);
        } catch (error const& e) {
            CHECK(e.code() == errc::invalid_argument);
            s.said.failure(e);
        }
    }
    s.check_nothing_is_told();
}

TEST_CASE("a token function's token that is in the base URL is sent nowhere, and said no more")
{
    for (char const* path : {"/S3CRETxyzzy", "/S3CRE%54xyzzy"}) {
        INFO(path);
        secret_scene s;
        s.settings.token.clear();
        s.settings.token_function = []() -> asio::awaitable<std::string> { co_return "S3CRETxyzzy"; };
        s.settings.url += path;
        s.settings.logger.write = nullptr; // of what is said before it is known to be the token
        s.do_everything();
        CHECK(s.failed > 4);
        CHECK(s.server.requests().empty());
        CHECK_FALSE(s.said.holds("S3CRE"));
        CHECK_FALSE(s.said.holds("xyzzy"));
    }
}

TEST_CASE("a token that another has taken the place of is not said either, though its reply comes later")
{
    secret_scene s;
    int asked = 0;
    s.settings.token.clear();
    s.settings.token_function = [&asked]() -> asio::awaitable<std::string> {
        co_return ++asked == 1 ? "S3CRET-of-yesterday" : token;
    };
    s.settings.request_timeout = 20s;
    s.server.set_token("");
    s.server.hold("/activities");
    s.server.refuse("/activities", 500, "no S3CRET-of-yesterday here");
    s.server.refuse("/x", 401, "not S3CRET-of-yesterday");
    s.run([&]() -> asio::awaitable<void> {
        started list(s.client().get_executor(), s.client().get_server_activities());
        co_await s.server.held_reached("/activities", 1);
        error const other = co_await failure_of(s.client().send(request("GET", "/x"))); // gets another token
        CHECK(other.code() == error_code());
        CHECK(asked == 2);
        s.server.release("/activities");
        error const failure = co_await list.result();
        CHECK(failure.code() == errc::server_error);
        s.said.failure(failure);
    });
    CHECK_FALSE(s.said.holds("S3CRET"));
}

TEST_CASE("of the tokens before the last one four are left out of what is said, and no more are remembered")
{
    call_scene s;
    int asked = 0;
    s.settings.token_function = [&asked]() -> asio::awaitable<std::string> {
        co_return "S3CRET-" + std::to_string(++asked);
    };
    std::string all;
    for (int i = 1; i <= 7; ++i)
        all += "S3CRET-" + std::to_string(i) + " ";
    error failure;
    s.run([&]() -> asio::awaitable<void> {
        for (int i = 0; i != 6; ++i) {
            s.server.refuse("/x", 401);
            error const other = co_await failure_of(s.client().send(request("GET", "/x"))); // gets another token
            CHECK(other.code() == error_code());
            co_await s.client().get_server_activities(); // which is accepted
        }
        s.server.refuse("/activities", 500, all);
        failure = co_await failure_of(s.client().get_server_activities());
    });
    CHECK(asked == 7);
    std::string const said(failure.diagnostics().body_excerpt());
    INFO(said);
    for (int i = 3; i <= 7; ++i)
        CHECK_FALSE(contains(said, "S3CRET-" + std::to_string(i)));
    CHECK(contains(said, "S3CRET-2"));
}

TEST_CASE("titles are in no log line above debug")
{
    for (transport const over : {transport::websocket, transport::eventsource, transport::polling}) {
        secret_scene s;
        s.settings.transport = over;
        s.run([&s]() -> asio::awaitable<void> {
            plex::client& c = s.client();
            feed heard = c.subscribe();
            co_await c.ready(10s);
            std::optional<activity_event> const first = co_await heard.next();
            CHECK(first->activity.title() == title);
            s.server.notify_raw("{\"ActivityNotification\":{\"title\":\"" + title);
            s.server.end_activity("running");
            std::optional<activity_event> const second = co_await heard.next();
            CHECK(second->kind == event_kind::ended);
            s.server.drop_listeners();
        });
        s.drop_client();
        CHECK(contains(s.edges, "connected"));
        CHECK_FALSE(contains(s.edges, title));
    }
}

TEST_CASE("titles are in no error's text, whatever becomes of a list or a notification")
{
    std::string const entry = R"({"uuid":"u","type":"t","title":")" + title + R"(","subtitle":")" + title + "\"";
    std::string const list = R"({"MediaContainer":{"size":1,"Activity":[)" + entry;
    std::vector<fault> all = faults();
    all.push_back({"a list that breaks off", answering(reply_with(list))});
    all.push_back({"a list of nothing but a title", answering(reply_with(title))});
    all.push_back({"a list that is closed wrongly", answering(reply_with(list + "}}}"))});
    all.push_back(
        {"a list as a page", answering(reply_with("<html><head><title>" + title + "</title></head></html>"))});
    all.push_back({"a list in XML", answering(reply_with("<MediaContainer size=\"1\"><Activity uuid=\"u\" title=\"" +
                                                         title + "\"/></MediaContainer>"))});
    all.push_back({"a list as Plex's XML error",
                   answering(reply_with("<Response code=\"1\" title=\"" + title + "\" status=\"" + title + "\"/>"))});
    all.push_back({"a list that is cut", answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + list)});
    all.push_back({"a status of its own", answering("HTTP/1.1 299 Fine\r\nContent-Length: " +
                                                    std::to_string(list.size()) + "\r\n\r\n" + list)});
    all.push_back({"a notification that breaks off", [entry](secret_scene& s) {
                       s.settings.max_message = 100;
                       s.server.notify_raw(R"({"NotificationContainer":{"ActivityNotification":[{"Activity":)" + entry);
                   }});
    std::size_t texts = 0;
    for (fault const& f : all) {
        INFO(f.what);
        secret_scene s;
        f.make(s);
        s.do_everything();
        for (std::string const& text : s.said.texts()) {
            INFO(text);
            CHECK_FALSE(contains(text, "Private Film"));
        }
        texts += s.said.texts().size();
    }
    CHECK(texts > 300);
}
