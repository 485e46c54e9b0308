#!/usr/bin/env python3
"""`list` and `cancel`, and how failures come out."""

import os
import signal
import socket
import tempfile

from command_case import LIMIT, LIST_KEYS, TOKEN, CommandCase, ServerCase, main

REFRESH = {"uuid": "c30c1edc-8df0-4713-a7f1-f1373f6db8e9", "type": "library.refresh.items", "cancellable": True,
           "userID": 1, "title": "Refreshing", "subtitle": "Checking files", "progress": 33,
           "Context": {"key": "/library/metadata/513", "librarySectionID": 3}, "Response": {"a": [1, "x"]}}
CREDITS = {"uuid": "00000000-0000-4000-8000-000000000003", "type": "media.generate.credits", "cancellable": False,
           "title": "\x1b[31mDetecting\u202e Credits\n", "subtitle": "日本 S01 E21", "progress": -1}


class List(ServerCase):
    def setUp(self):
        super().setUp()
        self.server.activities = {a["uuid"]: a for a in (REFRESH, CREDITS)}

    def uuids(self, *arguments):
        out = self.assert_done(self.run_command(*self.at_server("list", "--json", *arguments)))
        return [a["uuid"] for a in self.json_lines(out, LIST_KEYS)]

    def test_prints_an_object_for_each_activity_in_the_servers_order(self):
        for arguments in (self.at_server("list", "--json"), self.at_server("--json", "list")):
            out = self.assert_done(self.run_command(*arguments))
            self.assertEqual(self.json_lines(out, LIST_KEYS), [
                {"uuid": REFRESH["uuid"], "type": "library.refresh.items", "title": "Refreshing",
                 "subtitle": "Checking files", "progress": 33, "cancellable": True, "user_id": 1,
                 "context": {"key": "/library/metadata/513", "librarySectionID": 3}, "response": {"a": [1, "x"]}},
                {"uuid": CREDITS["uuid"], "type": "media.generate.credits", "title": CREDITS["title"],
                 "subtitle": "日本 S01 E21", "progress": None, "cancellable": False, "user_id": None,
                 "context": None, "response": None}])
            self.assertNotIn("\u202e", out)
            self.assertNotIn("\x1b", out)

    def test_a_list_that_nobody_can_write_down_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            process = self.start(*self.at_server("list"), stdout=full)
        err = process.stderr.read().decode()
        self.assertEqual((process.wait(LIMIT), err), (1, "plex-activities: cannot write to the standard output\n"))

    def test_prints_a_table_for_people(self):
        lines = self.assert_done(self.run_command(*self.at_server("list"))).splitlines()
        self.assertEqual(len(lines), 3)
        column = lines[0].index("TYPE")
        self.assertEqual([line[column:].split()[0] for line in lines],
                         ["TYPE", "library.refresh.items", "media.generate.credits"])
        self.assertTrue(lines[1].endswith("Refreshing · Checking files"), lines[1])
        self.assertTrue(lines[2].endswith("[31mDetecting Credits  · 日本 S01 E21"), lines[2])

    def test_says_so_when_nothing_runs(self):
        self.server.activities = {}
        self.assertEqual(self.assert_done(self.run_command(*self.at_server("list"))), "nothing is running\n")
        self.assertEqual(self.uuids(), [])

    def test_shows_only_what_the_filter_matches(self):
        self.assertEqual(self.uuids("--type", "media.generate.credits"), [CREDITS["uuid"]])
        self.assertEqual(self.uuids("--type", "library."), [REFRESH["uuid"]])
        self.assertEqual(self.uuids("--type", "library"), [])
        self.assertEqual(self.uuids("--type", "library.", "--type", "media."), [REFRESH["uuid"], CREDITS["uuid"]])
        self.assertEqual(self.uuids("--match", "librarySectionID=3"), [REFRESH["uuid"]])
        self.assertEqual(self.uuids("--match", "librarySectionID=4"), [])

    def test_takes_server_and_token_from_the_environment(self):
        environment = self.environment(PLEX_URL=self.server.url, PLEX_TOKEN=TOKEN)
        self.assertIn(REFRESH["uuid"], self.assert_done(self.run_command("list", env=environment)))

    def test_takes_the_token_from_a_private_file(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(TOKEN + "\n")
            file.flush()
            arguments = ("list", "--server", self.server.url, "--token-file", file.name)
            self.assertIn(REFRESH["uuid"], self.assert_done(self.run_command(*arguments)))
            os.chmod(file.name, 0o640)
            self.server.requests.clear()
            self.assert_failed(self.run_command(*arguments), 2)
            self.assertEqual(self.server.requests, [])


class Cancel(ServerCase):
    def setUp(self):
        super().setUp()
        self.server.activities = {a["uuid"]: a for a in (REFRESH, CREDITS)}

    def test_cancels_the_activity(self):
        out = self.assert_done(self.run_command(*self.at_server("cancel", REFRESH["uuid"])))
        self.assertEqual(self.server.requests, ["DELETE /activities/" + REFRESH["uuid"]])
        self.assertNotIn(REFRESH["uuid"], self.server.activities)
        self.assertIn(REFRESH["uuid"], out)

    def test_fails_where_there_is_nothing_to_cancel(self):
        self.assert_failed(self.run_command(*self.at_server("cancel", "no-such-uuid")), 1)
        self.assert_failed(self.run_command(*self.at_server("cancel", CREDITS["uuid"])), 1)
        self.assertEqual(len(self.server.activities), 2)


class Failures(ServerCase):
    COMMANDS = (["list"], ["list", "--json"], ["cancel", "c30c1edc"], ["watch"], ["watch", "--for", "30"])

    def test_a_token_that_is_refused_gives_3(self):
        for command in self.COMMANDS:
            with self.subTest(command):
                self.assert_failed(self.run_command("--server", self.server.url, "--token", "wrong", *command), 3)
                self.assert_failed(self.run_command("--server", self.server.url, *command), 3)

    def test_an_owner_who_may_not_gives_3(self):
        self.server.refuse_with = 403
        for command in self.COMMANDS:
            with self.subTest(command):
                self.assert_failed(self.run_command(*self.at_server(*command)), 3)

    def test_a_server_that_fails_gives_1(self):
        self.server.refuse_with = 500
        for command in self.COMMANDS:
            with self.subTest(command):
                self.assert_failed(self.run_command(*self.at_server(*command)), 1)

    def test_a_server_that_is_not_there_gives_1(self):
        with socket.socket() as unused:  # bound, so that nobody else listens there, but not listening
            unused.bind(("127.0.0.1", 0))
            url = "http://127.0.0.1:%d" % unused.getsockname()[1]
            for command in self.COMMANDS:
                with self.subTest(command):
                    self.assert_failed(self.run_command("--server", url, "--token", TOKEN, *command), 1)

    def test_tls_that_cannot_be_gives_1(self):
        for command in self.COMMANDS:
            with self.subTest(command):
                url = self.server.url.replace("http:", "https:")
                self.assert_failed(self.run_command("--server", url, "--token", TOKEN, *command), 1)

    def test_a_url_that_cannot_be_used_gives_2_and_is_not_repeated_with_its_secrets(self):
        for url in ("localhost:32400", "ftp://localhost/", "http://", "http://host:99999/", "http://u:%s@host/" % TOKEN,
                    "http://host/?X-Plex-Token=" + TOKEN, "http://host/#" + TOKEN):
            with self.subTest(url):
                self.assert_failed(self.run_command("--server", url, "list"), 2)

    def test_a_token_that_cannot_be_sent_gives_2(self):
        self.assert_failed(self.run_command("--server", self.server.url, "--token", TOKEN + "\r\nX: y", "list"), 2)

    def test_arguments_that_make_no_sense_give_2(self):
        for arguments in ([], ["list", "--bogus"], ["watch", "--count", "0"], ["cancel"], ["list", TOKEN],
                          ["--tokn", TOKEN, "list"]):
            with self.subTest(arguments):
                self.assert_failed(self.run_command("--server", self.server.url, *arguments), 2)
        self.assert_failed(self.run_command("list"), 2)

    def test_a_server_that_never_answers_gives_4_and_watching_for_a_time_does_not_hide_it(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = "http://127.0.0.1:%d" % silent.getsockname()[1]
            result = self.run_command("--server", url, "--token", TOKEN, "watch", "--for", "0.1")
            self.assert_failed(result, 4)

    def test_a_signal_gives_130_while_a_call_waits_for_its_reply(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), socket.create_server(("127.0.0.1", 0)) as silent:
                url = "http://127.0.0.1:%d" % silent.getsockname()[1]
                process = self.start("--server", url, "--token", TOKEN, "list")
                connection, _ = silent.accept()
                with connection:
                    self.assertIn(b"GET /activities", connection.recv(65536))
                    process.send_signal(number)
                    self.assertEqual(self.finish(process), (130, "", ""))


class Help(CommandCase):
    def test_help_is_printed_and_is_no_failure(self):
        for arguments in (["--help"], ["watch", "--help"]):
            self.assertIn("Usage: plex-activities", self.assert_done(self.run_command(*arguments)))

    def test_the_version_is_printed_and_is_no_failure(self):
        self.assertRegex(self.assert_done(self.run_command("--version")), r"^\d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    main()
