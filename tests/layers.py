#!/usr/bin/env python3
"""Data flows one way (CONTRIBUTING.md): what includes what in src, and that src/protocol and src/sync do no I/O and read no
clock. Without arguments."""

import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parents[1] / "src"
# The record of an activity and its memory are below all of them.
RECORD = {"activity_record.hpp", "block_recycler.hpp"}
MAY_INCLUDE = {"protocol": {"protocol"}, "sync": {"sync", "protocol"}, "net": {"net", "protocol"}}
NO_IO = re.compile(r"^#include <(boost/(asio|beast)/|openssl/|sys/|netinet/|unistd|fstream|poll|thread)|::now\(\)|\bsleep_", re.M)
faults = []
looked_at = 0

for layer, may_include in MAY_INCLUDE.items():
    for file in sorted((SRC / layer).glob("*.?pp")):
        text = file.read_text(encoding="utf-8")
        for included in re.findall(r'^#include "([^"]+)"', text, re.M):
            looked_at += 1
            path = file.parent / included
            path = path if path.exists() else SRC / included
            where = path.resolve().relative_to(SRC)
            if str(where) not in RECORD and (len(where.parts) == 1 or where.parts[0] not in may_include):
                faults.append(f"src/{layer}/{file.name} includes {where}")
        if layer != "net" and (found := NO_IO.search(text)):
            faults.append(f"src/{layer}/{file.name} does I/O or reads a clock: {found[0]}")

if looked_at < 80:
    faults.append(f"only {looked_at} includes were found")
print("\n".join(faults) or f"{looked_at} includes go one way")
sys.exit(1 if faults else 0)
