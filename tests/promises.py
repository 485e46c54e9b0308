#!/usr/bin/env python3
"""Each test that SECURITY.md names exists: `path/of/file`: "case", "case"... in its text. Without arguments."""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
text = re.sub(r"\s+", " ", (root / "SECURITY.md").read_text(encoding="utf-8"))
named = re.findall(r'`(tests/[^`]+\.(?:cpp|py))`: ((?:"[^"]+"(?:, )?)+)', text)
missing = []
count = 0
for path, cases in named:
    file = root / path
    # A name may be broken over two literals.
    source = re.sub(r'"\s*\n\s*"', "", file.read_text(encoding="utf-8")) if file.exists() else ""
    for case in re.findall('"([^"]+)"', cases):
        count += 1
        declared = f"def {case}(self)" if path.endswith(".py") else f'TEST_CASE("{case}"'
        if declared not in source:
            missing.append(f"{path} has no {case!r}")

# A file that is named without a case would not be looked at, and a promise without a test is none.
unread = set(re.findall(r"`(tests/[^`]+\.(?:cpp|py))`", text)) - {path for path, _ in named} - {"tests/promises.py"}
missing += [f"{path} is named without a case" for path in sorted(unread)]
if count < 40:
    missing.append(f"only {count} tests are named: is SECURITY.md still written so that this reads it?")
print("\n".join(missing) or f"all {count} tests exist")
sys.exit(1 if missing else 0)
