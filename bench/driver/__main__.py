"""bench/run.sh without what it installs and builds: measures, and prints one JSON object a line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import curves
import machine
from benches import BENCHES, Bench, Call
from measure import Amount, line, say
from programs import BENCH, Failed, Programs, output_of, python_with


def chosen(names: str | None) -> list[Bench]:
    if names is None:
        return list(BENCHES)
    wanted = names.split(",")
    unknown = set(wanted) - {bench.name for bench in BENCHES}
    if unknown:
        sys.exit(f"no such bench: {', '.join(sorted(unknown))}")
    return [bench for bench in BENCHES if bench.name in wanted]


def tell_ceilings(programs: Programs, amount: Amount) -> None:
    for what, count in (("feed", 1_000_000), ("eventsource", 1_000_000), ("list", 30_000)):
        figures = programs.run(Call("ceiling", leading=(what,)), min(count, amount.at_most or count))
        say(f"the server's ceiling: {what} {figures['per_second']:.0f} in a second")


def plot(lines: list[dict[str, object]]) -> None:
    """The lines are kept, to draw again what took an hour to measure."""
    kept = BENCH.parent / "build" / "bench-lines.json"
    kept.write_text("".join(json.dumps(each) + "\n" for each in lines))
    # matplotlib may be another python's.
    say(output_of([python_with("matplotlib"), "-B", str(Path(__file__).parent / "plot.py"), str(kept), str(BENCH.parent / "docs")], None))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/run.sh", allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, fewer events")
    parser.add_argument("--only", metavar="NAME,...", help="these benches alone")
    parser.add_argument("--plot", action="store_true", help="draw them, and two curves, into docs/")
    parser.add_argument("--programs", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--peers", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plot and not python_with("matplotlib"):
        sys.exit("--plot takes matplotlib: bench/run.sh --install")

    at_most = os.environ.get("PLEX_BENCH_COUNT")
    amount = Amount(options.quick, int(at_most) if at_most else None)
    benches = chosen(options.only)
    lines: list[dict[str, object]] = []
    failures = 0
    # A test looks at no time, and runs beside others.
    client, server = (None, None) if at_most else machine.cores()
    with machine.kept_awake(client), machine.server(options.programs, server) as ports:
        programs = Programs(options.programs, options.peers, ports, client)
        if not options.only:
            tell_ceilings(programs, amount)
        for bench in benches:
            try:
                lines.append(line(programs, bench, amount, client))
                print(json.dumps(lines[-1], separators=(",", ":")), flush=True)
            except Failed as failure:
                say(f"{bench.name} failed: {failure}")
                failures += 1
        if options.plot:
            lines += curves.measured(programs, amount)
    if options.plot:
        plot(lines)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
