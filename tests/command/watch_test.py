#!/usr/bin/env python3
"""`watch` where it prints JSON lines."""

import re
import signal
import time

from command_case import EVENT_KEYS, LIMIT, TOKEN, ServerCase, main

EPG = {"uuid": "d6199ba1", "type": "provider.epg.load", "cancellable": False, "progress": 7, "userID": 1,
       "title": "Refreshing EPG", "subtitle": "Downloaded 173 airings"}


class Watch(ServerCase):
    def first_line(self, process):
        line = process.stdout.readline().decode()
        return self.json_lines(line, EVENT_KEYS)[0]

    def test_tells_a_scan_from_its_start_to_its_end(self):
        self.server.scan_on_list = True
        out = self.assert_done(self.run_command(*self.at_server("watch", "--count", "42")))
        events = self.json_lines(out, EVENT_KEYS)
        self.assertEqual([e["kind"] for e in events], ["started"] + 40 * ["updated"] + ["ended"])
        self.assertEqual({e["uuid"] for e in events}, {"7251fc2d"})
        self.assertEqual([e["subtitle"] for e in events[1:-1]], ["Film %03d (1984)" % i for i in range(40)])
        self.assertEqual(events[0]["context"], None)
        self.assertEqual(events[-1]["context"], {"librarySectionID": "3"})
        self.assertEqual(events[-1]["progress"], 100)
        self.assertEqual({e["inferred"] for e in events}, {False})
        for e in events:
            for key in ("at", "started_at"):
                self.assertTrue(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", e[key]), e[key])
            self.assertEqual(e["started_at"], events[0]["at"])

    def test_tells_first_what_ran_before(self):
        self.server.activities["d6199ba1"] = EPG
        out = self.assert_done(self.run_command(*self.at_server("watch", "--count", "1", "--json")))
        (event,) = self.json_lines(out, EVENT_KEYS)
        self.assertEqual((event["kind"], event["inferred"], event["uuid"], event["started_at"]),
                         ("started", True, "d6199ba1", None))

    def test_prints_each_event_at_once(self):
        process = self.start(*self.at_server("watch"))
        self.server.activities["d6199ba1"] = EPG
        self.assertEqual(self.first_line(process)["kind"], "started")
        for progress in (8, 9):
            self.server.call(self.server.tell("updated", dict(EPG, progress=progress)))
            self.assertEqual(self.first_line(process)["progress"], progress)
        self.assertEqual(process.poll(), None)

    def test_ends_after_so_many_seconds(self):
        before = time.monotonic()
        self.assertEqual(self.assert_done(self.run_command(*self.at_server("watch", "--for", "0.5"))), "")
        self.assertGreaterEqual(time.monotonic() - before, 0.5)
        self.assertEqual(self.server.closed_with.get(timeout=LIMIT), 1000)

    def test_tells_only_what_the_filter_matches(self):
        self.server.activities["d6199ba1"] = EPG
        self.server.scan_on_list = True
        out = self.assert_done(self.run_command(*self.at_server("watch", "--match", "librarySectionID=3",
                                                                "--count", "41")))
        events = self.json_lines(out, EVENT_KEYS)
        # The Context comes with the second event, so that is where the filter's start is.
        self.assertEqual((events[0]["kind"], events[0]["inferred"], events[-1]["kind"]), ("started", True, "ended"))
        self.assertEqual({e["uuid"] for e in events}, {"7251fc2d"})

    def test_a_signal_ends_it_with_a_goodbye(self):
        self.server.activities["d6199ba1"] = EPG
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process = self.start(*self.at_server("watch"))
                self.first_line(process)
                process.send_signal(number)
                status, _, err = self.finish(process)
                self.assertEqual((status, err), (130, ""))
                self.assertEqual(self.server.closed_with.get(timeout=LIMIT), 1000)

    def test_an_outage_is_told_on_stderr_and_the_feed_goes_on(self):
        self.server.activities["d6199ba1"] = EPG
        process = self.start(*self.at_server("watch", "--count", "2"))
        self.first_line(process)
        del self.server.activities["d6199ba1"]
        self.server.call(self.server.drop_listeners())
        status, out, err = self.finish(process)
        (ended,) = self.json_lines(out, EVENT_KEYS)
        self.assertEqual((status, ended["kind"], ended["inferred"]), (0, "ended", True))
        self.assertEqual(len(err.splitlines()), 2, err)
        lost, back = err.splitlines()
        self.assertRegex(lost, r"^plex-activities: interrupted: .*; trying again in \d+\.\d s$")
        self.assertIn(self.server.url, lost)
        self.assertEqual(back, "plex-activities: connected again, over websocket")

    def test_polls_where_that_is_asked_for(self):
        self.server.activities["d6199ba1"] = EPG
        process = self.start(*self.at_server("watch", "--transport", "polling", "--count", "2"))
        self.assertEqual(self.first_line(process)["inferred"], True)
        del self.server.activities["d6199ba1"]
        (ended,) = self.json_lines(self.assert_done(self.finish(process)), EVENT_KEYS)
        self.assertEqual((ended["kind"], ended["inferred"]), ("ended", True))

    def test_invalid_utf8_is_repaired_and_the_feed_goes_on(self):
        self.server.activities["d6199ba1"] = EPG
        process = self.start(*self.at_server("watch", "--count", "3"))
        self.first_line(process)
        self.server.call(self.server.tell_bytes(
            b'{"NotificationContainer":{"type":"activity","size":1,"ActivityNotification":[{"event":"updated",'
            b'"uuid":"d6199ba1","Activity":{"uuid":"d6199ba1","type":"provider.epg.load","title":"caf\xe9",'
            b'"progress":8,"Context":{"file":"\xff\xfe"}}}]}}'))
        self.server.call(self.server.tell_bytes(b"{not JSON"))
        self.server.call(self.server.tell("ended", EPG))
        repaired, ended = self.json_lines(self.assert_done(self.finish(process)), EVENT_KEYS)
        self.assertEqual(repaired["title"], "caf\ufffd")
        self.assertEqual(repaired["context"], {"file": "\ufffd\ufffd"})
        self.assertEqual(ended["kind"], "ended")

    def test_nobody_can_read_the_token_from_its_arguments(self):
        self.server.activities["d6199ba1"] = EPG
        for token in (["--token", TOKEN], ["--token=" + TOKEN]):
            with self.subTest(token):
                process = self.start("watch", "--server", self.server.url, *token)
                self.first_line(process)
                with open(f"/proc/{process.pid}/cmdline", "rb") as file:
                    arguments = file.read()
                self.assertIn(self.server.url.encode(), arguments)
                self.assertNotIn(TOKEN.encode(), arguments)

    def test_the_token_is_in_no_url(self):
        self.server.scan_on_list = True
        self.assert_done(self.run_command(*self.at_server("watch", "--count", "1")))
        self.assertEqual(len(self.server.requests), 2)
        for request in self.server.requests:
            self.assertNotIn(TOKEN, request)

    def test_ends_when_nobody_reads_it_any_more(self):
        self.server.activities["d6199ba1"] = EPG
        process = self.start(*self.at_server("watch"))
        self.first_line(process)
        process.stdout.close()
        process.stdout = None
        self.server.call(self.server.tell("ended", EPG))
        process.wait(60)
        self.assertNotEqual(process.returncode, 0)


if __name__ == "__main__":
    main()
