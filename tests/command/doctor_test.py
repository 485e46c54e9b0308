#!/usr/bin/env python3
"""`doctor` names what is wrong: each fault as it really is, against nginx, OpenSSL's certificates and a server that
shares no code with this project."""

import contextlib
import logging
import signal

from command_case import LIMIT, TOKEN, CommandCase, ServerCase, main
from foreign_server import ForeignServer
from stand_ins import TUNED, UNBUFFERED, Certificate, ClosedPort, Nginx, Port

CHECKS = ["reachable", "tls", "token", "list", "websocket", "ping", "eventsource", "feed"]
KEYS = ["check", "ok", "text", "advice"]
WAITING = "plex-activities: waiting up to 20 s for a sign of life from the event stream\n"


class DoctorCase(ServerCase):
    def examine(self, url, *arguments, token=TOKEN, status=1, **environment):
        """What it has found, by check; the exit status is this one."""
        given = ["--token", token] if token else []
        code, out, err = self.run_command("doctor", "--json", "--server", url, *given, *arguments,
                                          env=self.environment(**environment))
        self.assertEqual((code, err), (status, ""), out)
        found = self.json_lines(out, KEYS)
        self.assertEqual([f["check"] for f in found], CHECKS)
        for f in found:
            self.assertEqual(f["advice"] != "", f["ok"] is False, f)
        return {f["check"]: f for f in found}

    def assert_fault(self, found, check, text, advice):
        """This check alone has failed, with this text and this advice. Those before it are good."""
        self.assertEqual([c for c in CHECKS if found[c]["ok"] is False], [check], found)
        self.assertRegex(found[check]["text"], text)
        self.assertRegex(found[check]["advice"], advice)
        for before in CHECKS[:CHECKS.index(check)]:
            self.assertIs(found[before]["ok"], True, found[before])

    def assert_unread_list(self, found):
        """The list is in XML, so that a feed, however good, is of no use."""
        self.assertEqual([c for c in CHECKS if found[c]["ok"] is False], ["list", "feed"], found)
        self.assertRegex(found["list"]["text"], "answers in XML, though JSON was asked for")
        self.assertRegex(found["list"]["advice"], "header Accept")
        self.assertRegex(found["feed"]["text"], "what runs cannot be known")

    def assert_not_tried_after(self, found, check):
        for after in CHECKS[CHECKS.index(check) + 1:]:
            self.assertIsNone(found[after]["ok"], found[after])

    def with_(self, manager):
        self.enterContextForTest(manager)
        return manager

    @contextlib.contextmanager
    def quiet_aiohttp(self):
        """It prints a backtrace for what is no HTTP."""
        logger = logging.getLogger("aiohttp.server")
        logger.disabled = True
        try:
            yield
        finally:
            logger.disabled = False

    def serve(self, certificate=None):
        server = ForeignServer(TOKEN, tls=certificate.for_server()) if certificate else ForeignServer(TOKEN)
        return self.with_(server)


