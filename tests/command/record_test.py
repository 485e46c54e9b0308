#!/usr/bin/env python3
"""`record`, and `demo --replay` of what it has written."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections import defaultdict

from command_case import EVENT_KEYS, LIMIT, TOKEN, CommandCase, ServerCase, main
from foreign_server import notification, scan_events

HERE = os.path.dirname(os.path.abspath(__file__))
NODE_PACKAGES = "/usr/share/nodejs"  # of the distribution (node-ws); a node from elsewhere does not look there
UUIDS = ["c30c1edc-8df0-4713-a7f1-f1373f6db8e9", "6f7c9a1b-5f56-4009-b7c2-374cd148b67f"]
SECRETS = ["The Sopranos", "heat.mkv", "/media/Films", "10.0.0.7", "127.0.0.1", "0123456789abcdef.plex.direct", "alice", TOKEN,
           *UUIDS]
HOSTILE = {"uuid": UUIDS[0], "type": "media.download", "cancellable": True, "userID": 71717171, "progress": 3,
           "title": 'The Sopranos {"librarySectionID":"3"} ' + TOKEN,
           "subtitle": "/media/Films/heat.mkv \u202e\x1b[31m caf\u00e9 \U0001f3ac",
           "Context": {"file": "/media/Films/heat.mkv", "user": "alice", "10.0.0.7": "alice", TOKEN: TOKEN,
                       "a0b1c2d3e4f5a6b7c8d9": 1,
                       "url": "https://10-0-0-7.0123456789abcdef.plex.direct:32400/?X-Plex-Token=" + TOKEN,
                       "key": "/library/metadata/51347", "librarySectionID": "3"},
           "Response": {"size": 20250101, "done": [True, None, "alice"]}}


def lives(events):
    """What was told of each activity, in order; activities in the order in which they came, as pseudonyms do."""
    told = defaultdict(list)
    for e in events:
        told[e["uuid"]].append((e["kind"], e["inferred"], e["type"], e["progress"], e["cancellable"], len(e["title"]),
                                len(e["subtitle"]), form(e["context"]), form(e["response"])))
    return sorted(told.values(), key=repr)


def form(value):
    if isinstance(value, dict):
        return [(len(name), form(each)) for name, each in value.items()]
    if isinstance(value, list):
        return [form(each) for each in value]
    if isinstance(value, (bool, type(None))):
        return value
    return type(value).__name__, len(str(value))


class RecordCase(CommandCase):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = os.path.join(self.folder, "session.jsonl")

    def recorded(self, name=None):
        with open(name or self.file, encoding="utf-8") as file:
            text = file.read()
        for secret in SECRETS:
            self.assertNotIn(secret, text)
            self.assertNotIn(json.dumps(secret)[1:-1], text)
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual({"recording": "plex-activities", "version": 1},
                         {k: lines[0].get(k) for k in ("recording", "version")})
        self.assertEqual(list(lines[0]), ["recording", "version", "date", "transport"])
        times = [line["ms"] for line in lines[1:]]
        self.assertEqual(times, sorted(times))
        return lines[1:]

    def start_recording(self, server, *arguments):
        """Running, and listening."""
        process = self.start(*server, "record", self.file, *arguments)
        said = process.stderr.readline().decode()
        self.assertRegex(said, r"^plex-activities: recording over \w+(, until interrupted)?\n$")
        return process

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        status, out, err = self.finish(process)
        self.assertEqual((status, out), (130, ""), err)
        return err

    def replay(self):
        out = self.assert_done(self.run_command("demo", "--json", "--replay", self.file))
        return self.json_lines(out, EVENT_KEYS)


class Record(ServerCase, RecordCase):
    def setUp(self):
        RecordCase.setUp(self)
        ServerCase.setUp(self)

    def await_line(self, what, count=1):
        """Until there are so many lines that say that; they are written at once."""
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            with open(self.file, encoding="utf-8") as file:
                if file.read().count(what) >= count:
                    return
            time.sleep(0.01)
        self.fail(f"never recorded: {what}")

    def tell(self, event, activity):
        self.server.call(self.server.tell(event, activity))

    def test_a_hostile_session_holds_its_form_and_no_secret(self):
        self.server.activities[UUIDS[0]] = HOSTILE
        process = self.start_recording(self.at_server())
        self.tell("updated", dict(HOSTILE, progress=4))
        self.tell("started", {"uuid": UUIDS[1], "type": "library.update.section", "progress": 0})
        self.server.call(self.server.tell_bytes(b'{"title":"The Sopranos'))
        self.server.call(self.server.tell_bytes(
            b'{"NotificationContainer":{"type":"alice smith","The Sopranos":[{"message":"caf\xe9 heat.mkv"}]}}'))
        self.tell("ended", dict(HOSTILE, progress=100))
        self.await_line('"notification":', 4)
        err = self.interrupt(process)
        self.assertIn("recorded 8 lines to ", err)
        self.assertIn(": 1 list, 5 notifications\n", err)
        connected, listed, updated, started, broken, other, ended = self.recorded()
        self.assertEqual((connected["connection"], connected["transport"]), ("connected", "websocket"))
        self.assertEqual(form(listed["list"])[0][1][0], form({"size": 1})[0])
        (entry,) = updated["notification"]["NotificationContainer"]["ActivityNotification"]
        self.assertEqual(form(entry), form(
            notification("updated", dict(HOSTILE, progress=4))["NotificationContainer"]["ActivityNotification"][0]))
        activity = entry["Activity"]
        self.assertEqual((entry["event"], activity["type"], activity["progress"], activity["cancellable"],
                          activity["Context"]["librarySectionID"]), ("updated", "media.download", 4, True, "3"))
        self.assertEqual(list(activity), list(HOSTILE))
        self.assertEqual(listed["list"]["MediaContainer"]["Activity"][0]["uuid"], entry["uuid"])
        self.assertNotEqual(started["notification"]["NotificationContainer"]["ActivityNotification"][0]["uuid"],
                            entry["uuid"])
        self.assertEqual((broken["malformed"], broken["why"], broken["bytes"]), ("notification", "truncated", 22))
        self.assertEqual(other["repaired"], 1)
        self.assertEqual(ended["notification"]["NotificationContainer"]["ActivityNotification"][0]["uuid"],
                         entry["uuid"])

    def events_of_both(self, play):
        """The events that the session has for `watch`, and those of its recording."""
        watch = self.start(*self.at_server("watch"))
        told = [watch.stdout.readline()]
        process = self.start_recording(self.at_server())

        def next_event():
            told.append(watch.stdout.readline())
            return told[-1]
        play(next_event)
        self.interrupt(process)
        watch.send_signal(signal.SIGINT)
        told += watch.stdout.readlines()  # here the titles are, and what else the server has put into them
        self.assertEqual(watch.wait(LIMIT), 130)
        return self.json_lines(b"".join(told).decode(), EVENT_KEYS), self.replay()

    def test_a_session_is_replayed_to_the_same_events(self):
        self.server.activities[UUIDS[0]] = HOSTILE

        def play(_):
            self.tell("started", dict(HOSTILE, uuid=UUIDS[1], cancellable=0, progress="7.5"))
            for progress in (4, 50.5, -1):
                self.tell("updated", dict(HOSTILE, progress=progress, Response={"done": [progress]}))
            self.tell("ended", dict(HOSTILE, uuid=UUIDS[1]))
            self.tell("updated", {"uuid": UUIDS[0], "type": "media.download", "subtitle": "alice"})
            for event, activity in scan_events():
                self.tell(event, activity)
            self.await_line('"notification":', 6 + 42)
        told, again = self.events_of_both(play)
        self.assertEqual(len(told), 1 + 6 + 42)
        self.assertEqual(lives(again), lives(told))

    def test_a_lost_connection_is_lost_again(self):
        self.server.activities.update({uuid: dict(HOSTILE, uuid=uuid) for uuid in UUIDS})

        def play(next_event):
            self.tell("updated", dict(HOSTILE, progress=4))
            self.await_line('"notification":', 1)
            del self.server.activities[UUIDS[1]]
            self.server.call(self.server.drop_listeners())
            self.await_line('"list":', 2)
            while b'"ended"' not in next_event():  # concluded
                pass
        told, again = self.events_of_both(play)
        self.assertEqual((told[-1]["kind"], told[-1]["inferred"]), ("ended", True))
        self.assertEqual(lives(again), lives(told))
        kinds = [line["connection"] for line in self.recorded() if "connection" in line]
        self.assertEqual((kinds[0], kinds[1], kinds[-1]), ("connected", "interrupted", "connected"))

    def test_polling_is_recorded_too(self):
        self.server.activities[UUIDS[0]] = HOSTILE
        process = self.start_recording(self.at_server(), "--transport", "polling", "--count", "2")
        self.server.activities.clear()
        status, out, err = self.finish(process)
        self.assertEqual((status, out), (0, ""), err)
        self.assertEqual([e["kind"] for e in self.replay()], ["started", "ended"])

    def test_ends_by_time_and_by_count(self):
        self.server.activities[UUIDS[0]] = HOSTILE
        before = time.monotonic()
        status, _, err = self.run_command(*self.at_server("record", self.file, "--for", "0.5"))
        self.assertEqual(status, 0, err)
        self.assertGreaterEqual(time.monotonic() - before, 0.5)
        status, _, err = self.run_command(*self.at_server("record", self.file + "2", "--count", "1"))
        self.assertEqual(status, 0, err)
        self.assertEqual(len(self.recorded(self.file + "2")), 2)
        self.assertEqual(self.server.closed_with.get(timeout=LIMIT), 1000)

    def test_nobody_else_can_read_it_and_nothing_is_overwritten(self):
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.run_command(*self.at_server("record", self.file, "--for", "0.1"))
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        with open(self.file, "rb") as file:
            content = file.read()
        err = self.assert_failed(self.run_command(*self.at_server("record", self.file, "--for", "0.1")), 2)
        self.assertIn("is there already", err)
        with open(self.file, "rb") as file:
            self.assertEqual(file.read(), content)
        nowhere = os.path.join(self.folder, "none", "x")
        self.assertIn("cannot be made", self.assert_failed(self.run_command(*self.at_server("record", nowhere)), 2))

    def test_a_minus_is_the_standard_output(self):
        self.server.activities[UUIDS[0]] = HOSTILE
        status, out, err = self.run_command(*self.at_server("record", "-", "--count", "1"))
        self.assertEqual((status, len(out.splitlines())), (0, 3), err)
        self.assertIn("to the standard output", err)
        self.assertFalse(os.path.exists("-"))

    def test_a_server_that_cannot_be_reached_leaves_no_file(self):
        for server, status in ((["--server", self.server.url, "--token", "wrong"], 3),
                               (["--server", "http://127.0.0.1:1"], 1), (["--server", "ftp://x"], 2)):
            with self.subTest(server):
                self.assert_failed(self.run_command(*server, "record", self.file), status)
                self.assertFalse(os.path.exists(self.file))

    def test_a_feed_that_is_refused_later_ends_it_and_what_was_recorded_stays(self):
        self.server.activities[UUIDS[0]] = HOSTILE
        process = self.start_recording(self.at_server())
        self.await_line('"list":')
        self.server.token = "another"
        self.server.call(self.server.drop_listeners())
        status, out, err = self.finish(process)
        self.assertEqual((status, out), (3, ""), err)
        self.assertIn("give a valid token", err)
        self.assertGreater(len(self.recorded()), 1)

    def test_a_full_disk_is_told(self):
        with open("/dev/full", "wb") as full:
            process = self.start(*self.at_server("record", "-"), stdout=full)
        err = process.stderr.read().decode()
        self.assertEqual(process.wait(LIMIT), 1, err)
        self.assertIn("cannot be written: No space left", err)


class Others(RecordCase):
    def test_what_a_ws_server_told_is_told_again(self):
        node = shutil.which("node")
        self.assertIsNotNone(node, "node is missing: tests/run.sh installs it")
        paths = [path for path in (os.environ.get("NODE_PATH"), NODE_PACKAGES) if path]
        server = subprocess.Popen([node, os.path.join(HERE, "foreign_server.js"), "--token", TOKEN, "--running",
                                   "alice=10", f"{UUIDS[0]}=20"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  env=self.environment(NODE_PATH=":".join(paths)))

        def end():
            server.kill()
            server.wait()
            server.stdout.close()
        self.addCleanup(end)
        at_server = ["--server", server.stdout.readline().decode().strip(), "--token", TOKEN]
        process = self.start(*at_server, "record", self.file, "--count", "8")
        status, out, err = self.finish(process)
        self.assertEqual((status, out), (0, ""), err)
        count = sum("notification" in line for line in self.recorded())
        self.assertGreaterEqual(count, 6)
        update = ("updated", False, "media.download", 10, True)
        told = [[("started", True, "media.download", 20, True)],
                [("started", True, "media.download", 10, True)] + count * [update]]
        self.assertEqual(sorted([[e[:5] for e in life] for life in lives(self.replay())], key=len), told)

    def test_what_the_fake_server_told_is_told_again(self):
        for transport in ("websocket", "eventsource"):
            with self.subTest(transport):
                self.fake_server_over(transport)

    def fake_server_over(self, transport):
        self.file = os.path.join(self.folder, transport)
        server = self.start("demo", "--serve", "--token", TOKEN)
        at_server = ["--server", server.stdout.readline().decode().strip(), "--token", TOKEN]
        process = self.start_recording(at_server, "--count", "300", "--transport", transport)
        status, out, err = self.finish(process)
        self.assertEqual((status, out), (0, ""), err)
        lines = self.recorded()
        self.assertEqual(lines[0]["transport"], transport)
        told = defaultdict(list)
        for line in lines:
            if "notification" in line:
                message = line["notification"]
                (entry,) = (message["NotificationContainer"]["ActivityNotification"] if transport == "websocket"
                            else [message["ActivityNotification"]])
                activity = entry["Activity"]
                told[entry["uuid"]].append((entry["event"], activity["title"], activity["subtitle"]))
        self.assertGreater(sum(map(len, told.values())), 290)
        again = defaultdict(list)
        for e in self.replay():
            again[e["uuid"]].append((e["kind"], e["title"], e["subtitle"]))
        for uuid, events in again.items():
            first, *later = events
            # What ran before is told first, from the list or from what came before the list.
            self.assertEqual(first[0], "started")
            if len(later) == len(told[uuid]):
                self.assertEqual(later, told[uuid])
            else:
                self.assertEqual([first[1:], *later], [told[uuid][0][1:], *told[uuid][1:]])
        self.assertEqual(set(told), set(again))

    def test_a_replay_is_shown_to_people_and_can_be_interrupted(self):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write('{"recording":"plex-activities","version":1,"date":"2026-11-24","transport":"automatic"}\n'
                       '{"ms":1,"connection":"connected","transport":"websocket"}\n'
                       '{"ms":2,"list":{"MediaContainer":{"size":1,"Activity":[{"uuid":"a","type":"b.c",'
                       '"title":"Xxxx","progress":42}]}}}\n'
                       '{"ms":3600000,"notification":{}}\n')
        process = self.start("demo", "--replay", self.file)
        self.assertEqual(process.stdout.readline().decode(), "started   Xxxx  42 %\n")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process), (130, "", ""))

    def test_what_is_no_recording_is_refused(self):
        self.assertIn("cannot be opened", self.assert_failed(self.run_command("demo", "--replay", self.file), 2))
        with open(self.file, "w", encoding="utf-8") as file:
            file.write("The Sopranos\n")
        err = self.assert_failed(self.run_command("demo", "--replay", self.file), 2)
        self.assertIn("line 1 of the recording", err)
        self.assertNotIn("Sopranos", err)
        self.assert_failed(self.run_command("demo", "--serve", "--replay", self.file), 2)


if __name__ == "__main__":
    main()
