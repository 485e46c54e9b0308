#!/usr/bin/env python3
"""Holds the documentation to what it is made of. Without arguments.

Blocks: in docs/guide and docs/recording.md every block of C++ is cut from the file that the line before it names, as
`[name](path):`, and so is every block of JSON in docs/guide; there are no other blocks there, and every example is shown.
Footnotes: each that is referred to is there and the reverse, names a test or an example, and no section of a chapter is
without one; that the tests exist is the matter of tests/promises.py.
Links: each relative one leads to a file, and its anchor to a heading.
"""

import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parent.parent
chapters = sorted(p for p in (root / "docs/guide").glob("*.md") if p.name != "README.md")
faults = []
shown = set()
counted = {"blocks": 0, "footnotes": 0, "links": 0}


def blocks(page):
    text = page.read_text(encoding="utf-8")
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        if found[1] != "cpp" and page not in chapters:
            continue
        if found[1] not in ("cpp", "json"):
            faults.append(f"{page.name} has a block that is neither C++ nor JSON: {found[1]}")
            continue
        counted["blocks"] += 1
        named = re.search(r"\]\(([^()\n]+)\):\n$", text[: found.start()])
        if not named:
            faults.append(f"{page.name} does not name the file of this block:\n{found[2]}")
            continue
        source = (page.parent / named[1]).resolve()
        shown.add(source)
        if not source.exists() or found[2] not in source.read_text(encoding="utf-8"):
            faults.append(f"{page.name} shows what {named[1]} does not have:\n{found[2]}")


def footnotes(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    said = dict(re.findall(r"^\[\^([\w-]+)\]: (.*)$", text, re.M))
    body = re.sub(r"^\[\^[\w-]+\]: .*$", "", text, flags=re.M)
    referred = set(re.findall(r"\[\^([\w-]+)\]", body))
    counted["footnotes"] += len(said)
    faults.extend(f"{page.name} has no footnote {name}" for name in sorted(referred - set(said)))
    faults.extend(f"{page.name} does not refer to its footnote {name}" for name in sorted(set(said) - referred))
    for name, what in said.items():
        example = re.fullmatch(r".*`(examples/[^`]+\.cpp)`", what)
        if example and not (root / example[1]).exists():
            faults.append(f"{page.name} names {example[1]}, which is not there")
        if not example and not re.search(r'`tests/[^`]+`: "', what):
            faults.append(f"{page.name}: the footnote {name} names no test")
    for title, section in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", body, re.M | re.S):
        if "[^" not in section and title not in ("What is not guaranteed",):
            faults.append(f"{page.name}: no claim of '{title}' names its test")


def anchors(page):
    """As GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for path, anchor in re.findall(r"\]\((?!https?:)([^()#\s]*)(?:#([^()\s]*))?\)", text):
        counted["links"] += 1
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            faults.append(f"{page.name} links to {path}, which is not there")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            faults.append(f"{page.name} links to #{anchor}, which {target.name} does not have")


for page in [*chapters, root / "docs/recording.md"]:
    blocks(page)
for chapter in chapters:
    footnotes(chapter)
for page in [*(root / "docs").rglob("*.md"), *root.glob("*.md")]:
    links(page)

for example in sorted((root / "examples").rglob("*.cpp")):
    if example not in shown:
        faults.append(f"the guide does not show {example.relative_to(root)}")
# So that this does not pass by reading nothing.
if len(chapters) < 10 or counted["blocks"] < 25 or counted["footnotes"] < 150 or counted["links"] < 60:
    faults.append("too little was found: are the pages still written so that this reads them?")
print("\n".join(faults) or ", ".join(f"{number} {what}" for what, number in counted.items()))
sys.exit(1 if faults else 0)
