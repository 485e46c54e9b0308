"""What the tests of plex-relay and plex-mqtt share: programs that end with the test, waiting, and what a service answers."""

import http.client
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "command"))

from stand_ins import Folder  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LIMIT = 300  # seconds until whatever hangs fails its test


class Process:
    """A program with its standard error output in a file; killed when the test ends."""

    def __init__(self, case, name, words, **options):
        self.log_path = os.path.join(case.folder.path, name + ".log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(words, stderr=log, **options)
        self.watchdog = threading.Timer(LIMIT, self.process.kill)
        self.watchdog.daemon = True
        self.watchdog.start()
        case.addCleanup(self.end)

    def end(self):
        self.watchdog.cancel()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def send(self, number):
        self.process.send_signal(number)

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            return file.read()


class ServiceCase(unittest.TestCase):
    def setUp(self):
        self.folder = Folder().__enter__()
        self.addCleanup(self.folder.__exit__)

    def secret(self, name, content):
        os.chmod(self.folder.file(name, content), stat.S_IRUSR | stat.S_IWUSR)

    def until(self, holds, limit=60):
        """Looks again until it is so, and gives what it looked at; fails with what `state` says."""
        end = time.monotonic() + limit
        while True:
            result = holds()
            if result:
                return result
            if time.monotonic() > end:
                self.fail("it did not come to that in %d s\n%s" % (limit, self.state()))
            time.sleep(0.02)

    def free_port(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            return free.getsockname()[1]

    def ask(self, port, target):
        """The status and body of what a service answers."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", target)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def assert_explained(self, metrics, prefix):
        """Metrics that begin so are those that the guide's chapter has."""
        with open(os.path.join(SOURCE, "docs", "guide", "metrics.md"), encoding="utf-8") as chapter:
            explained = set(re.findall(r"^\| `(%s\w+)`" % prefix, chapter.read(), re.M))
        self.assertEqual(explained, set(re.findall(r"^# TYPE (%s\w+) " % prefix, metrics, re.M)))