class Healthy(DoctorCase):
    def test_a_good_server_passes_every_check(self):
        found = self.examine(self.server.url, status=0)
        self.assertEqual({f["ok"] for f in found.values()}, {True})
        self.assertRegex(found["ping"]["text"], r"^answered after \d+\.\d ms$")
        self.assertRegex(found["eventsource"]["text"], r"first sign of life after \d+\.\d ms$")
        self.assertEqual(found["feed"]["text"], "a client listens over WebSocket")
        self.assertIn("nothing runs now", found["list"]["text"])
        self.assertEqual(self.server.closed_with.get(timeout=60), 1000)

    def test_a_good_server_passes_over_tls_and_through_nginx(self):
        certificate = self.with_(Certificate("IP:127.0.0.1"))
        inner = self.with_(Nginx(self.server.url, TUNED + UNBUFFERED, certificate))
        for url in (self.serve(certificate).url, inner.url):
            with self.subTest(url):
                found = self.examine(url, status=0, SSL_CERT_FILE=certificate.pem)
                self.assertEqual({f["ok"] for f in found.values()}, {True})
                self.assertIn("certificate is accepted", found["tls"]["text"])

    def test_reaches_a_name_by_an_address_and_trusts_a_file_or_blindly(self):
        certificate = self.with_(Certificate("DNS:plex.example"))
        port = self.serve(certificate).url.rpartition(":")[2]
        for how, text in ((("--ca-file", certificate.pem), "certificate is accepted"), (("--insecure",), "not looked at")):
            with self.subTest(how[0]):
                found = self.examine(f"https://plex.example:{port}", "--connect-to", "127.0.0.1", *how, status=0)
                self.assertIn(f"127.0.0.1:{port}", found["reachable"]["text"])
                self.assertIn(text, found["tls"]["text"])

    def test_tells_what_runs(self):
        for uuid, kind in (("a", "butler"), ("b", "media.download"), ("c", "media.download")):
            self.server.activities[uuid] = {"uuid": uuid, "type": kind, "title": "T"}
        found = self.examine(self.server.url, status=0)
        self.assertEqual(found["list"]["text"], "3 run: butler, media.download ×2")

    def test_people_get_a_line_for_each_check(self):
        status, out, err = self.run_command(*self.at_server("doctor"))
        self.assertEqual((status, err), (0, WAITING))
        lines = out.splitlines()
        self.assertEqual([line.split()[:2] for line in lines], [[check, "ok"] for check in CHECKS])

    def test_people_get_the_advice_below_the_fault(self):
        self.server.token = "another"
        status, out, err = self.run_command(*self.at_server("doctor"))
        self.assertEqual((status, err), (3, ""))
        lines = out.splitlines()
        self.assertRegex(lines[2], r"^token +FAILED  the server does not accept this token \(HTTP 401\)$")
        self.assertRegex(lines[3], r"^    It is mistyped, has expired or belongs to another server\.")
        self.assertRegex(lines[4], r"^    Plex Web")
        self.assertRegex(lines[5], r"^list +-  ")

    def test_the_token_goes_only_where_it_must(self):
        self.examine(self.server.url, status=0)
        self.assertEqual(self.server.requests[0], "GET /identity")  # before anything is known of who answers
        self.assertEqual(self.server.got_token[0], "/activities")
        self.assertEqual(len(self.server.got_token), 3)
        for request in self.server.requests:
            self.assertNotIn(TOKEN, request)

    def test_a_signal_ends_it(self):
        self.server.ping_every = None
        process = self.start(*self.at_server("doctor"))
        for _ in CHECKS[:6]:
            process.stdout.readline()
        process.send_signal(signal.SIGINT)
        status, out, _ = self.finish(process)
        self.assertEqual((status, out), (130, ""))


    def test_a_signal_ends_it_while_it_waits_for_the_list_or_for_a_feed_to_open(self):
        for path, lines in (("/activities", 2), ("/:/eventsource/notifications", 6)):
            with self.subTest(path):
                self.server.never_answers = path
                process = self.start(*self.at_server("doctor"))
                for _ in range(lines):
                    process.stdout.readline()
                self.server.unanswered.get(timeout=LIMIT)
                process.send_signal(signal.SIGINT)
                status, out, err = self.finish(process)
                self.assertEqual((status, out), (130, ""), err)


class WrongAddress(DoctorCase):
    def test_a_unix_socket_that_is_not_there(self):
        found = self.examine("http://plex.example", "--unix-socket", "/nowhere/plex.sock")
        self.assert_fault(found, "reachable", "^there is no /nowhere/plex.sock$", "Is the path right")

    def test_a_port_where_nothing_listens(self):
        found = self.examine(self.with_(ClosedPort()).url)
        self.assert_fault(found, "reachable", r"^nothing listens on 127\.0\.0\.1:\d+$", "Is the port right.*32400")
        self.assert_not_tried_after(found, "reachable")

    def test_a_port_of_another_program(self):
        found = self.examine(self.with_(Port(b"SSH-2.0-OpenSSH_9.2\r\n")).url)
        self.assert_fault(found, "tls", "answers neither HTTP nor TLS", "Another program has this port.*32400")
        self.assert_not_tried_after(found, "tls")

    def test_a_port_that_never_answers(self):
        port = self.with_(Port())
        found = self.examine("https" + port.url[4:])
        self.assert_fault(found, "tls", "no answer to the TLS handshake in 5.0 s", "no https server.*32400")

    def test_a_port_of_another_web_server(self):
        self.server.refuse_path["/activities"] = 404
        found = self.examine(self.server.url)
        self.assertIsNone(found["token"]["ok"])
        self.assertIs(found["list"]["ok"], False)
        self.assertRegex(found["list"]["text"], r"knows no activities at this URL \(HTTP 404\)")
        self.assertRegex(found["list"]["advice"], "32400.*proxy's path")
        self.assert_not_tried_after(found, "list")

    def test_a_name_that_does_not_resolve(self):
        found = self.examine("http://no-such-host.invalid:32400")
        self.assert_fault(found, "reachable", "no-such-host.invalid does not resolve", "plex.direct.*rebinding")

    def test_http_to_a_tls_port(self):
        certificate = self.with_(Certificate("IP:127.0.0.1"))
        nginx = self.with_(Nginx(self.server.url, certificate=certificate))  # answers 400
        for url in (self.serve(certificate).url, nginx.url):
            with self.subTest(url):
                found = self.examine("http" + url[5:])
                self.assert_fault(found, "tls", "^the URL says http, but this port wants https$", "Use https.*" + url)
                self.assert_not_tried_after(found, "tls")

    def test_https_to_a_plain_port(self):
        for url in (self.server.url, self.with_(Nginx(self.server.url)).url):
            with self.subTest(url):
                with self.quiet_aiohttp():
                    found = self.examine("https" + url[4:])
                self.assert_fault(found, "tls", "^the URL says https, but this port speaks plain HTTP$",
                                  f"Use {url}, .*read the token")
                self.assert_not_tried_after(found, "tls")
        self.assertEqual(self.server.got_token, [])

    def test_an_impossible_url_is_a_usage_error(self):
        self.assert_failed(self.run_command("doctor", "--server", "ftp://host"), 2)


