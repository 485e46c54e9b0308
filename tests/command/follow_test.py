#!/usr/bin/env python3
"""`scan`, `run` and `wait`: what a request starts is followed to its end, and the shell is told how it came out."""

import signal
import time

from command_case import EVENT_KEYS, LIMIT, ServerCase, main
from stand_ins import ClosedPort

DONE, FAILED, USAGE, REFUSED, TIMED_OUT, VANISHED, NOT_STARTED = 0, 1, 2, 3, 4, 5, 6


def scan(uuid, section=None, progress=0):
    activity = {"uuid": uuid, "type": "library.update.section", "cancellable": False, "userID": 1, "title": "Scanning",
                "subtitle": "", "progress": progress}
    if section:
        activity["Context"] = {"librarySectionID": section}
    return activity


class Follow(ServerCase):
    def on(self, request, *steps, headers=None):
        """What the server does when it gets that request, before it answers."""
        async def act():
            for step, activity in steps:
                await step(activity)
            return headers
        self.server.actions[request] = act

    def do(self, step, activity):
        self.server.call(step(activity))

    def scanned(self, *more):
        return self.start(*self.at_server("--json", "scan", "3", *more))

    def events(self, process, count):
        return [self.json_lines(process.stdout.readline().decode(), EVENT_KEYS)[0] for _ in range(count)]

    def kinds(self, out):
        return [(e["kind"], e["uuid"]) for e in self.json_lines(out, EVENT_KEYS)]

    def test_a_scan_is_found_by_its_late_context_and_followed_to_its_end(self):
        s = self.server
        s.activities["before"] = scan("before", "3")
        self.on("GET /library/sections/3/refresh", (s.starts, scan("other")), (s.starts, scan("mine")))
        process = self.scanned()
        deadline = time.monotonic() + LIMIT
        while "mine" not in s.activities and time.monotonic() < deadline:
            time.sleep(0.01)
        self.do(s.changes, scan("other", "4", 10))
        self.do(s.changes, scan("mine", "3", 10))
        self.assertEqual([(e["kind"], e["uuid"]) for e in self.events(process, 2)],
                         [("started", "mine"), ("updated", "mine")])
        self.do(s.ends, scan("other", "4", 100))
        self.do(s.ends, scan("before", "3", 100))
        self.do(s.ends, scan("mine", "3", 100))
        out = self.assert_done(self.finish(process))
        self.assertEqual(self.kinds(out), [("ended", "mine")])
        self.assertEqual(s.closed_with.get(timeout=LIMIT), 1000)

    def test_what_ended_before_the_reply_was_read_is_found(self):
        s = self.server
        self.on("GET /library/sections/3/refresh", (s.starts, scan("quick", "3")), (s.ends, scan("quick", "3", 100)))
        out = self.assert_done(self.run_command(*self.at_server("--json", "scan", "3", "--path", "/films/a b")))
        self.assertEqual(self.kinds(out), [("started", "quick"), ("ended", "quick")])
        self.assertIn("GET /library/sections/3/refresh?path=%2Ffilms%2Fa%20b", s.requests)

    def test_run_follows_what_the_reply_names_without_any_filter(self):
        s = self.server
        guide = {"uuid": "guide", "type": "provider.epg.load", "title": "Refreshing EPG", "progress": -1}
        self.on("POST /livetv/dvrs/5/reloadGuide", (s.starts, scan("noise", "3")), (s.starts, guide), (s.ends, guide),
                headers={"x-plex-activity": "guide"})
        out = self.assert_done(self.run_command(
            *self.at_server("--json", "run", "POST", "/livetv/dvrs/5/reloadGuide")))
        self.assertEqual(self.kinds(out), [("started", "guide"), ("ended", "guide")])

    def test_run_finds_by_type_and_match_what_the_reply_does_not_name(self):
        s = self.server
        self.on("PUT /x", (s.starts, scan("four", "4")), (s.starts, scan("three", "3")), (s.ends, scan("three", "3")))
        out = self.assert_done(self.run_command(*self.at_server(
            "--json", "run", "PUT", "/x", "--type", "library.", "--match", "librarySectionID=3")))
        self.assertEqual(self.kinds(out), [("started", "three"), ("ended", "three")])

    def test_run_with_neither_name_nor_filter_says_so_at_once(self):
        self.on("PUT /x")
        err = self.assert_failed(self.run_command(*self.at_server("--json", "run", "PUT", "/x")), NOT_STARTED)
        self.assertIn("the reply names no activity", err)

    def test_what_never_starts_and_what_ends_without_a_context(self):
        s = self.server
        s.activities["other"] = scan("other", "4")
        self.on("PUT /never")
        self.on("PUT /named", headers={"X-Plex-Activity": "nowhere"})
        s.activities["before"] = scan("before", "6")
        self.on("GET /library/sections/6/refresh")  # asked for during a scan, it may have none of its own
        during = self.start(*self.at_server("--json", "scan", "6"))
        task = {"uuid": "vague", "type": "butler", "title": "Backing up"}
        self.on("PUT /vague", (s.starts, task), (s.ends, task))
        never = self.start(*self.at_server("--json", "run", "PUT", "/never", "--type", "media.download",
                                           "--match", "librarySectionID=5"))
        named = self.start(*self.at_server("--json", "run", "PUT", "/named"))
        vague = self.start(*self.at_server("--json", "run", "PUT", "/vague", "--type", "butler",
                                           "--match", "librarySectionID=3"))
        err = self.assert_failed(self.finish(never), NOT_STARTED)
        self.assertIn("librarySectionID=5", err)
        self.assertIn("running: library.update.section", err)
        self.assertIn("librarySectionID=6", self.assert_failed(self.finish(during), NOT_STARTED))
        self.assertIn("nowhere", self.assert_failed(self.finish(named), NOT_STARTED))
        status, out, err = self.finish(vague)
        self.assertEqual((status, self.kinds(out)), (DONE, [("started", "vague"), ("ended", "vague")]))
        self.assertIn("may have been another", err)

    def test_what_a_restart_took_with_it_has_vanished(self):
        s = self.server
        self.on("GET /library/sections/3/refresh", (s.starts, scan("mine", "3")))
        process = self.scanned()
        self.events(process, 1)
        s.activities.clear()
        s.call(s.drop_listeners())
        status, out, err = self.finish(process)
        self.assertEqual(status, VANISHED, err)
        (ended,) = self.json_lines(out, EVENT_KEYS)
        self.assertEqual((ended["kind"], ended["inferred"]), ("ended", True))
        interrupted, back, verdict = err.splitlines()
        self.assertIn("interrupted", interrupted)
        self.assertIn("connected again", back)
        self.assertIn("vanished", verdict)

    def test_one_that_another_cancels_has_ended(self):
        s = self.server
        process_subscriptions = {"uuid": "subs", "type": "provider.subscriptions.process", "cancellable": True}
        self.on("POST /media/subscriptions/process", (s.starts, process_subscriptions),
                headers={"X-Plex-Activity": "subs"})
        process = self.start(*self.at_server("--json", "run", "POST", "/media/subscriptions/process"))
        self.events(process, 1)
        self.assert_done(self.run_command(*self.at_server("--json", "cancel", "subs")))
        self.assertEqual(self.kinds(self.assert_done(self.finish(process))), [("ended", "subs")])

    def test_the_time_limit_is_told_with_what_was_waited_for(self):
        s = self.server
        self.on("GET /library/sections/3/refresh", (s.starts, scan("mine", "3")))
        status, out, err = self.run_command(*self.at_server("--json", "scan", "3", "--timeout", "1"))
        self.assertEqual((status, self.kinds(out)), (TIMED_OUT, [("started", "mine")]))
        self.assertIn("waiting for the end of library.update.section mine", err)

    def test_a_refusal_is_an_error_and_nothing_is_waited_for(self):
        self.assertIn("404", self.assert_failed(self.run_command(*self.at_server("scan", "9")), FAILED))
        self.assert_failed(self.run_command("--server", self.server.url, "--token", "wrong", "scan", "3"), REFUSED)
        self.assert_failed(self.run_command("--server", self.server.url, "--token", "wrong", "wait"), REFUSED)
        self.assert_failed(self.run_command(*self.at_server("run", "GET", "no-slash")), USAGE)
        for bad in (["scan"], ["scan", "-1"], ["scan", "x"], ["run", "GET"], ["wait", "--timeout", "0"]):
            self.assert_failed(self.run_command(*self.at_server(*bad)), USAGE)

    def test_a_signal_ends_it_and_leaves_the_activity_alone(self):
        s = self.server
        self.on("GET /library/sections/3/refresh", (s.starts, scan("mine", "3")))
        process = self.scanned()
        self.events(process, 1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process)[0], 130)
        self.assertIn("mine", s.activities)
        self.assertFalse([r for r in s.requests if r.startswith("DELETE")])

    def test_without_json_people_get_lines(self):
        s = self.server
        self.on("GET /library/sections/3/refresh", (s.starts, scan("mine", "3")), (s.ends, scan("mine", "3", 100)))
        out = self.assert_done(self.run_command(*self.at_server("scan", "3")))
        self.assertEqual(len(out.splitlines()), 2, out)
        self.assertIn("started", out.splitlines()[0])
        self.assertIn("ended", out.splitlines()[1])

    def test_wait_is_a_gate_that_opens_when_what_matches_has_ended(self):
        s = self.server
        s.activities["mine"] = scan("mine", "3")
        s.activities["other"] = scan("other", "4")
        gate = self.start(*self.at_server("--json", "wait", "--type", "library.", "--match", "librarySectionID=3"))
        (event,) = self.events(gate, 1)
        self.assertEqual(event["uuid"], "mine")
        self.do(s.ends, scan("mine", "3", 100))
        ended = time.monotonic()
        self.events(gate, 1)
        self.do(s.starts, scan("queued", "3"))
        self.events(gate, 1)
        self.assertEqual(gate.poll(), None)
        self.do(s.ends, scan("queued", "3", 100))
        out = self.assert_done(self.finish(gate))
        self.assertEqual(self.kinds(out), [("ended", "queued")])
        self.assertGreaterEqual(time.monotonic() - ended, 5)
        self.assertIn("other", s.activities)

    def test_wait_tells_outages_and_goes_on_and_a_first_contact_that_fails_is_one_line(self):
        s = self.server
        s.activities["mine"] = scan("mine", "3")
        gate = self.start(*self.at_server("--json", "wait", "--type", "library."))
        self.events(gate, 1)
        s.call(s.drop_listeners())
        self.assertIn("interrupted", gate.stderr.readline().decode())
        self.assertIn("connected again", gate.stderr.readline().decode())
        self.do(s.ends, scan("mine", "3", 100))
        self.assertEqual(self.kinds(self.assert_done(self.finish(gate))), [("ended", "mine")])
        nobody = ClosedPort()
        self.enterContextForTest(nobody)
        nobody = ["--server", nobody.url, "--token", "t"]
        for how in ([], ["--json"]):
            self.assert_failed(self.run_command(*nobody, *how, "wait"), FAILED)

    def test_wait_says_nothing_where_nobody_looks_on_and_gives_up_in_time(self):
        s = self.server
        s.activities["mine"] = scan("mine", "3")
        err = self.assert_failed(self.run_command(*self.at_server("wait", "--timeout", "0.5")), TIMED_OUT)
        self.assertIn("waiting for the end of library.update.section", err)


if __name__ == "__main__":
    main()
