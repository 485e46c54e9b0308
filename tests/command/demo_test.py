#!/usr/bin/env python3
"""`demo`, and its server as one to try the command on."""

import signal
import time

from command_case import EVENT_KEYS, LIST_KEYS, TOKEN, CommandCase, main


class Demo(CommandCase):
    def test_shows_a_scan_to_people_who_read_it_later(self):
        before = time.monotonic()
        lines = self.assert_done(self.run_command("demo")).splitlines()
        self.assertLess(time.monotonic() - before, 20)
        self.assertTrue(any(line.startswith("started   Scanning") for line in lines), lines)
        self.assertTrue(any(line.startswith("updated   Scanning Movies · ") for line in lines), lines)
        self.assertTrue(any(line.startswith("ended     Scanning Movies · ") for line in lines), lines)
        cancelled = lines.index("> cancelling the download")
        self.assertTrue(any(line.startswith("ended     Converting · ") for line in lines[cancelled:]), lines)
        self.assertLess(len(lines), 100)
        self.assertNotIn("\x1b", "".join(lines))

    def test_shows_every_event_to_programs(self):
        events = self.json_lines(self.assert_done(self.run_command("demo", "--json")), EVENT_KEYS)
        scan = [e for e in events if e["type"] == "library.update.section"]
        self.assertEqual([scan[0]["kind"], scan[-1]["kind"], len(scan)], ["started", "ended", 1556])
        self.assertEqual([e["kind"] for e in events if e["cancellable"]][-1], "ended")
        self.assertTrue(any(e["progress"] is None for e in events))

    def test_a_signal_ends_it(self):
        process = self.start("demo", "--json")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        status, _, err = self.finish(process)
        self.assertEqual((status, err), (130, ""))


class Serve(CommandCase):
    def setUp(self):
        self.server = self.start("demo", "--serve", "--token", TOKEN)
        self.url = self.server.stdout.readline().decode().strip()
        self.assertTrue(self.url.startswith("http://127.0.0.1:"), self.url)

    def at_server(self, *arguments):
        return ["--server", self.url, "--token", TOKEN, *arguments]

    def test_lets_the_command_list_watch_and_cancel(self):
        self.assert_failed(self.run_command("--server", self.url, "list"), 3)
        watch = self.start(*self.at_server("watch", "--type", "media.download"))
        cancelled = None
        while cancelled is None:  # it plays on meanwhile, and a download may end before it is cancelled
            uuid = self.json_lines(watch.stdout.readline().decode(), EVENT_KEYS)[0]["uuid"]
            out = self.assert_done(self.run_command(*self.at_server("list", "--json", "--type", "media.download")))
            if [download["uuid"] for download in self.json_lines(out, LIST_KEYS)] == [uuid]:
                status, _, err = self.run_command(*self.at_server("cancel", uuid))
                self.assertIn(status, (0, 1), err)
                cancelled = uuid if status == 0 else None
        while True:
            event = self.json_lines(watch.stdout.readline().decode(), EVENT_KEYS)[0]
            if event["uuid"] == cancelled and event["kind"] == "ended":
                break

    def test_plays_on_until_it_is_interrupted(self):
        watch = self.start(*self.at_server("watch", "--type", "library.update.section"))
        started = set()
        while len(started) < 2:
            event = self.json_lines(watch.stdout.readline().decode(), EVENT_KEYS)[0]
            started.add(event["uuid"])
        self.server.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(self.server), (130, "", ""))


if __name__ == "__main__":
    main()
