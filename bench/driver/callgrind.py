"""Instructions each, counted by valgrind: the same in every run, whatever the neighbours do."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

from benches import Call, Figures
from programs import Failed, Programs, output_of


def available() -> bool:
    return shutil.which("valgrind") is not None


def _once(programs: Programs, call: Call, count: int, core: int | None) -> tuple[int, Figures]:
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder) / "callgrind"
        tool = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={counts}"]
        printed = json.loads(output_of(tool + programs.command(call, count), core))
        return int(re.search(r"^totals: (\d+)", counts.read_text(), re.MULTILINE)[1]), printed


def each(programs: Programs, call: Call, count: int, core: int | None) -> tuple[float, float]:
    """Instructions and allocations of each event: of twice as many less of once, so that start and warm-up cancel out."""
    total_once, once = _once(programs, call, count, core)
    total_twice, twice = _once(programs, call, 2 * count, core)
    if twice["count"] == once["count"]:
        raise Failed(f"{call.program}: {count} and twice as many are the same to it")
    more = twice["count"] - once["count"]
    allocations = twice["allocs_each"] * twice["count"] - once["allocs_each"] * once["count"]
    return (total_twice - total_once) / more, max(0.0, allocations / more)
