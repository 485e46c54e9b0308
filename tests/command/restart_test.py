#!/usr/bin/env python3
"""`watch` while its server is killed and comes back. The servers share no code with this project."""

import os
import shutil
import signal
import socket
import subprocess
import sys

from command_case import EVENT_KEYS, TOKEN, CommandCase, main

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = {"aiohttp": [sys.executable, "-B", os.path.join(HERE, "foreign_server.py")],
           "ws": ["node", os.path.join(HERE, "foreign_server.js")]}
NODE_PACKAGES = "/usr/share/nodejs"  # of the distribution (node-ws); a node from elsewhere does not look there


class Restart(CommandCase):
    def setUp(self):
        # Nobody is given the port while the server is away: bound here, but without listening.
        self.port = socket.socket()
        self.addCleanup(self.port.close)
        self.port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port.bind(("127.0.0.1", 0))

    def serve(self, kind, **running):
        """A server with these activities and their progress; killed when the test ends."""
        program, *arguments = SCRIPTS[kind]
        found = shutil.which(program)
        self.assertIsNotNone(found, f"{program} is missing: tests/run.sh installs it")
        paths = [path for path in (os.environ.get("NODE_PATH"), NODE_PACKAGES) if path]
        server = subprocess.Popen(
            [found, *arguments, "--token", TOKEN, "--port", str(self.port.getsockname()[1]),
             "--running", *(f"{uuid}={progress}" for uuid, progress in running.items())],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=self.environment(NODE_PATH=":".join(paths)))

        def end():
            server.kill()
            server.wait()
            server.stdout.close()
        self.addCleanup(end)
        url = server.stdout.readline().decode().strip()
        self.assertTrue(url, "the server did not start")  # its own words are on the standard error output
        return server, url

    def next_event(self, watch):
        """The next one that is no live update, as the ws server sends them all the time."""
        while True:
            (event,) = self.json_lines(watch.stdout.readline().decode(), EVENT_KEYS)
            if event["inferred"] or event["kind"] != "updated":
                return event["kind"], event["inferred"], event["uuid"], event["progress"]

    def survives_a_restart(self, kind):
        server, url = self.serve(kind, stays=10, vanishes=20)
        watch = self.start("--json", "--server", url, "--token", TOKEN, "watch")
        self.assertEqual({self.next_event(watch), self.next_event(watch)},
                         {("started", True, "stays", 10), ("started", True, "vanishes", 20)})

        server.send_signal(signal.SIGKILL)
        server.wait()
        lost = watch.stderr.readline().decode()
        self.assertRegex(lost, r"^plex-activities: interrupted: .*; trying again in \d+\.\d s\n$")
        self.assertIn(url, lost)
        self.serve(kind, stays=10, comes=30)
        self.assertEqual(self.next_event(watch), ("started", True, "comes", 30))
        self.assertEqual(self.next_event(watch), ("ended", True, "vanishes", 20))

        watch.send_signal(signal.SIGTERM)
        out, err = watch.stdout.read().decode(), watch.stderr.read().decode()  # what readline() has kept, too
        self.assertEqual(watch.wait(), 130)
        self.assertNotIn(TOKEN, lost + out + err)
        self.assertEqual([e["kind"] for e in self.json_lines(out, EVENT_KEYS) if e["kind"] != "updated"], [])
        *again, back = err.splitlines()  # it may have tried more than once
        for line in again:
            self.assertRegex(line, r"^plex-activities: interrupted: ")
        self.assertEqual(back, "plex-activities: connected again, over websocket")

    def test_an_aiohttp_server_that_is_killed_and_restarted_is_followed(self):
        self.survives_a_restart("aiohttp")

    def test_a_ws_server_that_is_killed_and_restarted_is_followed(self):
        self.survives_a_restart("ws")


if __name__ == "__main__":
    main()
