#!/usr/bin/env python3
"""Each benchmark program prints the line that README.md promises. A few events of each, so that they do not rot: what
they print is looked at, not how fast they are.

    programs_test.py FOLDER_OF_THE_PROGRAMS
"""
import json
import os
import subprocess
import sys
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = sys.argv.pop()
ALWAYS = {"count", "per_second", "ns_each", "allocs_each"}
LATENCY = {"p50_ns", "p99_ns"}
IDLE = {"kib_per_feed", "open_seconds", "core_share"}
CONFLATED = {"conflated"}

# program, port, count, more arguments, the name it prints, more fields than all have
RUNS = [
    ("beast_idle_feeds", "plain", 20, [], "beast_idle_feeds", IDLE),
    ("beast_idle_feeds", "tls", 20, ["tls"], "beast_idle_feeds_tls", IDLE),
    ("beast_latency", "plain", 50, [], "beast_latency", LATENCY),
    ("beast_read_loop", "plain", 300, [], "beast_read_loop", set()),
    ("beast_read_loop", "plain", 300, ["others"], "beast_read_loop", set()),
    ("beast_read_loop_tls", "tls", 300, [], "beast_read_loop_tls", set()),
    ("beast_request_loop", "plain", 30, [], "beast_request_loop", set()),
    ("beast_request_loop", "plain", 30, ["cancel"], "beast_request_loop", set()),
    ("beast_request_loop", "plain", 30, ["list_1000"], "beast_request_loop", set()),
    ("cancel", "plain", 30, [], "cancel", set()),
    ("decode", None, 300, [], "decode", set()),
    ("decode_list", None, 3, [], "decode_list", set()),
    ("feed", "plain", 300, [], "feed", CONFLATED),
    ("feed_batch", "plain", 300, [], "feed_batch", CONFLATED),
    ("feed_callback", "plain", 300, [], "feed_callback", CONFLATED),
    ("feed_eventsource", "plain", 300, [], "feed_eventsource", CONFLATED),
    ("feed_skip", "plain", 300, [], "feed_skip", set()),
    ("feed_tls", "tls", 300, [], "feed_tls", CONFLATED),
    ("idle_feeds", "plain", 20, [], "idle_feeds", IDLE),
    ("idle_feeds", "tls", 20, ["tls"], "idle_feeds_tls", IDLE),
    ("in_flight_64", "plain", 64, [], "in_flight_64", set()),
    ("latency", "plain", 50, [], "latency", LATENCY),
    ("list", "plain", 30, [], "list", set()),
    ("list_1000", "plain", 3, [], "list_1000", set()),
    ("one_at_a_time", "plain", 5, [], "one_at_a_time", set()),
    ("slow_reader", "plain", 300, [], "slow_reader", {"conflated", "pending", "kib_growth"}),
    ("soak", "plain", 3000, [], "soak", {"conflated", "kib_at_tenth", "kib_at_end", "growth"}),
    ("subscribers_1000", "plain", 300, [], "subscribers_1000", CONFLATED),
    ("subscribers_1000", "plain", 300, ["stalled"], "subscribers_1000_stalled", CONFLATED),
    ("subscribers_1000", "plain", 300, ["next"], "subscribers_1000_next", CONFLATED),
    ("subscribers_1000", "plain", 300, ["3"], "subscribers_3", CONFLATED),
    ("subscribers_1000_callback", "plain", 300, ["3"], "subscribers_3_callback", CONFLATED),
    ("subscribers_1000_callback", "plain", 300, [], "subscribers_1000_callback", CONFLATED),
    ("subscribers_1000_callback", "plain", 300, ["stalled"], "subscribers_1000_callback_stalled", CONFLATED),
]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    return command, done.returncode, done.stdout, done.stderr


class Programs(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen(
            [os.path.join(PROGRAMS, "bench_server")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.communicate)  # ends it
        plain, tls = self.server.stdout.readline().split()
        self.ports = {"plain": [plain], "tls": [tls], None: []}

    def check(self, finished, name, least, fields):
        command, status, out, err = finished
        with self.subTest(command=" ".join(command)):
            self.assertEqual((status, err), (0, ""))
            line = json.loads(out)
            self.assertEqual(line.pop("program"), name)
            self.assertEqual(set(line), fields)
            self.assertGreaterEqual(line["count"], least)
            for field, value in line.items():
                if field != "largest_unit":
                    self.assertIsInstance(value, (int, float), field)
            return line

    def test_each_prints_its_line(self):
        commands = [[os.path.join(PROGRAMS, "bench_" + program)] + self.ports[port] + [str(count)] + more
                    for program, port, count, more, _, _ in RUNS]
        # A step is for all feeds that are stepped, so whoever uses them takes turns.
        turns = threading.Lock()

        def run_beside_others(command):
            if "subscribers" not in command[0]:
                return run(command)
            with turns:
                return run(command)

        with ThreadPoolExecutor(6) as pool:
            finished = list(pool.map(run_beside_others, commands))
        for result, (_, _, count, _, name, more) in zip(finished, RUNS):
            line = self.check(result, name, count, ALWAYS | more)
            if line and "conflated" in more and name != "slow_reader":
                self.assertEqual(line["conflated"], 0, name)

    def test_the_ceiling_is_told_of_each(self):
        for what in ("feed", "eventsource", "list"):
            finished = run([os.path.join(PROGRAMS, "bench_ceiling"), what] + self.ports["plain"] + ["300"])
            self.check(finished, "ceiling_" + what, 300, ALWAYS)

    def test_the_compiler_is_timed(self):
        self.check(run([os.path.join(HERE, "include_cost.sh"), "1"]), "include_cost", 1,
                   {"count", "seconds", "awaitable_seconds", "awaitable"})
        one_file = "CMakeFiles/plex_core.dir/src/sync/merge.cpp.o"
        self.check(run([os.path.join(HERE, "build_cost.sh"), one_file]), "build_cost", 1,
                   {"count", "seconds", "mib_largest_unit", "largest_unit"})


if __name__ == "__main__":
    unittest.main()
