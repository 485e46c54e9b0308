#include "diagnosis.hpp"

#include "net/dial.hpp"
#include "protocol/utf8.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>

#include <openssl/x509_vfy.h>

namespace plex::command {

namespace asio = boost::asio;
using end = net::live_link::end;

namespace {

std::string seconds(duration d)
{
    double const s = std::chrono::duration<double>(d).count();
    std::array<char, 40> text{};
    if (s < 1)
        std::snprintf(text.data(), text.size(), "%.1f ms", s * 1000);
    else
        std::snprintf(text.data(), text.size(), s < 9.95 ? "%.1f s" : "%.0f s", s);
    return text.data();
}

std::string http(int status)
{
    return "HTTP " + std::to_string(status);
}

/// The server's own words, in brackets behind ours.
std::string words_of(error const& e)
{
    diagnostics const& d = e.diagnostics();
    std::string said = d.server_errors().empty() ? d.body_excerpt() : d.server_errors().front().message;
    return said.empty() ? said : " (the server said: " + std::move(said) + ")";
}

std::string host_and_port(protocol::base_url const& url)
{
    if (url.port == 0) // a Unix socket
        return protocol::terminal_safe(url.host);
    bool const v6 = url.host_is_ip && url.host.find(':') != std::string::npos;
    return (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

std::string url_text(protocol::base_url const& url, bool tls)
{
    protocol::base_url other = url;
    other.tls = tls;
    return (tls ? "https://" : "http://") + host_and_port(url) + url.path;
}

constexpr char const* right_port = "Is the port right? A Plex server listens on 32400 unless it was told otherwise.";

/// The name under which a certificate for `*.<id>.plex.direct` holds for an address.
std::string plex_direct_name(protocol::base_url const& url, std::string_view certificate_name)
{
    if (!url.host_is_ip || !certificate_name.starts_with("*.") || !certificate_name.ends_with(".plex.direct"))
        return {};
    std::string name = url.host;
    std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == ':'; }, '-');
    return name.append(certificate_name.substr(1));
}

finding judge_certificate(protocol::base_url const& url, encryption_seen const& seen)
{
    std::string names;
    for (std::string const& name : seen.certificate_names)
        names += (names.empty() ? "" : ", ") + name;
    switch (seen.handshake.value()) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return bad("tls",
                   "the server's certificate has expired" +
                       (seen.certificate_end.empty() ? "" : ", on " + seen.certificate_end),
                   "Renew it. A Plex server renews its own while it can reach plex.tv: restart it.\n"
                   "If that date is still to come, the clock of this machine is wrong.");
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return bad("tls", "the server's certificate is not valid yet",
                   "Is the clock of this machine right? If it is, the certificate was made with a wrong one.");
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: {
        std::string advice = "Use a name that the certificate holds: for Plex's own the server's plex.direct name,\n"
                             "https://192-168-1-2.<id>.plex.direct:32400 for the address 192.168.1.2.";
        for (std::string const& name : seen.certificate_names)
            if (std::string const direct = plex_direct_name(url, name); !direct.empty())
                advice = "Use https://" + direct + ":" + std::to_string(url.port) + url.path + " instead.";
        return bad("tls",
                   "the server's certificate is not made for " + url.host + (names.empty() ? "" : ", but for " + names),
                   advice);
    }
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return bad("tls", "nobody whom this machine trusts has signed the server's certificate",
                   "If it is your own, name its authority's PEM file: --ca-file or SSL_CERT_FILE=…\n"
                   "for this command, config::tls.ca_file in a program. If it is not, somebody else may be answering.");
    default:
        return bad("tls", "the server's certificate is not accepted: " + seen.handshake.message(),
                   "Give the server a certificate that this machine accepts.");
    }
}

finding judge_https(protocol::base_url const& url, encryption_seen const& seen, duration limit)
{
    if (!seen.handshake)
        return good("tls", seen.unverified ? "the handshake is good, the certificate is not looked at (--insecure)"
                                           : "the handshake is good, the certificate is accepted");
    if (std::string_view(seen.handshake.category().name()) == "certificate")
        return judge_certificate(url, seen);
    // A TLS port answers plain HTTP with 400, if at all.
    if (seen.plain_http && *seen.plain_http != 400)
        return bad("tls", "the URL says https, but this port speaks plain HTTP",
                   "Use " + url_text(url, false) +
                       ", or the server's https port.\n"
                       "Over plain HTTP everybody on the way can read the token.");
    if (seen.handshake == asio::error::timed_out)
        return bad("tls", "no answer to the TLS handshake in " + seconds(limit),
                   std::string("Something listens that is no https server. ") + right_port);
    return bad("tls", "the TLS handshake failed: " + seen.handshake.message(),
               std::string("Does the server speak TLS 1.2 or later on this port? ") + right_port);
}

finding judge_http(protocol::base_url const& url, encryption_seen const& seen)
{
    bool const understood = seen.plain_http && *seen.plain_http != 400;
    if (!understood && seen.speaks_tls)
        return bad("tls", "the URL says http, but this port wants https",
                   "Use https, with the name that the server's certificate is made for: " + url_text(url, true) +
                       "\nif it is made for that one.");
    if (seen.plain_http)
        return good("tls", "none, as the URL says: plain HTTP");
    return bad("tls", "what listens on " + host_and_port(url) + " answers neither HTTP nor TLS",
               std::string("Another program has this port. ") + right_port);
}

bool is_xml_list(error const& e)
{
    std::string_view const body = e.diagnostics().body_excerpt();
    return e.code() == errc::malformed_reply && (body.starts_with("<?xml") || body.starts_with("<MediaContainer"));
}

bool is_barred(int status)
{
    return status == 401 || status == 403;
}

finding refused_to_list(error const& e)
{
    std::string const status = http(e.diagnostics().http_status());
    if (e.code() == errc::unauthorized)
        return barred("token", "the server does not accept this token (" + status + ")",
                      "It is mistyped, has expired or belongs to another server. Where to find a good one:\n"
                      "Plex Web, any item's menu, Get Info, View XML: the address ends with X-Plex-Token=…");
    return barred("token", "the token may not list the activities (" + status + ")",
                  "Use the token of the server's owner. If it is the owner's, a proxy in between refuses\n"
                  "the path /activities: let it through.");
}

/// Of a reply that opens no feed, and of its absence, where both transports have the same to say.
std::optional<finding> judge_refusal(std::string const& check, error const& e, std::string const& path)
{
    int const status = e.diagnostics().http_status();
    if (is_barred(status))
        return barred(check, "the token may list the activities, but not listen this way (" + http(status) + ")",
                      "Use the token of the server's owner. If it is the owner's, a proxy in between wants a\n"
                      "login for " +
                          path + ": let it through.");
    if (status / 100 == 3)
        return bad(check, "redirected " + e.diagnostics().body_excerpt() + " (" + http(status) + ")",
                   "Redirects are not followed, as the token would go elsewhere. Exempt " + path +
                       " from it,\n"
                       "or use that server's own URL.");
    if (status == 502 || status == 504)
        return bad(check, "a proxy gets no answer from the server for this (" + http(status) + ")",
                   "Look into the proxy's log: to where does it pass " + path + "?");
    if (status >= 500 && status != 501)
        return bad(check, "the server refuses (" + http(status) + ")" + words_of(e), "Try again later.");
    return std::nullopt;
}

/// Why an open connection brought no sign.
std::string silence(listening_seen const& seen)
{
    switch (seen.ended) {
    case end::closed_by_peer:
        return "was closed by the server" +
               (seen.close_code == 0 ? std::string() : " (code " + std::to_string(seen.close_code) + ")");
    case end::lost:
        return "was lost";
    case end::violation:
    case end::message_too_big:
        return "brought what cannot be read";
    default:
        return "brought nothing";
    }
}

} // namespace

