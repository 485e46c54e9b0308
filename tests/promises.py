#!/usr/bin/env python3
"""Each test that the documentation names exists: `path/of/file`: "case", "case"... in the text of SECURITY.md,
CONTRIBUTING.md and docs/. Without arguments."""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
missing = []


def named_in(page):
    """How many tests it names."""
    text = re.sub(r"\s+", " ", page.read_text(encoding="utf-8"))
    named = re.findall(r'`(tests/[^`]+\.(?:cpp|py))`: ((?:"[^"]+"(?:, )?)+)', text)
    count = 0
    for path, cases in named:
        file = root / path
        # A name may be broken over two literals.
        source = re.sub(r'"\s*\n\s*"', "", file.read_text(encoding="utf-8")) if file.exists() else ""
        for case in re.findall('"([^"]+)"', cases):
            count += 1
            declared = f"def {case}(self)" if path.endswith(".py") else f'TEST_CASE("{case}"'
            if declared not in source:
                missing.append(f"{page.name}: {path} has no {case!r}")
    # A file that is named without a case would not be looked at, and a promise without a test is none.
    unread = set(re.findall(r"`(tests/[^`]+_test\.(?:cpp|py))`", text)) - {path for path, _ in named}
    missing.extend(f"{page.name}: {path} is named without a case" for path in sorted(unread))
    return count


counts = {page.name: named_in(page) for page in [root / "SECURITY.md", *sorted((root / "docs").rglob("*.md"))]}
contributing = root / "CONTRIBUTING.md"
if contributing.exists():
    counts[contributing.name] = named_in(contributing)
if counts["SECURITY.md"] < 40 or sum(counts.values()) < 200:
    missing.append(f"only these were found, are the pages still written so that this reads them? {counts}")
print("\n".join(missing) or f"all {sum(counts.values())} tests exist")
sys.exit(1 if missing else 0)
