#!/usr/bin/env python3
"""run.sh prints JSON lines of the names, units and fields that others read, with figures in them. A few events of each: what
is printed is looked at, not how fast it is.

    driver_test.py FOLDER_OF_THE_PROGRAMS
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

RUN = Path(__file__).resolve().parent / "run.sh"
PROGRAMS = os.path.abspath(sys.argv.pop())
sys.path.insert(0, str(RUN.parent / "driver"))
import curves  # noqa: E402

# In place of valgrind, whose own part bench.budget tests: runs the program, and tells ever more instructions.
VALGRIND = """#!/bin/sh
for word in "$@"; do
  case "$word" in
  --callgrind-out-file=*) printf 'totals: %s\\n' "$(date +%s%N)" >"${word#*=}"; shift ;;
  -*) shift ;;
  *) break ;;
  esac
done
exec "$@"
"""

EVENTS, REQUESTS = "events/s", "requests/s"
COUNTED = {"ns_per_event", "allocs_per_event", "instructions_per_event"}
UNCOUNTED = {"ns_per_event", "allocs_per_event"}
CONFLATED = {"conflated"}
IDLE = UNCOUNTED | {"kib_per_feed", "core_share", "open_seconds", "peers_kib_per_feed"}

# name: unit, fields, whom it is compared with, of those the ones that may be missing
LINES = {
    "feed": (EVENTS, COUNTED | CONFLATED, {"beast_read_loop"}, {"node_ws", "bun", "go_gorilla", "aiohttp"}),
    "feed_batch": (EVENTS, COUNTED | CONFLATED, {"beast_read_loop"}, set()),
    "feed_callback": (EVENTS, COUNTED | CONFLATED, {"beast_read_loop"}, set()),
    "feed_skip": ("messages/s", COUNTED, {"beast_read_loop"}, set()),
    "feed_eventsource": (EVENTS, COUNTED | CONFLATED, {"websocket_feed"}, {"npm_eventsource"}),
    "feed_tls": (EVENTS, COUNTED | CONFLATED, {"beast_read_loop"}, set()),
    "decode": ("messages/s", COUNTED, {"beast_read_loop"}, set()),
    "list": (REQUESTS, COUNTED | {"vs_on_one_core"}, {"beast_request_loop"}, {"libcurl"}),
    "cancel": (REQUESTS, COUNTED, {"beast_request_loop"}, set()),
    "list_1000": (REQUESTS, COUNTED, {"decode", "beast_request_loop"}, set()),
    "in_flight_64": (REQUESTS, UNCOUNTED, {"one_at_a_time"}, set()),
    "latency": ("ns", UNCOUNTED | {"p50_ns", "p99_ns"}, {"p50", "p99"}, set()),
    "idle_feeds": ("feeds/s", IDLE, {"beast_read_loop"}, {"node_ws"}),
    "idle_feeds_tls": ("feeds/s", IDLE, {"beast_read_loop"}, {"node_ws"}),
    "subscribers_1000": (EVENTS, COUNTED | CONFLATED, {"with_one_stalled"}, set()),
    "subscribers_1000_next": (EVENTS, COUNTED | CONFLATED, set(), set()),
    "subscribers_1000_callback": (EVENTS, COUNTED | CONFLATED, {"with_one_stalled"}, set()),
    "slow_reader": (EVENTS, COUNTED | CONFLATED | {"pending", "kib_growth"}, {"beast_read_loop"}, set()),
    "soak": (EVENTS, UNCOUNTED | CONFLATED | {"growth", "kib_at_tenth", "kib_at_end"}, set(), set()),
    "include_cost": ("s", {"seconds"}, {"awaitable"}, set()),
    "build_cost": ("s", {"seconds", "mib_largest_unit", "largest_unit"}, set(), set()),
}


def run(*options, **environment):
    words = ["bash", str(RUN), *options]
    return subprocess.run(words, capture_output=True, text=True, env=os.environ | {"PLEX_BENCH_PROGRAMS": PROGRAMS} | environment)


def can_draw(python):
    return os.access(python, os.X_OK) and subprocess.run([python, "-c", "import matplotlib"], capture_output=True).returncode == 0


class Driver(unittest.TestCase):
    def check(self, line):
        unit, fields, always, perhaps = LINES[line.pop("bench")]
        self.assertEqual(line.pop("unit"), unit)
        self.assertGreater(line.pop("value"), 0)
        skipped = set(line.pop("skipped", []))
        self.assertLessEqual(skipped, perhaps)
        vs = line.pop("vs")
        self.assertEqual(set(vs), always | perhaps - skipped)
        for name, ratio in vs.items():
            self.assertGreater(ratio, 0, name)
        self.assertEqual(set(line), fields)
        for field in fields - {"largest_unit", "peers_kib_per_feed", "kib_growth", "vs_on_one_core"}:
            self.assertGreaterEqual(line[field], 0, field)

    def test_each_bench_prints_its_line(self):
        with tempfile.TemporaryDirectory() as folder:
            valgrind = Path(folder) / "valgrind"
            valgrind.write_text(VALGRIND)
            valgrind.chmod(0o755)
            # Idle feeds are watched for a while: side by side with the rest.
            apart = ["idle_feeds", "idle_feeds_tls"]
            parts = [apart[:1], apart[1:], [name for name in LINES if name not in apart]]
            with ThreadPoolExecutor() as pool:
                parts_done = list(pool.map(lambda names: run(
                    "--quick", "--only", ",".join(names), PLEX_BENCH_COUNT="300", PATH=f"{folder}:{os.environ['PATH']}"), parts))
        for names, done in zip(parts, parts_done):
            self.assertEqual(done.returncode, 0, done.stderr)
            lines = [json.loads(text) for text in done.stdout.splitlines()]
            self.assertEqual([line["bench"] for line in lines], names)
            for line in lines:
                with self.subTest(line=json.dumps(line)):
                    self.check(line)

    def test_what_is_not_there_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            for tool in ("bash", "dirname"):
                os.symlink(shutil.which(tool), Path(folder) / tool)
            os.symlink(sys.executable, Path(folder) / "python3")  # what is found first may be a script that needs more
            done = run("--only", "decode,feed", PLEX_BENCH_COUNT="300", PATH=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        feed, decode = (json.loads(text) for text in done.stdout.splitlines())
        self.assertIn("node_ws", feed["skipped"])
        self.assertEqual(decode["skipped"], ["callgrind"])
        self.assertNotIn("instructions_per_event", decode)

    def test_a_bench_that_fails_is_an_error_and_the_others_go_on(self):
        with tempfile.TemporaryDirectory() as folder:
            for program in ("bench_server", "bench_decode", "bench_beast_read_loop"):
                os.symlink(Path(PROGRAMS) / program, Path(folder) / program)
            broken = Path(folder) / "bench_feed"
            broken.write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
            broken.chmod(0o755)
            done = run("--only", "feed,decode", PLEX_BENCH_COUNT="300", PLEX_BENCH_PROGRAMS=folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("broken", done.stderr)
        self.assertEqual([json.loads(text)["bench"] for text in done.stdout.splitlines()], ["decode"])

    def test_an_unknown_bench_or_option_is_refused(self):
        self.assertNotEqual(run("--only", "nothing").returncode, 0)
        self.assertEqual(run("--fast").returncode, 2)

    def test_pictures_are_drawn_of_the_lines_for_both_themes(self):
        python = next((p for p in (sys.executable, "/usr/bin/python3") if can_draw(p)), None)
        if python is None:
            self.skipTest("matplotlib is not installed")
        lines = [{"bench": "feed", "ns_per_event": 200, "vs": {"beast_read_loop": 6, "bun": 8}}]
        for series in curves.DELIVERY:
            lines += [{"curve": "subscribers", "series": series, "x": x, "y": 1e6 * x} for x in (1, 1000)]
        for series in curves.IDLE:
            lines += [{"curve": "feeds", "series": series, "x": x, "y": x / 100} for x in (500, 9500)]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "lines"
            file.write_text("".join(json.dumps(line) + "\n" for line in lines))
            subprocess.run([python, "-B", RUN.parent / "driver" / "plot.py", file, folder], check=True)
            pictures = {path.name: path.read_text() for path in Path(folder).glob("*.svg")}
        names = {f"bench-{what}-{theme}.svg" for what in ("feed", "scaling") for theme in ("light", "dark")}
        self.assertEqual(set(pictures), names)
        for name, text in pictures.items():
            self.assertIn("</svg>", text, name)


if __name__ == "__main__":
    unittest.main()
