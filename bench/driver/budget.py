"""Instructions and allocations of each hot path against what bench/budget.json allows. They are the same in every run, so
that a regression fails a test; times are not looked at.

    budget.py --programs FOLDER            status 0: within the budget, 1: beyond, 77: not comparable here
    budget.py --programs FOLDER --renew    writes what is counted now
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import callgrind
import machine
from benches import BENCHES, Bench
from programs import BENCH, Failed, Programs

FILE = BENCH / "budget.json"
SLACK = 0.10
STRAY_ALLOCATIONS = 0.01
"""Of an event: what is left of a start where none is allowed."""
SKIPPED = 77
RENEW = "bench/run.sh --renew-budget"


def count_one(folder: Path, bench: Bench) -> dict[str, float]:
    # A server of its own, as a step in the scene `/stepped` is one of all its clients.
    with machine.server(folder, None) as ports:
        programs = Programs(folder, Path(), ports, None)
        instructions, allocations = callgrind.each(programs, bench.ours, bench.callgrind_count, None)
    return {"instructions": round(instructions), "allocations": round(allocations, 2)}


def count_all(folder: Path) -> dict[str, dict[str, float]]:
    counted = [bench for bench in BENCHES if bench.callgrind_count]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return dict(zip((bench.name for bench in counted), pool.map(lambda bench: count_one(folder, bench), counted)))


def excesses(counted: dict[str, dict[str, float]], budget: dict[str, dict[str, float]]) -> list[str]:
    """What exceeds its budget, and by how much."""
    found = [f"{name} has no budget" for name in counted if name not in budget]
    for name, allowed in budget.items():
        if name not in counted:
            found.append(f"{name} is in the budget, and nothing counts it")
            continue
        for what, of_old in allowed.items():
            now = counted[name][what]
            limit = of_old * (1 + SLACK) + (STRAY_ALLOCATIONS if what == "allocations" else 0)
            if now > limit:
                more = f", {now / of_old - 1:+.1%}" if of_old >= 1 else ""
                found.append(f"{name}: {now:g} {what} an event, the budget is {of_old:g}{more} (allowed: {SLACK:.0%})")
    return found


def incomparable(built: dict[str, str], measured: dict[str, str]) -> str | None:
    """Why the counts say nothing here: they depend on who compiled what."""
    for what in ("compiler", "boost", "build_type", "machine"):
        if built[what] != measured[what]:
            return f"counted with {what} {measured[what]!r}, this is {built[what]!r}"
    return None


def must_compare() -> bool:
    """CI on Debian 12 with its own compiler: there the budget is never left unchecked."""
    release = Path("/etc/debian_version")
    return bool(os.environ.get("CI")) and release.exists() and release.read_text().startswith("12.")


def check(programs: Path) -> int:
    file = json.loads(FILE.read_text())
    built = json.loads((programs / "built_with.json").read_text())
    reason = None if callgrind.available() else "there is no valgrind"
    reason = reason or incomparable(built, file["counted_with"])
    if reason:
        debians_own = "deb12" in built["compiler"]
        print(f"The budget is not checked: {reason}.")
        if must_compare() and debians_own:
            print(f"This is CI with Debian 12's own compiler, where it has to be. To renew it: {RENEW}")
            return 1
        return SKIPPED
    counted = count_all(programs)
    for name, counts in counted.items():
        was = file["budget"].get(name, {"instructions": float("nan"), "allocations": float("nan")})
        print(f"{name:28} {counts['instructions']:>10} instructions (budget {was['instructions']}), "
              f"{counts['allocations']:g} allocations ({was['allocations']:g})")
    found = excesses(counted, file["budget"])
    for each in found:
        print(f"EXCEEDED {each}")
    if found:
        print(f"Where that is meant: {RENEW}")
    return 1 if found else 0


def renew(programs: Path) -> int:
    built = json.loads((programs / "built_with.json").read_text())
    FILE.write_text(json.dumps({"counted_with": built, "budget": count_all(programs)}, indent=2) + "\n")
    print(f"written: {FILE.relative_to(BENCH.parent)}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--renew", action="store_true")
    options = parser.parse_args()
    try:
        return (renew if options.renew else check)(options.programs)
    except Failed as failure:
        print(failure)
        return 1


if __name__ == "__main__":
    sys.exit(main())
