"""A bench measured: rounds in which all take turns, so that they see the same neighbours; medians; its line."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass

import callgrind
from benches import Bench, Call, Figures, Ratio, by_rate
from programs import Programs


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    quick: bool = False
    at_most: int | None = None
    """Set by tests: so many events, and of each program one run."""

    def rounds(self, bench: Bench) -> int:
        return 1 if self.at_most else bench.quick_rounds if self.quick else bench.rounds

    def count(self, bench: Bench) -> int:
        return self.limited(bench, bench.quick_count if self.quick else bench.count)

    def limited(self, bench: Bench, count: int) -> int:
        limit = min(count, self.at_most or count)
        return (limit + bench.multiple - 1) // bench.multiple * bench.multiple


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def typical(runs: list[Figures]) -> Figures:
    """The median of each figure, but of what must not happen the largest."""
    figures: Figures = {}
    for name, first in runs[0].items():
        values = [run[name] for run in runs]
        of = first if isinstance(first, str) else max(values) if name == "conflated" else statistics.median(values)
        figures[name] = of
    return figures


def in_turns(programs: Programs, calls: list[Call], count: int, rounds: int) -> dict[Call, list[Figures]]:
    """Of each what its rounds printed."""
    runs: dict[Call, list[Figures]] = {call: [] for call in calls}
    for _ in range(rounds):
        for call in calls:
            runs[call].append(programs.run(call, count))
    return runs


def compared(ratio: Ratio, own: list[Figures], peer: list[Figures]) -> float | str:
    """The median of the rounds' ratios: a machine that others share may be twice as fast a minute later."""
    return rounded(statistics.median(map(ratio, own, peer)))


def rounded(value: float | str) -> float | str:
    """To four digits; above them, to a whole number."""
    if isinstance(value, str):
        return value
    short = round(value) if abs(value) >= 1000 else float(f"{value:.4g}")
    return int(short) if short == int(short) else short


def line(programs: Programs, bench: Bench, amount: Amount, core: int | None) -> dict[str, object]:
    count, rounds = amount.count(bench), amount.rounds(bench)
    there = {name: versus for name, versus in bench.vs.items() if programs.has(versus.call)}
    skipped = [name for name in bench.vs if name not in there]
    ours = bench.tested or bench.ours if amount.at_most else bench.ours
    calls = list(dict.fromkeys([ours, *(versus.call for versus in there.values())]))
    say(f"{bench.name}: {rounds} rounds of {count}")
    runs = in_turns(programs, calls, count, rounds)
    figures = {call: typical(of_call) for call, of_call in runs.items()}
    own = figures[ours]

    result: dict[str, object] = {"bench": bench.name, "unit": bench.unit, "value": rounded(own[bench.value])}
    if "ns_each" in own:
        result["ns_per_event"] = rounded(own["ns_each"])
    result["vs"] = {name: compared(versus.ratio, runs[ours], runs[versus.call]) for name, versus in there.items()}
    if "allocs_each" in own:
        result["allocs_per_event"] = rounded(round(own["allocs_each"], 3))
    if bench.callgrind_count and callgrind.available():
        counted = amount.limited(bench, bench.callgrind_count)
        instructions, _ = callgrind.each(programs, ours, counted, core)
        result["instructions_per_event"] = rounded(instructions)
    elif bench.callgrind_count:
        skipped.append("callgrind")
    if bench.on_one_core:
        with programs.with_the_server_beside() as beside:
            slower = in_turns(beside, calls, max(1, count // 4), rounds)
        result["vs_on_one_core"] = {
            name: compared(by_rate, slower[ours], slower[versus.call]) for name, versus in there.items()
        }
    for name in bench.fields:
        result[name] = rounded(own[name])
    if bench.peers_field:
        peers = {name: rounded(figures[versus.call][bench.peers_field]) for name, versus in there.items()}
        result["peers_" + bench.peers_field] = peers
    if skipped:
        result["skipped"] = skipped
    for call in calls:
        if "ns_each" in figures[call]:
            say(f"  {' '.join([call.program, *call.more])}: {figures[call]['ns_each']:.0f} ns each, "
                f"{figures[call]['per_second']:.0f} in a second")
    return result