finding judge_reaching(protocol::base_url const& url, error_code ec, duration took, duration limit)
{
    std::string const where = host_and_port(url);
    if (!ec)
        return good("reachable", where + ", connected in " + seconds(took));
    if (ec == asio::error::connection_refused)
        return bad("reachable", "nothing listens on " + where, std::string("Is the server running? ") + right_port);
    if (ec == boost::system::errc::no_such_file_or_directory)
        return bad("reachable", "there is no " + where, "Is the path right, and what makes this socket running?");
    if (ec == asio::error::host_not_found || ec == asio::error::host_not_found_try_again || ec == asio::error::no_data)
        return bad("reachable", "the name " + url.host + " does not resolve",
                   "Is it spelt right? Many routers drop answers for plex.direct names that are local addresses:\n"
                   "exempt plex.direct from their protection against DNS rebinding.");
    if (ec.category() == net::proxy_category())
        return bad("reachable", "the proxy on " + where + " refuses: " + ec.message(),
                   ec.value() == 407 || ec.value() == 401
                       ? "Give --proxy a user and a password that it accepts."
                       : "Does it reach the server, and may it connect to this port?");
    if (ec == asio::error::timed_out)
        return bad("reachable", "no answer from " + where + " in " + seconds(limit),
                   "Is that machine up and its address right? A firewall may drop what is sent to this port.");
    return bad("reachable", where + " cannot be reached: " + ec.message(),
               "Is this machine on a network from which the server can be reached?");
}

