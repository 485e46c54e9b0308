#!/usr/bin/env python3
"""Whatever a server says, the command's output on pipes is made of whole lines that command no terminal. For the bars see
terminal_test.py."""

import json
import os
import random
import unicodedata

from command_case import EVENT_KEYS, LIST_KEYS, ServerCase, main

PHRASES = ["\x1b[2J", "\x1b]0;owned\x07", "\x1b[1A\x1b[2K", "\r\nplex-activities: forged\n", "\u009b31m", "\u202e", "\u2066",
           "\u2028", "\u200f", "\x08\x08", "\x1bP1;2q\x1b\\", "\x0e", "\x7f", "\x1b(0", "\ufeff", "\u061c", "\t", "%n%s",
           '","x":"', "</title>", "\u0000", "日本語", "é"]


def hostile(source):
    return "".join(source.choice(PHRASES) if source.random() < 0.4 else chr(source.choice((source.randrange(0x20, 0x7f),
                                                                                          source.randrange(0x3000))))
                   for _ in range(source.randrange(1, 10)))


class HostileText(ServerCase):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("PLEX_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
        self.random = random.Random(self.seed)

    def assert_safe(self, text):
        self.assertTrue(text == "" or text.endswith("\n"))
        for line in text.split("\n")[:-1]:
            for c in line:
                bad = unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(c) in (
                    "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI") or c in "\u200e\u200f\u061c"
                self.assertFalse(bad, f"{c!r} in {line!r}; PLEX_TEST_SEED={self.seed}")

    def activity(self, number):
        text = lambda: hostile(self.random)
        return {"uuid": f"{number}{text()}", "type": "t" + text(), "title": text(), "subtitle": text(), "progress": 7,
                "Context": {text(): text()}, "Response": {"k": text()}, text(): text()}

    def test_activities(self):
        for _ in range(3):
            self.server.activities = {str(i): self.activity(i) for i in range(20)}
            out = self.assert_done(self.run_command(*self.at_server("list")))
            self.assert_safe(out)
            self.assertEqual(out.count("\n"), 21, f"PLEX_TEST_SEED={self.seed}")
            out = self.assert_done(self.run_command(*self.at_server("list", "--json")))
            self.assert_safe(out)
            self.assertEqual(len(self.json_lines(out, LIST_KEYS)), 20)
            out = self.assert_done(self.run_command(*self.at_server("watch", "--count", "20")))
            self.assert_safe(out)
            told = self.json_lines(out, EVENT_KEYS)
            self.assertEqual(sorted(e["title"] for e in told),
                             sorted(a["title"] for a in self.server.activities.values()))  # nothing is lost of it
            status, out, err = self.run_command(*self.at_server("wait", "--timeout", "0.2"))
            self.assertEqual((status, out), (4, ""))
            self.assert_safe(err)
            self.assertEqual(err.count("\n"), 1, f"PLEX_TEST_SEED={self.seed}: {err!r}")

    def test_refusals(self):
        for _ in range(10):
            text = hostile(self.random)
            self.server.refuse_with = self.random.choice((400, 403, 404, 429, 500, 503))
            self.server.refusal = self.random.choice((
                text, f"<html><title>{text}</title>", json.dumps({"errors": [{"code": 1, "message": text}]}),
                f'<Response title="{text}" status="{text}"/>'))
            for command in (["list"], ["watch"], ["cancel", "u"], ["scan", "3"]):
                err = self.assert_failed(self.run_command(*self.at_server(*command)), 3 if self.server.refuse_with == 403
                                         else 1)
                self.assert_safe(err)

    def test_findings(self):
        for number in range(3):
            self.server.activities = {str(i): self.activity(i) for i in range(5)} if number else {}
            self.server.refuse_path = {} if number else {"/activities": 500}
            self.server.refusal = hostile(self.random)
            for json_too in ([], ["--json"]):
                _, out, err = self.run_command(*self.at_server("doctor", *json_too))
                self.assert_safe(out)
                self.assert_safe(err)


if __name__ == "__main__":
    main()