class Certificates(DoctorCase):
    def examine_https(self, certificate, trusted=True):
        server = self.serve(certificate)
        found = self.examine(server.url, SSL_CERT_FILE=certificate.pem if trusted else "/dev/null")
        self.assert_not_tried_after(found, "tls")
        self.assertEqual(server.requests, [])
        return found, server.url

    def test_an_expired_one(self):
        found, _ = self.examine_https(self.with_(Certificate("IP:127.0.0.1", end=2024)))
        self.assert_fault(found, "tls", "^the server's certificate has expired, on 2024-01-02$", "Renew it.*clock")

    def test_one_that_is_not_valid_yet(self):
        found, _ = self.examine_https(self.with_(Certificate("IP:127.0.0.1", begin=2110)))
        self.assert_fault(found, "tls", "not valid yet", "clock of this machine")

    def test_one_for_another_host(self):
        found, _ = self.examine_https(self.with_(Certificate("DNS:plex.example,DNS:www.plex.example")))
        self.assert_fault(found, "tls", "not made for 127.0.0.1, but for plex.example, www.plex.example$",
                          "Use a name that the certificate holds")

    def test_plexs_own_at_an_address_tells_the_name_to_use(self):
        found, url = self.examine_https(self.with_(Certificate("DNS:*.0123456789abcdef.plex.direct")))
        port = url.rpartition(":")[2]
        self.assert_fault(found, "tls", "not made for 127.0.0.1",
                          rf"^Use https://127-0-0-1\.0123456789abcdef\.plex\.direct:{port} instead\.$")

    def test_one_of_an_unknown_authority(self):
        found, _ = self.examine_https(self.with_(Certificate("IP:127.0.0.1")), trusted=False)
        self.assert_fault(found, "tls", "nobody whom this machine trusts", "SSL_CERT_FILE")


class Rights(DoctorCase):
    def test_a_token_that_the_server_does_not_accept(self):
        found = self.examine(self.server.url, token="another", status=3)
        self.assert_fault(found, "token", r"does not accept this token \(HTTP 401\)", "has expired")
        self.assert_not_tried_after(found, "token")

    def test_no_token(self):
        found = self.examine(self.server.url, token=None, status=3)
        self.assert_fault(found, "token", "wants a token, and none is given", "PLEX_TOKEN")

    def test_a_token_that_may_not_list(self):
        self.server.refuse_path["/activities"] = 403
        found = self.examine(self.server.url, status=3)
        self.assert_fault(found, "token", r"may not list the activities \(HTTP 403\)", "server's owner")
        self.assert_not_tried_after(found, "token")

    def test_a_token_that_may_list_but_not_use_one_transport(self):
        for check, path in (("websocket", "/:/websockets/notifications"),
                            ("eventsource", "/:/eventsource/notifications")):
            for status in (401, 403):
                with self.subTest(check=check, status=status):
                    self.server.refuse_path = {path: status}
                    found = self.examine(self.server.url, status=3)
                    expected = rf"may list the activities, but not listen this way \(HTTP {status}\)"
                    self.assert_fault(found, check, expected, "server's owner.*" + path[:14])
                    other = "EventSource" if check == "websocket" else "WebSocket"
                    self.assertEqual(found["feed"]["text"], "a client listens over " + other)

    def test_a_token_that_may_only_list(self):
        self.server.refuse_path = {"/:/websockets/notifications": 401, "/:/eventsource/notifications": 401}
        found = self.examine(self.server.url, status=3)
        self.assertEqual([c for c in CHECKS if found[c]["ok"] is False], ["websocket", "eventsource"])
        self.assertIn("asks for the list every few seconds", found["feed"]["text"])

    def test_rights_and_something_else_are_not_a_matter_of_rights_alone(self):
        self.server.refuse_path = {"/:/websockets/notifications": 401, "/:/eventsource/notifications": 404}
        self.examine(self.server.url, status=1)


