#!/usr/bin/env python3
"""Reads what `llvm-cov export -summary-only` says, and prints lines and branches reached for each folder. Ends with 1
where the least that tests/coverage.sh asks for is not reached."""

import collections
import json
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parents[1]
LEAST = {"src/protocol": 95.0, "src/sync": 95.0, "all": 90.0}


def main(path):
    reached = collections.defaultdict(lambda: {"lines": [0, 0], "branches": [0, 0]})
    for file in json.loads(pathlib.Path(path).read_text())["data"][0]["files"]:
        name = pathlib.Path(file["filename"])
        if not name.is_relative_to(TOP):
            continue
        folder = str(name.relative_to(TOP).parent)
        for where in (folder, "all"):
            for what in ("lines", "branches"):
                reached[where][what][0] += file["summary"][what]["covered"]
                reached[where][what][1] += file["summary"][what]["count"]
    failed = False
    print(f"{'folder':24}{'lines':>8}{'':>14}{'branches':>12}")
    for folder in sorted(reached, key=lambda f: (f == "all", f)):
        percent = {what: 100 * hit / count if count else 100.0 for what, (hit, count) in reached[folder].items()}
        hit, count = reached[folder]["lines"]
        least = LEAST.get(folder, 0)
        short = percent["lines"] < least
        failed = failed or short
        print(f"{folder:24}{percent['lines']:7.2f}%{f'{hit}/{count}':>14}{percent['branches']:11.2f}%"
              + (f"   LESS than {least:g} % of lines" if short else ""))
    for folder in LEAST.keys() - reached.keys():
        print(f"{folder}: nothing is known of it")
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
