#!/usr/bin/env python3
"""The token is in nothing that the command prints or writes, nor where other users could read it, whatever it does and
whatever fails: also where the server repeats it."""

import os
import signal
import socket
import tempfile

from command_case import TOKEN, ServerCase, main
from foreign_server import ForeignServer, scan_events

TOKENS = ("--token", "--token=", "--token-file", "PLEX_TOKEN")
COMMANDS = (["list"], ["list", "--json"], ["watch", "--count", "1"], ["watch", "--transport", "eventsource"],
            ["watch", "--transport", "polling"], ["cancel", "7251fc2d"], ["scan", "3"], ["run", "POST", "/x"],
            ["wait"], ["doctor"], ["doctor", "--json"], ["record", "-"])
REFUSALS = (f"<html><title>401 for {TOKEN}</title></html>", f"the headers were: X-Plex-Token: {TOKEN}\r\n" + "x" * 500,
            '{"errors":[{"code":1,"message":"no such token: %s","status":401}]}' % TOKEN,
            f'<Response code="401" title="{TOKEN}" status="{TOKEN}"/>', "x" * 190 + TOKEN)


class Secrets(ServerCase):
    def setUp(self):
        super().setUp()
        self.file = tempfile.NamedTemporaryFile("w")
        self.addCleanup(self.file.close)
        self.file.write(TOKEN + "\n")
        self.file.flush()

    def given(self, how):
        """Arguments and environment that give the token in that way."""
        arguments = {"--token": ["--token", TOKEN], "--token=": ["--token=" + TOKEN],
                     "--token-file": ["--token-file", self.file.name], "PLEX_TOKEN": []}[how]
        return arguments, self.environment(**({"PLEX_TOKEN": TOKEN} if how == "PLEX_TOKEN" else {}))

    def run_at(self, url, command, how="--token"):
        arguments, environment = self.given(how)
        status, out, err = self.run_command("--server", url, *arguments, *command, env=environment)  # looks for it
        self.assertNotIn(TOKEN[:8], out + err)  # nor a part of it, where text was cut
        return status, out, err

    def test_a_refusal_that_repeats_it_is_told_without_it(self):
        for status in (400, 401, 403, 500):
            self.server.refuse_with = status
            for refusal in REFUSALS:
                self.server.refusal = refusal
                for command in COMMANDS if refusal is REFUSALS[status % 5] else COMMANDS[:1]:
                    with self.subTest(status=status, refusal=refusal[:40], command=command):
                        code, out, err = self.run_at(self.server.url, command)
                        self.assertIn(code, (1, 3), err)
                        self.assertNotEqual(out + err, "")

    def test_failures_of_every_kind_are_told_without_it(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            nowhere = "http://127.0.0.1:%d" % silent.getsockname()[1]
        wrong_base = self.server.url + "/nowhere"
        for command in COMMANDS:
            for url in (nowhere, wrong_base, self.server.url.replace("http:", "https:")):
                with self.subTest(command=command, url=url):
                    self.assertNotEqual(self.run_at(url, command)[0], 0)
        self.server.list_is_xml = True
        for command in COMMANDS[:3]:
            self.assertEqual(self.run_at(self.server.url, command)[0], 1)
        self.server.list_is_xml = False
        for arguments in (["run", "GET", "/x?X-Plex-Token=" + TOKEN], ["run", "GET", "/x?t=" + TOKEN],
                          ["run", "GET " + TOKEN, "/x"], ["cancel", TOKEN], ["cancel", "../" + TOKEN],
                          ["list", TOKEN], ["list", "--tokn=" + TOKEN]):
            with self.subTest(arguments):
                self.assert_failed(self.run_at(self.server.url, arguments), 2)
        for url in ("http://h/?X-Plex-Token=" + TOKEN, "http://%s@h/" % TOKEN, "http://h/X-Plex-Token/" + TOKEN):
            self.assert_failed(self.run_at(url, ["list"]), 2)

    def test_a_good_run_tells_nothing_of_it_and_no_url_has_it(self):
        self.server.take_calls()
        for how in TOKENS:
            self.server.activities = {a["uuid"]: a for _, a in list(scan_events())[:1]}
            for command in (["list"], ["list", "--json"], ["watch", "--count", "1"], ["doctor"],
                            ["run", "POST", "/livetv/dvrs/5/reloadGuide", "--type", "provider.epg."],
                            ["record", "-", "--for", "0.2"]):
                with self.subTest(how=how, command=command):
                    status, out, err = self.run_at(self.server.url, command, how)
                    self.assertEqual(status, 0, err)
                    self.assertNotEqual(out, "")
        self.assertGreater(len(self.server.requests), 40)
        for request in self.server.requests:
            self.assertNotIn(TOKEN, request)

    def test_nobody_can_read_it_from_the_arguments_of_any_command(self):
        for command in (*COMMANDS, ["demo", "--serve"]):
            for token in (["--token", TOKEN], ["--token=" + TOKEN]):
                with self.subTest(command=command, token=token), socket.create_server(("127.0.0.1", 0)) as silent:
                    silent.settimeout(60)
                    url = "http://127.0.0.1:%d" % silent.getsockname()[1]
                    serves = command[0] == "demo"
                    process = self.start(*([] if serves else ["--server", url]), *command, *token)
                    if serves:
                        process.stdout.readline()
                        peer = None
                    else:
                        peer = silent.accept()[0]  # by then it has read its arguments; without a reply it stays
                    with open(f"/proc/{process.pid}/cmdline", "rb") as file:
                        arguments = file.read()
                    if peer:
                        peer.close()
                    self.assertIn(command[0].encode(), arguments)
                    self.assertNotIn(TOKEN.encode(), arguments)
                    process.send_signal(signal.SIGINT)
                    self.finish(process)

    def test_a_proxys_password_is_said_nowhere_and_is_not_among_the_arguments(self):
        password = "pA55-of-the-proxy"
        with socket.create_server(("127.0.0.1", 0)) as proxy:
            proxy.settimeout(60)
            url = "http://me:%s@127.0.0.1:%d" % (password, proxy.getsockname()[1])
            for command in COMMANDS:
                for arguments, environment in ((["--proxy", url], {}), (["--proxy=" + url], {}), ([], {"PLEX_PROXY": url})):
                    with self.subTest(command=command, arguments=arguments):
                        process = self.start("--server", self.server.url, *arguments, *command,
                                             env=self.environment(**environment))
                        connection = proxy.accept()[0]
                        asked = connection.recv(4096)
                        self.assertIn(b"CONNECT ", asked)
                        self.assertIn(b"Proxy-Authorization: Basic ", asked)
                        with open(f"/proc/{process.pid}/cmdline", "rb") as file:
                            self.assertNotIn(password.encode(), file.read())
                        connection.sendall(b"HTTP/1.1 407 No, " + password.encode() + b"\r\nContent-Length: 0\r\n\r\n")
                        connection.close()
                        process.send_signal(signal.SIGINT)
                        _, out, err = self.finish(process)
                        self.assertNotIn(password, out + err)

    def test_a_token_file_that_others_can_read_is_not_read(self):
        for mode in (0o640, 0o604, 0o660, 0o644):
            os.chmod(self.file.name, mode)
            self.assert_failed(self.run_at(self.server.url, ["list"], "--token-file"), 2)
        self.assertEqual(self.server.requests, [])
        os.chmod(self.file.name, 0o400)
        self.assertEqual(self.run_at(self.server.url, ["list"], "--token-file")[0], 0)

    def test_it_goes_to_no_other_server(self):
        with ForeignServer() as elsewhere:
            async def redirect():
                return {"Location": elsewhere.url + "/activities"}
            self.server.actions["GET /moved/activities"] = redirect
            self.run_at(self.server.url + "/moved", ["list"])
            self.assertEqual(elsewhere.requests, [])


if __name__ == "__main__":
    main()