finding judge_encryption(protocol::base_url const& url, encryption_seen const& seen, duration limit)
{
    return url.tls ? judge_https(url, seen, limit) : judge_http(url, seen);
}

finding judge_token(bool token_given, error const* failure)
{
    if (!failure || is_xml_list(*failure))
        return good("token", token_given ? "accepted" : "none given, and none needed");
    if (failure->code() == errc::unauthorized && !token_given)
        return barred("token", "the server wants a token, and none is given",
                      "Give one: --token-file FILE, or PLEX_TOKEN in the environment. Where to find it:\n"
                      "Plex Web, any item's menu, Get Info, View XML: the address ends with X-Plex-Token=…");
    if (failure->code() == errc::unauthorized || failure->code() == errc::forbidden)
        return refused_to_list(*failure);
    finding f = not_tried("token");
    f.text = "not known, as the list failed";
    return f;
}

finding judge_list(protocol::base_url const& url, error const* failure, std::span<activity const> running)
{
    if (!failure) {
        if (running.empty())
            return good("list", "nothing runs now; a token that is not the owner's sees its own activities alone");
        std::map<std::string, std::size_t> types;
        for (activity const& a : running)
            ++types[std::string(a.type())];
        std::string text;
        for (auto const& [type, count] : types)
            text += (text.empty() ? "" : ", ") + type + (count == 1 ? "" : " ×" + std::to_string(count));
        return good("list", std::to_string(running.size()) + (running.size() == 1 ? " runs: " : " run: ") + text);
    }
    error const& e = *failure;
    int const status = e.diagnostics().http_status();
    if (is_barred(status))
        return not_tried("list");
    if (is_xml_list(e))
        return bad("list", "the server answers in XML, though JSON was asked for",
                   "A proxy in between drops or changes the header Accept: let it pass on application/json.");
    if (e.code() == errc::malformed_reply && status / 100 == 2)
        return bad("list", "what answers is no Plex server, or not it alone: its reply is no list" + words_of(e),
                   std::string(right_port) + "\nBehind a proxy the URL needs the proxy's path, and a login page must "
                                             "not stand before it.");
    if (status == 404)
        return bad("list", "what answers knows no activities at this URL (" + http(status) + ")",
                   std::string(right_port) + "\nBehind a proxy the URL needs the proxy's path, as in "
                                             "https://host/plex.");
    if (status / 100 == 3)
        return bad("list", "redirected " + e.diagnostics().body_excerpt() + " (" + http(status) + ")",
                   "Redirects are not followed, as the token would go elsewhere: if you know that place, make it\n"
                   "the URL.");
    if (status == 502 || status == 504)
        return bad("list", "a proxy answers, but gets no answer from the server (" + http(status) + ")",
                   "Is the server running, and does the proxy look for it in the right place?");
    if (status == 503)
        return bad("list", "the server is not ready (" + http(status) + ")" + words_of(e),
                   "It is starting, or busy with its database: try again in some minutes.");
    if (status != 0)
        return bad("list", "the server refuses (" + http(status) + ")" + words_of(e),
                   "Look into the log of the server, or of the proxy before it.");
    if (e.code() == errc::timeout)
        return bad("list", "the server takes the request and does not answer it",
                   "It is overloaded or hangs: look at its machine, restart it.");
    std::string const why = e.diagnostics().cause() ? ": " + e.diagnostics().cause().message() : std::string();
    return bad("list", "no reply that makes sense to " + url_text(url, url.tls) + "/activities" + why, right_port);
}

