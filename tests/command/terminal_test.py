#!/usr/bin/env python3
"""The bars and colours, on a terminal of our own that knows what the command may ask of one, and nothing else."""

import codecs
import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

from command_case import LIMIT, PROGRAM, TOKEN, ServerCase, main

EPG = {"uuid": "d6199ba1", "type": "provider.epg.load", "cancellable": False, "progress": 7, "userID": 1,
       "title": "Refreshing EPG", "subtitle": "Downloaded 173 airings"}
HOSTILE = {"uuid": "bad", "type": "butler", "cancellable": False, "progress": -1,
           "title": "\x1b[2J\x1b]0;x\x07\u202e日本語の映画をスキャンしています \u009b5m", "subtitle": "a\nb\rc"}
BOLD, RED, GREEN, CYAN = "1", "31", "32", "36"


def width_of(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


class Screen:
    """Lines without end above the cursor; fails on sequences that it does not know and on lines that are too wide."""

    SEQUENCE = re.compile(r"\x1b\[(\?25l|\?25h|\?7l|\?7h|J|(\d+)A|(\d+)m)")

    def __init__(self, columns):
        self.columns = columns
        self.lines = [""]
        self.row = 0
        self.cursor_shown = True
        self.wraps = True
        self.widest = 0
        self.most_bars = 0
        self.pending = ""
        self.colour = "0"
        self.coloured = {}  # by colour, what has been written in it
        self.decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def feed(self, data):
        text = self.pending + self.decoder.decode(data)
        while text:
            if text[0] == "\x1b":
                match = self.SEQUENCE.match(text)
                if not match:
                    if len(text) < 8:
                        break
                    raise AssertionError("an unknown sequence: %r" % text[:20])
                self.obey(match)
                text = text[match.end():]
                continue
            self.put(text[0])
            text = text[1:]
        self.pending = text

    def obey(self, match):
        what = match.group(1)
        if what in ("?25l", "?25h"):
            self.cursor_shown = what.endswith("h")
        elif what in ("?7l", "?7h"):
            self.wraps = what.endswith("h")
        elif match.group(3):
            self.colour = match.group(3)
        elif what == "J":
            del self.lines[self.row + 1:]
            self.lines[self.row] = ""
        else:
            self.row -= int(match.group(2))
            assert self.row >= 0, "the cursor left the top"

    def put(self, character):
        if character == "\n":
            assert self.colour == "0", "a colour runs on to the next line"
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
            self.most_bars = max(self.most_bars, len(self.bars()))
        elif character != "\r":
            assert unicodedata.category(character) not in ("Cc", "Cf"), "%r reached the terminal" % character
            self.lines[self.row] += character
            if self.colour != "0":
                self.coloured[self.colour] = self.coloured.get(self.colour, "") + character
            if not self.wraps:
                width = width_of(self.lines[self.row])
                self.widest = max(self.widest, width)
                assert width <= self.columns, "wider than %d: %r" % (self.columns, self.lines[self.row])

    def resize(self, columns):
        """Lines that have become too long are broken anew, as terminals do."""
        broken = []
        for number, line in enumerate(self.lines):
            if number == self.row:
                row = len(broken)
            broken += [line[at:at + columns] for at in range(0, len(line), columns)] or [""]
        self.lines, self.row, self.columns = broken, row, columns

    def bars(self):
        return [line for line in self.lines if re.search(r"(\d%|\.\.\.)( |$|  +\d+:\d\d$)", line)]


class Terminal(ServerCase):
    def open(self, *arguments, columns=80, rows=24, **environment):
        self.terminal, side = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        self.resize(columns, rows)
        settings = termios.tcgetattr(side)
        settings[3] &= ~termios.ECHO  # what is on the screen is the command's alone
        termios.tcsetattr(side, termios.TCSANOW, settings)
        self.screen = Screen(columns)
        self.process = self.start(*self.at_server(*arguments), stdout=side, stderr=subprocess.PIPE,
                                  env=self.environment(**{"TERM": "xterm", **environment}), start_new_session=True,
                                  preexec_fn=lambda: fcntl.ioctl(side, termios.TIOCSCTTY, 0))
        os.close(side)

    def resize(self, columns, rows):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_some(self, until):
        """Takes what is printed next; False once the command has gone and all is taken."""
        self.assertTrue(select.select([self.terminal], [], [], max(0, until - time.monotonic()))[0],
                        "\n".join(self.screen.lines))
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # nobody holds the other side any more
            return False
        self.assertNotIn(TOKEN.encode(), data)
        self.screen.feed(data)
        return True

    def read_until(self, condition):
        until = time.monotonic() + LIMIT
        while not condition(self.screen):
            self.assertTrue(self.read_some(until), "\n".join(self.screen.lines))

    def read_to_the_end(self):
        until = time.monotonic() + LIMIT
        while self.read_some(until):
            pass
        return self.process.wait(LIMIT)

    def test_a_scan_has_a_bar_that_moves_and_leaves_a_line(self):
        self.server.scan_on_list = True
        self.server.pace = 0.02
        self.open("watch", "--count", "42")
        seen = set()
        self.read_until(lambda s: any(line.startswith("ended ") for line in s.lines)
                        or (seen.update(s.bars()) and False))
        self.assertEqual(self.read_to_the_end(), 0)
        self.assertGreater(len(seen), 3, seen)
        self.assertTrue(any("[=" in bar for bar in seen), seen)
        self.assertEqual(self.screen.most_bars, 1)
        self.assertEqual(self.screen.lines, ["ended     Scanning Movies · Film 039 (1984)  100 %", ""])
        self.assertTrue(self.screen.cursor_shown and self.screen.wraps)

    def test_scan_and_wait_have_bars_too(self):
        scan = {"uuid": "mine", "type": "library.update.section", "title": "Scanning Movies", "progress": 40,
                "Context": {"librarySectionID": "3"}}

        async def refresh():
            await self.server.starts(scan)
        self.server.actions["GET /library/sections/3/refresh"] = refresh
        for command in (["scan", "3"], ["wait", "--type", "library."]):
            with self.subTest(command):
                self.server.activities = {"mine": scan}
                if command[0] == "scan":
                    self.server.activities = {}
                self.open(*command)
                self.read_until(lambda s: len(s.bars()) == 1)
                self.server.call(self.server.ends(dict(scan, progress=100)))
                self.assertEqual(self.read_to_the_end(), 0)
                self.assertEqual(self.screen.lines, ["ended     Scanning Movies  100 %", ""])
                self.assertTrue(self.screen.cursor_shown and self.screen.wraps)

    def test_each_running_activity_has_a_bar_and_hostile_titles_do_no_harm(self):
        self.server.activities = {"d6199ba1": EPG, "bad": HOSTILE}
        for columns in (80, 50, 30, 12, 5, 1):
            with self.subTest(columns):
                self.open("watch", columns=columns)
                if columns >= 30:
                    self.read_until(lambda s: len(s.bars()) == 2)
                else:
                    self.read_until(lambda s: len(s.lines) == 3 and s.wraps)
                if columns >= 50:
                    self.assertIn("<=>", self.screen.bars()[1])
                self.process.send_signal(signal.SIGINT)
                self.assertEqual(self.read_to_the_end(), 130)
                self.assertTrue(self.screen.cursor_shown and self.screen.wraps)
                self.assertLessEqual(self.screen.widest, columns)

    def test_whatever_activities_and_errors_are_called_the_terminal_obeys_us_alone(self):
        seed = int(os.environ.get("PLEX_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
        source = random.Random(seed)

        def text():
            phrases = ("\x1b[2J", "\x1b[9A", "\x1b]0;x\x07", "\x1b[?25l", "\r\n", "\n", "\u009b5A", "\u202e", "\u2066", "\x08",
                       "\x0e", "\x1bc", "\u2028", "\t", "\x7f", "\u0300", "日本", "a", "Z", "%", " ")
            return "".join(source.choice(phrases) for _ in range(source.randrange(20)))

        with self.subTest(f"PLEX_TEST_SEED={seed}"):
            for _ in range(6):
                some = {str(i): {"uuid": str(i), "type": "t" + text(), "title": text(), "subtitle": text(), "progress": 7}
                        for i in range(10)}
                self.server.activities = dict(some)
                columns = source.randrange(36, 120)
                self.open("watch", columns=columns)  # the screen fails on what it does not know
                self.read_until(lambda s: len(s.bars()) == 10)
                for activity in list(some.values())[:5]:
                    self.server.call(self.server.ends(activity))
                self.read_until(lambda s: len(s.bars()) == 5 and s.wraps and len(s.lines) >= 11)
                self.server.refuse_with = 500
                self.server.refusal = text()
                self.server.call(self.server.drop_listeners())
                self.read_until(lambda s: any("interrupted" in line for line in s.lines))
                self.process.send_signal(signal.SIGINT)
                self.assertEqual(self.read_to_the_end(), 130)
                self.assertTrue(self.screen.cursor_shown and self.screen.wraps)
                self.assertEqual(self.process.stderr.read(), b"")
                self.server.refuse_with = None

    def test_bars_follow_the_width_of_the_terminal(self):
        self.server.activities = {"d6199ba1": EPG, "other": dict(EPG, uuid="other")}
        self.open("watch", columns=100)
        for columns in (100, 60, 40, 120):
            # No byte is on its way while the size changes, so that it is clear which width it was meant for.
            self.process.send_signal(signal.SIGSTOP)
            os.waitpid(self.process.pid, os.WUNTRACED)
            while select.select([self.terminal], [], [], 0)[0]:
                self.read_some(time.monotonic() + LIMIT)
            self.resize(columns, 24)
            self.screen.resize(columns)
            self.process.send_signal(signal.SIGCONT)
            self.read_until(lambda s: s.wraps and [width_of(line) for line in s.lines] == [columns, columns, 0])

    def test_a_failure_gives_the_cursor_back_before_it_is_told(self):
        self.server.activities["d6199ba1"] = EPG
        self.open("watch")
        self.read_until(lambda s: s.bars() and not s.cursor_shown)
        self.server.token = "another"  # a lost feed alone is waited out
        self.server.call(self.server.drop_listeners())
        self.assertEqual(self.read_to_the_end(), 3)
        self.assertTrue(self.screen.cursor_shown)
        self.assertEqual(self.process.stderr.read().count(b"\n"), 1)

    def test_suspending_gives_the_cursor_back_and_continuing_draws_again(self):
        self.server.activities["d6199ba1"] = EPG
        self.open("watch")
        self.read_until(lambda s: bool(s.bars()))
        self.process.send_signal(signal.SIGTSTP)
        self.read_until(lambda s: s.cursor_shown and not s.bars())
        self.assertTrue(os.WIFSTOPPED(os.waitpid(self.process.pid, os.WUNTRACED)[1]))
        self.process.send_signal(signal.SIGCONT)
        self.read_until(lambda s: not s.cursor_shown and bool(s.bars()))
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.read_to_the_end(), 130)
        self.assertTrue(self.screen.cursor_shown and self.screen.wraps)

    def test_a_terminal_that_does_not_know_its_size_is_taken_for_one_of_80_columns(self):
        self.server.activities["d6199ba1"] = EPG
        self.open("watch", columns=0, rows=0)
        self.screen.columns = 80
        self.read_until(lambda s: bool(s.bars()))
        self.assertGreater(self.screen.widest, 40)

    def test_more_activities_than_rows_are_counted(self):
        self.server.activities = {str(i): dict(EPG, uuid=str(i)) for i in range(10)}
        self.open("watch", rows=5)
        self.read_until(lambda s: "and 7 more" in s.lines)
        self.assertEqual(len(self.screen.bars()), 3)

    def test_json_is_json_on_a_terminal_too(self):
        self.server.activities["bad"] = HOSTILE
        self.open("watch", "--json", "--count", "1", columns=9999)
        self.read_until(lambda s: len(s.lines) > 1)
        self.assertTrue(self.screen.lines[0].startswith('{"kind":"started"'), self.screen.lines)
        self.assertEqual(self.read_to_the_end(), 0)
        self.assertEqual(self.screen.coloured, {})

    def sees_an_end(self, **environment):
        """The colours of a bar, and of the line that it leaves."""
        self.server.activities["d6199ba1"] = EPG
        self.open("watch", **environment)
        self.read_until(lambda s: bool(s.bars()))
        self.server.call(self.server.ends(EPG))
        self.read_until(lambda s: any(line.startswith("ended ") for line in s.lines))
        self.process.send_signal(signal.SIGINT)
        self.assertEqual(self.read_to_the_end(), 130)
        return self.screen.coloured

    def test_bars_and_ends_have_colours(self):
        for environment in ({}, {"NO_COLOR": ""}):
            with self.subTest(environment):
                seen = self.sees_an_end(**environment)
                self.assertEqual(set(seen), {CYAN, GREEN})
                self.assertRegex(seen[CYAN], r"^(\[[ =>]+\])+$")
                self.assertEqual(seen[GREEN], "ended     ")

    def test_nothing_has_a_colour_where_that_is_not_wanted(self):
        self.assertEqual(self.sees_an_end(NO_COLOR="1"), {})
        self.open("list", NO_COLOR="1", columns=200)
        self.assertEqual(self.read_to_the_end(), 0)
        self.assertEqual(self.screen.coloured, {})
        self.open("list", TERM="dumb", columns=200)
        self.assertEqual(self.read_to_the_end(), 0)
        self.assertEqual(self.screen.coloured, {})

    def test_the_list_is_a_table_under_headings(self):
        self.server.activities = {"d6199ba1": EPG, "bad": HOSTILE}
        self.open("list", columns=200)
        self.assertEqual(self.read_to_the_end(), 0)
        headings, *rows = self.screen.lines[:-1]
        self.assertEqual(headings.split(), ["UUID", "TYPE", "PROGRESS", "CANCEL", "ACTIVITY"])
        self.assertEqual(self.screen.coloured, {BOLD: headings})
        self.assertEqual(len(rows), 2)
        for title in ("TYPE", "PROGRESS", "CANCEL", "ACTIVITY"):
            at = headings.index(title)
            self.assertTrue(all(row[at - 1] == " " and row[at] != " " for row in rows), self.screen.lines)

    def test_the_doctor_marks_what_is_well_and_what_is_not(self):
        self.server.refuse_path["/:/websockets/notifications"] = 404
        self.open("doctor", columns=200)
        self.assertEqual(self.read_to_the_end(), 1)
        self.assertEqual(set(self.screen.coloured), {GREEN, RED})
        self.assertEqual(set(self.screen.coloured[GREEN].split()), {"ok"})
        self.assertEqual(set(self.screen.coloured[RED].split()), {"FAILED"})

    def test_a_key_suspends_and_the_bars_come_back_in_the_width_of_then(self):
        self.server.activities["d6199ba1"] = EPG
        self.open("watch", columns=80)
        self.read_until(lambda s: bool(s.bars()))
        os.write(self.terminal, b"\x1a")  # as the key does: the terminal sends the signal
        self.read_until(lambda s: s.cursor_shown and not s.bars())
        self.assertTrue(os.WIFSTOPPED(os.waitpid(self.process.pid, os.WUNTRACED)[1]))
        self.resize(50, 24)
        self.screen.resize(50)
        self.process.send_signal(signal.SIGCONT)
        self.read_until(lambda s: not s.cursor_shown and [width_of(bar) for bar in s.bars()] == [50])
        os.write(self.terminal, b"\x1a")  # and again
        self.read_until(lambda s: s.cursor_shown and not s.bars())
        self.assertTrue(os.WIFSTOPPED(os.waitpid(self.process.pid, os.WUNTRACED)[1]))
        self.process.send_signal(signal.SIGCONT)
        self.read_until(lambda s: not s.cursor_shown and bool(s.bars()))
        os.write(self.terminal, b"\x03")
        self.assertEqual(self.read_to_the_end(), 130)
        self.assertTrue(self.screen.cursor_shown and self.screen.wraps)

    def test_a_dumb_terminal_gets_lines(self):
        self.server.activities["d6199ba1"] = EPG
        self.open("watch", "--count", "1", columns=80)
        self.read_to_the_end()
        self.process.wait()
        plain, side = pty.openpty()
        self.addCleanup(os.close, plain)
        process = self.start(*self.at_server("watch", "--count", "1"), stdout=side,
                             env=self.environment(TERM="dumb"))
        os.close(side)
        self.assertEqual(process.wait(LIMIT), 0)
        self.assertEqual(os.read(plain, 4096), "started   Refreshing EPG · Downloaded 173 airings  7 %\r\n".encode())


if __name__ == "__main__":
    main()
