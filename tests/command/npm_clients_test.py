#!/usr/bin/env python3
"""Clients that others have written, from npm and unchanged, against the fake server: what that believes of the wire is
what they were written for. @lukehagar/plexjs lists and cancels, ws and eventsource watch.

plexjs by itself cannot watch, here or elsewhere: made from Plex's specification, it takes application/octet-stream alone
for a stream, and waits for the end of anything else. Plex's own documentation of the events and plexopedia have
text/event-stream (docs/protocol.md 1.3), without which no EventSource of a browser opens. So the fake server sends that,
and plexjs watches with a fetch of its user's that calls it what the specification calls it."""

import os
import pathlib
import shutil
import subprocess

from command_case import LIMIT, TOKEN, CommandCase, main

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = HERE.parents[1] / "build" / "npm" / "node_modules"


class NpmClients(CommandCase):
    def setUp(self):
        self.node = shutil.which("node")
        self.assertIsNotNone(self.node, "node is missing: tests/run.sh installs it")
        for package in ("@lukehagar/plexjs", "ws", "eventsource"):
            self.assertTrue((PACKAGES / package).is_dir(), f"{package} is not in {PACKAGES}: tests/run.sh installs it (npm ci)")
        server = self.start("demo", "--serve", "--token", TOKEN)
        self.url = server.stdout.readline().decode().strip()

    def plays(self, scenario):
        """What the scenario of npm_clients.js says that it has seen."""
        done = subprocess.run([self.node, HERE / "npm_clients.js", self.url, TOKEN, scenario], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=LIMIT, env=self.environment(NODE_PATH=str(PACKAGES)))
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_plexjs_lists_what_runs(self):
        self.assertEqual(self.plays("list"), "library.update.section\n")

    def test_plexjs_cancels_and_ws_and_eventsource_hear_the_end(self):
        self.assertEqual(self.plays("cancel"), "Converting has ended\n")

    def test_ws_and_eventsource_hear_the_same_whole_scan(self):
        self.assertEqual(self.plays("watch"), "1556 events over each\n")

    def test_plexjs_watches_when_its_fetch_calls_the_stream_what_the_specification_calls_it(self):
        self.assertEqual(self.plays("plexjs_watch"), "started\n")

    def test_refusals_are_those_that_the_clients_know(self):
        self.assertEqual(self.plays("errors"), "401 404 400 401 401\n")

    def test_pings_pongs_and_closes_are_those_that_the_clients_know(self):
        self.assertEqual(self.plays("liveness"), "ping, pong, close\n")


if __name__ == "__main__":
    main()