class Between(DoctorCase):
    def test_a_proxy_that_passes_no_upgrade(self):
        found = self.examine(self.with_(Nginx(self.server.url, UNBUFFERED)).url)
        self.assert_fault(found, "websocket", r"^the upgrade to a WebSocket was refused \(HTTP 400\)$",
                          r"proxy_http_version 1\.1; proxy_set_header Upgrade \$http_upgrade")
        self.assertIsNone(found["ping"]["ok"])
        self.assertEqual(found["feed"]["text"], "a client listens over EventSource")

    def test_a_proxy_that_buffers_the_event_stream(self):
        self.server.ping_every = 10
        nginx = self.with_(Nginx(self.server.url, locations={"/:/websockets/": TUNED}))
        found = self.examine(nginx.url)
        self.assert_fault(found, "eventsource", "^a proxy buffers the stream: not even its head came in 20 s",
                          "proxy_buffering off")
        self.assertEqual(found["feed"]["text"], "a client listens over WebSocket")

    def test_a_proxy_whose_server_is_gone(self):
        found = self.examine(self.with_(Nginx(self.with_(ClosedPort()).url)).url)
        self.assertRegex(found["list"]["text"], r"a proxy answers, but gets no answer from the server \(HTTP 502\)")
        self.assertRegex(found["list"]["advice"], "Is the server running")
        self.assert_not_tried_after(found, "list")

    def test_a_proxy_that_asks_for_json_no_more(self):
        found = self.examine(self.with_(Nginx(self.server.url, TUNED + UNBUFFERED +
                                              "proxy_set_header Accept application/xml;")).url)
        self.assert_unread_list(found)

    def test_a_path_that_a_proxy_blocks(self):
        nginx = self.with_(Nginx(self.server.url, TUNED, locations={"/:/eventsource/": "return 404;"}))
        found = self.examine(nginx.url)
        self.assert_fault(found, "eventsource", r"^the event stream was refused \(HTTP 404\)$", "blocks /:/eventsource/")

    def test_a_redirect(self):
        there = "https://elsewhere.example/activities"
        nginx = self.with_(Nginx(self.server.url, TUNED, locations={"/activities": f"return 301 {there};"}))
        found = self.examine(nginx.url)
        self.assertRegex(found["list"]["text"], rf"^redirected to {there} \(HTTP 301\)$")
        self.assertRegex(found["list"]["advice"], "not followed")


class StrangeServers(DoctorCase):
    def test_a_list_in_xml(self):
        self.server.list_is_xml = True
        found = self.examine(self.server.url)
        self.assert_unread_list(found)

    def test_a_websocket_that_answers_no_pings(self):
        self.server.answers_pings = False
        found = self.examine(self.server.url)
        self.assert_fault(found, "ping", "^the WebSocket is open, but a ping is not answered in 5.0 s$",
                          "both ways")
        self.assertEqual(found["feed"]["text"], "a client listens over EventSource")

    def test_an_event_stream_without_pings(self):
        self.server.ping_every = None
        found = self.examine(self.server.url)
        self.assert_fault(found, "eventsource", "^open, but without a sign of life in 20 s: no ping event",
                          "does not send them, or a proxy.*proxy_buffering off")

    def test_a_server_that_closes_what_it_opened(self):
        self.server.ends_feeds = True
        found = self.examine(self.server.url)
        self.assertRegex(found["ping"]["text"], r"was closed by the server \(code 1008\) before a ping was answered")
        self.assertRegex(found["eventsource"]["text"], "was closed by the server before it brought anything")
        self.assertIn("asks for the list", found["feed"]["text"])

    def test_a_server_that_is_starting(self):
        self.server.refuse_path["/activities"] = 503
        self.server.refusal = '<Response code="503" title="Maintenance" status="Migrations\x1b[31m run."/>'
        found = self.examine(self.server.url)
        self.assertRegex(found["list"]["text"], r"^the server is not ready \(HTTP 503\) \(the server said: Maintenance:")
        self.assertNotIn("\x1b", found["list"]["text"])
        self.assertRegex(found["list"]["advice"], "starting.*try again")


if __name__ == "__main__":
    main()
