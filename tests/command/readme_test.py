#!/usr/bin/env python3
"""The README's first program, as it stands there."""

import os
import subprocess

from command_case import TOKEN, CommandCase, main

README = os.environ.get("README_PROGRAM")


class Readme(CommandCase):
    def serve(self, *arguments):
        server = self.start("demo", "--serve", *arguments)
        return server.stdout.readline().decode().strip()

    def start_readme(self, **environment):
        process = subprocess.Popen([README], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment(**environment))

        def end():
            process.kill()
            process.communicate()
        self.addCleanup(end)
        return process

    def test_tells_what_goes_on_and_needs_no_token_where_the_server_wants_none(self):
        process = self.start_readme(PLEX_URL=self.serve())
        words = [process.stdout.readline().decode().split(" ")[0] for _ in range(3)]
        self.assertLessEqual(set(words), {"started", "updated", "ended"})

    def test_ends_with_the_reason_where_the_token_is_refused(self):
        url = self.serve("--token", TOKEN)
        for environment in ({}, {"PLEX_TOKEN": "another-one"}):
            with self.subTest(environment):
                process = self.start_readme(PLEX_URL=url, **environment)
                out, err = process.communicate(timeout=60)
                self.assertNotEqual(process.returncode, 0)
                self.assertEqual(out, b"")
                self.assertIn(b"401", err)


if __name__ == "__main__":
    main()
