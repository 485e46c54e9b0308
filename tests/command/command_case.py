"""What the tests of the command share. Each file is run as `FILE_test.py PATH-OF-THE-COMMAND`."""

import json
import os
import subprocess
import sys
import threading
import unittest

from foreign_server import ForeignServer

TOKEN = "xyzzy-S3CRET-token"
PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else None
LIMIT = 60  # seconds until a hanging command fails its test

EVENT_KEYS = ["kind", "inferred", "at", "started_at", "uuid", "type", "title", "subtitle", "progress", "cancellable",
              "user_id", "context", "response"]
LIST_KEYS = EVENT_KEYS[4:]


class CommandCase(unittest.TestCase):
    def environment(self, **more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PLEX_") and k != "NO_COLOR"}
        clean.update(more)
        return clean

    def start(self, *arguments, **options):
        """The command, running; killed when the test ends."""
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("env", self.environment())
        process = subprocess.Popen([PROGRAM, *arguments], **options)

        watchdog = threading.Timer(LIMIT, process.kill)  # ends every wait for its output
        watchdog.start()

        def end():
            watchdog.cancel()
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()
        self.addCleanup(end)
        return process

    def finish(self, process):
        """Its status and all it wrote, in which the token never is."""
        out, err = process.communicate(timeout=LIMIT)
        self.assertNotIn(TOKEN.encode(), out)
        self.assertNotIn(TOKEN.encode(), err)
        return process.returncode, out.decode(), err.decode()

    def run_command(self, *arguments, **options):
        return self.finish(self.start(*arguments, **options))

    def assert_done(self, result):
        """It did what it was asked for, and had nothing to complain of. Gives what it printed."""
        self.assertEqual((result[0], result[2]), (0, ""))
        return result[1]

    def assert_failed(self, result, status):
        """It failed with this status and one line on the standard error output, which is given."""
        code, out, err = result
        self.assertEqual(code, status, err)
        self.assertEqual(out, "")
        self.assertEqual(err.count("\n"), 1, err)
        self.assertTrue(err.startswith("plex-activities: ") and err.endswith("\n"), err)
        return err

    def json_lines(self, text, keys):
        """The objects in the lines, each of which has these members in this order."""
        self.assertTrue(text == "" or text.endswith("\n"))
        objects = []
        for line in text.splitlines():
            pairs = json.loads(line, object_pairs_hook=lambda p: p)
            self.assertEqual([key for key, _ in pairs], keys)
            objects.append(json.loads(line))
        return objects


class ServerCase(CommandCase):
    """With a foreign server that wants the token."""

    def setUp(self):
        self.server = ForeignServer(TOKEN)
        self.enterContextForTest(self.server)

    def enterContextForTest(self, manager):
        manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)

    def at_server(self, *arguments):
        return ["--server", self.server.url, "--token", TOKEN, *arguments]


def main():
    if PROGRAM is None:
        sys.exit("usage: FILE_test.py PATH-OF-THE-COMMAND")
    unittest.main()