bool is_worth_listening(error const* failure_of_list)
{
    return !failure_of_list || is_xml_list(*failure_of_list);
}

finding judge_websocket(listening_seen const& seen)
{
    if (!seen.refusal)
        return good("websocket", "open after " + seconds(seen.opened_after));
    error const& e = *seen.refusal;
    int const status = e.diagnostics().http_status();
    if (std::optional<finding> known = judge_refusal("websocket", e, "/:/websockets/"))
        return std::move(*known);
    std::string const advice = "A proxy in between does not pass WebSockets on. For nginx: proxy_http_version 1.1;\n"
                               "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";";
    if (status != 0)
        return bad("websocket", "the upgrade to a WebSocket was refused (" + http(status) + ")", advice);
    if (e.code() == errc::timeout)
        return bad("websocket", "no answer to the upgrade, though the list is answered", advice);
    if (e.code() == errc::malformed_reply)
        return bad("websocket", "the answer to the upgrade is not a WebSocket's", advice);
    return bad("websocket", "the connection was lost during the upgrade", advice);
}

finding judge_ping(listening_seen const& seen)
{
    if (seen.refusal)
        return not_tried("ping");
    if (seen.sign_after)
        return good("ping", "answered after " + seconds(*seen.sign_after));
    if (seen.ended == end::silent)
        return bad("ping", "the WebSocket is open, but a ping is not answered in " + seconds(seen.waited),
                   "What answers it is not alive: a client will reconnect for ever. Restart the server, or look\n"
                   "at what stands between: it must pass WebSocket frames both ways.");
    return bad("ping", "the WebSocket " + silence(seen) + " before a ping was answered",
               "Look into the log of the server, or of the proxy before it: its time limits, its protocol.");
}

finding judge_event_stream(listening_seen const& seen)
{
    if (seen.sign_after)
        return good("eventsource", "open after " + seconds(seen.opened_after) + ", first sign of life after " +
                                       seconds(*seen.sign_after));
    std::string const unbuffered = "For nginx: proxy_buffering off; for others, what makes them pass streams on at "
                                   "once.\nA client does without EventSource while its WebSocket works.";
    if (!seen.refusal) {
        if (seen.ended == end::silent)
            return bad("eventsource",
                       "open, but without a sign of life in " + seconds(seen.waited) +
                           ": no ping event, which is due each 10 to 15 s",
                       "The server does not send them, or a proxy in between keeps them back.\n" + unbuffered);
        return bad("eventsource", "the stream " + silence(seen) + " before it brought anything",
                   "Look into the log of the server, or of the proxy before it: its time limits.\n" + unbuffered);
    }
    error const& e = *seen.refusal;
    int const status = e.diagnostics().http_status();
    if (std::optional<finding> known = judge_refusal("eventsource", e, "/:/eventsource/"))
        return std::move(*known);
    if (e.code() == errc::timeout)
        return bad("eventsource",
                   "a proxy buffers the stream: not even its head came in " + seconds(seen.waited) +
                       ", though the list is answered",
                   unbuffered);
    if (status / 100 == 2)
        return bad("eventsource", "the reply is no event stream (" + http(status) + ")",
                   "Something in between answers in the server's place: let it pass /:/eventsource/ on.");
    if (status != 0)
        return bad("eventsource", "the event stream was refused (" + http(status) + ")",
                   "A proxy in between blocks /:/eventsource/ (many rules for logs do): let it through.\n"
                   "A client does without EventSource while its WebSocket works.");
    return bad("eventsource", "the connection was lost before the stream began", unbuffered);
}

finding judge_feed(finding const& ping, finding const& event_stream, finding const& list)
{
    if (list.good == false && (ping.good == true || event_stream.good == true))
        return bad("feed", "events arrive, but what runs cannot be known: a client never becomes ready",
                   "Mend what the list needs.");
    if (ping.good == true)
        return good("feed", "a client listens over WebSocket");
    if (event_stream.good == true)
        return good("feed", "a client listens over EventSource");
    if (list.good == true)
        return good("feed", "a client asks for the list every few seconds: what is short may not be seen");
    return not_tried("feed");
}

} // namespace plex::command
